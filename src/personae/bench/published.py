"""Published results on the same tracks, labels and level as ours; no other results are shown.

There are none for clips, features, folders or simulated sets. Features are each system's own, as in
the papers' tables. A result whose level is not stated is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from personae.datasets.labelled import LabelledTracks


@dataclass(frozen=True)
class PublishedResult:
    """A system's result from a paper."""

    system: str
    wcp: float
    """In percent, over tracks."""
    pcr: float | None
    """None: the system was given the number of people."""


@dataclass(frozen=True)
class PublishedTable:
    """The published results of one protocol."""

    n_tracks: int
    source: str
    """Where the results were printed."""
    results: tuple[PublishedResult, ...]


_SSIAM = "Sharma et al., FG 2019, slides; tracks of the main cast, VGGFace2 features, given K"
_VIDEOCLUSTERNET = "VideoClusterNet, supplementary and Table 3; ArcFace-R100 features"
_MOVIE_SYSTEMS = ("TSiam", "SSiam", "JFRAC", "CCL", "VCTRSF", "VideoClusterNet")

# fmt: off
_MOVIES: dict[str, tuple[int, tuple[tuple[float, float] | float, ...]]] = {
    "An Elephant's Journey": (
        562, ((90.7, 1.44), (88.1, 1.61), (91.4, 1.33), 89.5, 96.3, (97.2, 1.11))),
    "Armed Response": (
        119, ((84.9, 1.36), (86.6, 1.21), (85.2, 1.50), 89.7, 92.2, (94.1, 0.93))),
    "Angel Of The Skies": (
        319, ((77.1, 0.62), (75.5, 0.59), (73.4, 0.62), 75.0, 77.7, (85.9, 0.72))),
    "Death Do Us Part": (
        395, ((92.9, 1.57), (94.4, 1.28), (90.8, 0.71), 95.4, 96.5, (98.0, 1.14))),
    "American Fright Fest": (
        457, ((89.3, 0.83), (86.2, 0.78), (91.5, 0.86), 87.2, 91.3, (97.6, 0.92))),
    "The Fortress": (
        917, ((68.6, 0.69), (71.1, 0.73), (65.3, 0.77), 62.7, 78.8, (89.3, 1.02))),
    "Under The Shadow": (
        143, ((71.8, 2.11), (68.3, 2.33), (73.1, 2.00), 77.4, 78.7, (82.5, 1.88))),
    "The Hidden Soldier": (
        594, ((90.7, 1.33), (88.7, 1.24), (92.6, 1.19), 84.0, 94.4, (98.5, 1.04))),
    "S.M.A.R.T. Chase": (
        113, ((79.6, 1.70), (82.3, 1.80), (85.8, 1.70), 89.9, 88.4, (93.8, 1.50))),
}
# fmt: on
"""Movie -> number of tracks, and (WCP, PCR) or WCP alone of each of `_MOVIE_SYSTEMS`."""


def _results_given_k(**wcp_of_system: float) -> tuple[PublishedResult, ...]:
    return tuple(
        PublishedResult(system.replace("_", " "), wcp, None)
        for system, wcp in wcp_of_system.items()
    )


def _movie_results(
    values: tuple[tuple[float, float] | float, ...],
) -> tuple[PublishedResult, ...]:
    return tuple(
        PublishedResult(system, *value)
        if isinstance(value, tuple)
        else PublishedResult(system, value, None)
        for system, value in zip(_MOVIE_SYSTEMS, values, strict=True)
    )


PUBLISHED: dict[str, PublishedTable] = {
    "bbt_s01e01 main cast": PublishedTable(
        644, _SSIAM, _results_given_k(base_and_HAC=93.2, Pseudo_RF=93.0, TSiam=96.4, SSiam=96.2)
    ),
    "buffy_s05e02 main cast": PublishedTable(
        568, _SSIAM, _results_given_k(base_and_HAC=83.6, Pseudo_RF=81.4, TSiam=89.3, SSiam=90.9)
    ),
    **{
        f"MovieFaceCluster {movie}": PublishedTable(
            n_tracks, _VIDEOCLUSTERNET, _movie_results(values)
        )
        for movie, (n_tracks, values) in _MOVIES.items()
    },
}
"""The published results by protocol."""


def find_published(data: LabelledTracks) -> PublishedTable | None:
    """Return the published results of a data set's protocol; None where anything differs."""
    if data.simulated or data.protocol not in PUBLISHED:
        return None
    table = PUBLISHED[data.protocol]
    n_labelled = int((data.truth >= 0).sum())
    return table if table.n_tracks == data.tracks.n_tracks == n_labelled else None
