"""The clustering methods that a film can be run with, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from personae.cluster.finch import FINCH
from personae.cluster.hac import HAC
from personae.cluster.personae import CalibratedLinkage
from personae.cluster.result import Clustering, plain
from personae.cluster.videoclusternet import VideoClusterNet
from personae.core.config import ClusterConfig
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.adapt import Adaptation


class ClusterMethod(Protocol):
    """Groups tracks, given their adaptation where it needs one."""

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering: ...


class _OnBaseEmbeddings:
    """A method that knows base embeddings only."""

    def __init__(self, method: HAC | FINCH) -> None:
        self._method = method

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Cluster by base embeddings; the adaptation is not looked at."""
        return plain(self._method.fit_predict(tracks))


@dataclass(frozen=True)
class MethodEntry:
    """One name on the list."""

    summary: str
    needs_adaptation: bool
    make: Callable[[ClusterConfig], ClusterMethod]


METHODS: dict[str, MethodEntry] = {
    CalibratedLinkage.name: MethodEntry(
        "calibrated odds from base and adapted evidence; the default",
        True,
        lambda c: CalibratedLinkage(c.num_people, c.min_people, c.max_people),
    ),
    VideoClusterNet.name: MethodEntry(
        "Algorithm 1 on the learned metric, as published", True, lambda c: VideoClusterNet()
    ),
    HAC.name: MethodEntry(
        "average linkage on base embeddings at a fixed cosine distance",
        False,
        lambda c: _OnBaseEmbeddings(HAC(n_clusters=c.num_people)),
    ),
    FINCH.name: MethodEntry(
        "first-neighbour clustering of base embeddings",
        False,
        lambda c: _OnBaseEmbeddings(FINCH(n_clusters=c.num_people)),
    ),
}


def cluster(tracks: TrackSet, adaptation: Adaptation | None, config: ClusterConfig) -> Clustering:
    """Cluster the tracks by the method that the settings name; SettingError if there is none of that name."""
    if config.method not in METHODS:
        raise SettingError(
            f"There is no method {config.method!r}; there are: {', '.join(METHODS)}."
        )
    return METHODS[config.method].make(config).cluster(tracks, adaptation)
