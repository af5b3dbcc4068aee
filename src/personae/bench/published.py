"""Published figures that may stand beside ours: same tracks, same labels, same level, and nothing else.

There are none for clips, features, folders or simulated sets. Features are each system's own, as they are in
the papers' tables; a figure whose level is not stated is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from personae.datasets.labelled import LabelledTracks


@dataclass(frozen=True)
class Published:
    """A figure from a paper."""

    system: str
    wcp: float
    """In percent, over tracks."""
    pcr: float | None
    """None: the system was given the number of people."""


_SSIAM = "Sharma et al., FG 2019, slides; tracks of the main cast, VGGFace2 features, given K"
_VCN = "FaceTrackClusterer, supplementary and Table 3; ArcFace-R100 features"


def _given(**systems: float) -> tuple[Published, ...]:
    return tuple(Published(name.replace("_", " "), value, None) for name, value in systems.items())


_MOVIES = {
    "An Elephant's Journey": (
        562,
        (90.7, 1.44),
        (88.1, 1.61),
        (91.4, 1.33),
        89.5,
        96.3,
        (97.2, 1.11),
    ),
    "Armed Response": (119, (84.9, 1.36), (86.6, 1.21), (85.2, 1.50), 89.7, 92.2, (94.1, 0.93)),
    "Angel Of The Skies": (319, (77.1, 0.62), (75.5, 0.59), (73.4, 0.62), 75.0, 77.7, (85.9, 0.72)),
    "Death Do Us Part": (395, (92.9, 1.57), (94.4, 1.28), (90.8, 0.71), 95.4, 96.5, (98.0, 1.14)),
    "American Fright Fest": (
        457,
        (89.3, 0.83),
        (86.2, 0.78),
        (91.5, 0.86),
        87.2,
        91.3,
        (97.6, 0.92),
    ),
    "The Fortress": (917, (68.6, 0.69), (71.1, 0.73), (65.3, 0.77), 62.7, 78.8, (89.3, 1.02)),
    "Under The Shadow": (143, (71.8, 2.11), (68.3, 2.33), (73.1, 2.00), 77.4, 78.7, (82.5, 1.88)),
    "The Hidden Soldier": (594, (90.7, 1.33), (88.7, 1.24), (92.6, 1.19), 84.0, 94.4, (98.5, 1.04)),
    "S.M.A.R.T. Chase": (113, (79.6, 1.70), (82.3, 1.80), (85.8, 1.70), 89.9, 88.4, (93.8, 1.50)),
}
"""Movie -> tracks, then WCP and PCR of TSiam, SSiam and JFRAC, WCP of CCL and VCTRSF, both of
FaceTrackClusterer."""


def _of_movie(row: tuple[int, *tuple[tuple[float, float] | float, ...]]) -> tuple[Published, ...]:
    names = ("TSiam", "SSiam", "JFRAC", "CCL", "VCTRSF", "FaceTrackClusterer")
    return tuple(
        Published(name, *value) if isinstance(value, tuple) else Published(name, value, None)
        for name, value in zip(names, row[1:], strict=True)
    )


PUBLISHED: dict[str, tuple[int, str, tuple[Published, ...]]] = {
    "bbt_s01e01 main cast": (
        644,
        _SSIAM,
        _given(base_and_HAC=93.2, Pseudo_RF=93.0, TSiam=96.4, SSiam=96.2),
    ),
    "buffy_s05e02 main cast": (
        568,
        _SSIAM,
        _given(base_and_HAC=83.6, Pseudo_RF=81.4, TSiam=89.3, SSiam=90.9),
    ),
    **{f"MovieFaceCluster {name}": (row[0], _VCN, _of_movie(row)) for name, row in _MOVIES.items()},
}
"""Protocol -> number of tracks, where the figures were printed, the figures."""


def published(data: LabelledTracks) -> tuple[str, tuple[Published, ...]] | None:
    """Give source and figures for a data set of a published protocol; None where anything differs."""
    if data.simulated or data.protocol not in PUBLISHED:
        return None
    tracks, source, found = PUBLISHED[data.protocol]
    return (
        (source, found) if tracks == data.tracks.n_tracks == int((data.truth >= 0).sum()) else None
    )
