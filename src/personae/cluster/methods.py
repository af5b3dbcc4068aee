"""The registry of clustering methods: how each is made, and which hints it honours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.cluster.finch import FINCH
from personae.cluster.hac import HAC
from personae.cluster.hints import refuse_hints
from personae.cluster.links import hold_links
from personae.cluster.result import Clustering
from personae.cluster.track_evidence import TrackEvidence
from personae.cluster.videoclusternet import VideoClusterNet
from personae.core.config import AdaptConfig, ClusterConfig, CrossTrackPairs
from personae.core.errors import SettingError
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.adapt import Adaptation


class ClusterMethod(Protocol):
    """A method that clusters tracks, given their adaptation where it needs one."""

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Return labels and confidence of the tracks."""
        ...


class TrackClusterer(Protocol):
    """A method that knows nothing but the tracks and their embeddings."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Return (T,) labels 0.. by falling size, -1 = unknown."""
        ...


class EmbeddingMethod:
    """Adapter of a `TrackClusterer` to `ClusterMethod`; it ignores the adaptation."""

    def __init__(self, clusterer: TrackClusterer) -> None:
        """Wrap a clusterer."""
        self.clusterer = clusterer

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Cluster by the tracks' own embeddings."""
        return Clustering.from_labels(self.clusterer.fit_predict(tracks))


@dataclass(frozen=True)
class MethodEntry:
    """One method of the registry."""

    summary: str
    """What it does, in half a sentence."""

    make: Callable[[ClusterConfig, AdaptConfig], ClusterMethod]
    """Makes the method from the settings."""

    needs_adaptation: bool = False
    """Whether the face-ID model is adapted to the film first."""

    hints: frozenset[str] = frozenset()
    """The hints of `ClusterConfig` that it honours; others are refused."""

    links_evidence: bool = False
    """Whether it clusters by a `TrackEvidence`, which may be measured before."""

    cross_track_pairs: CrossTrackPairs = "cues"
    """The pairs of tracks that it is made to train on."""


METHODS: dict[str, MethodEntry] = {
    CalibratedLinkage.name: MethodEntry(
        "calibrated log-odds from base and adapted scores; the default",
        lambda config, adapt: CalibratedLinkage(
            config.num_people,
            config.min_people,
            config.max_people,
            learn_links=adapt.learn_edits,
        ),
        needs_adaptation=True,
        hints=CalibratedLinkage.hints,
        links_evidence=True,
    ),
    VideoClusterNet.name: MethodEntry(
        "Algorithm 1 on the learned metric, as published",
        lambda _, adapt: VideoClusterNet(**adapt.model_dump()),
        needs_adaptation=True,
        hints=VideoClusterNet.hints,
        cross_track_pairs="matches",
    ),
    HAC.name: MethodEntry(
        "average linkage on base embeddings at a fixed cosine distance",
        lambda config, _: EmbeddingMethod(HAC(n_clusters=config.num_people)),
        hints=frozenset({"num_people"}),
    ),
    FINCH.name: MethodEntry(
        "first-neighbour clustering of base embeddings",
        lambda config, _: EmbeddingMethod(FINCH(n_clusters=config.num_people)),
        hints=frozenset({"num_people"}),
    ),
}
"""Registry name -> method. A new method is one more entry."""


def resolve_cross_track_pairs(method: str, config: AdaptConfig) -> AdaptConfig:
    """Return settings of the adaptation in which `auto` is the pairs that a method is made for.

    Args:
        method: A name of `METHODS`.
        config: The settings.
    """
    if config.cross_track_pairs != "auto":
        return config
    return config.model_copy(update={"cross_track_pairs": METHODS[method].cross_track_pairs})


def make_method(config: ClusterConfig, adapt: AdaptConfig | None = None) -> ClusterMethod:
    """Make the method that the settings name.

    Args:
        config: Name of the method, and hints on the number of people.
        adapt: Settings of the adaptation that it will be given; None: the defaults.

    Raises:
        SettingError: There is no method of that name, or it cannot honour what is set: a hint, or
            any setting of the adaptation if it needs none.
    """
    entry = METHODS.get(config.method)
    if entry is None:
        raise SettingError(
            f"There is no method {config.method!r}; there are: {', '.join(METHODS)}."
        )
    refuse_hints(config.method, entry.hints, config.model_dump())
    adapt = adapt or AdaptConfig()
    if adapt.model_fields_set and not entry.needs_adaptation:
        given = ", ".join(sorted(adapt.model_fields_set))
        raise SettingError(f"The method {config.method!r} adapts nothing: leave out {given}.")
    return entry.make(config, adapt)


def check_method(config: ClusterConfig, adapt: AdaptConfig | None = None) -> None:
    """Check that `make_method` can make the method, before hours of work.

    Raises:
        SettingError: It cannot.
    """
    make_method(config, adapt)


def cluster_tracks(
    tracks: TrackSet,
    adaptation: Adaptation | None,
    config: ClusterConfig,
    adapt: AdaptConfig | None = None,
    evidence: TrackEvidence | None = None,
) -> Clustering:
    """Cluster tracks by the method that the settings name; what a person has said always holds.

    Args:
        tracks: Tracks with embeddings.
        adaptation: Their adaptation; None where the method needs none, or nothing was adapted.
        config: Name of the method, and hints on the number of people.
        adapt: Settings that the adaptation was made with; None: the defaults.
        evidence: Of the tracks, for a method that `links_evidence`; None: it is measured.

    Raises:
        SettingError: There is no method of that name, or it cannot honour a hint.
    """
    method = make_method(config, adapt)
    if evidence is not None and isinstance(method, CalibratedLinkage) and tracks.n_tracks:
        return hold_links(method.link(tracks, evidence), tracks)
    return hold_links(method.cluster(tracks, adaptation), tracks)
