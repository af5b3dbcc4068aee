"""Test protocol that the compared systems share: number of clusters, Ward linkage of track means.

Sharma, Tapaswi, Sarfraz, Stiefelhagen, FG 2019 (SSiam and TSiam).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from personae.cluster.hac import HAC
from personae.core.arrays import Float64Array, FloatArray
from personae.core.errors import SettingError
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


def require_n_clusters(name: str, n_clusters: int | None, n_tracks: int) -> int:
    """Return the number of clusters, capped at one per track.

    Raises:
        SettingError: `n_clusters` is None or below 1.
    """
    if n_clusters is None:
        raise SettingError(f"{name} cannot find the number of people by itself: set n_clusters.")
    if n_clusters < 1:
        raise SettingError(f"n_clusters must be at least 1, not {n_clusters}.")
    return min(n_clusters, n_tracks)


def cluster_by_ward(
    name: str,
    tracks: TrackSet,
    features: npt.ArrayLike,
    n_clusters: int | None,
    threshold: float | None = None,
) -> Labels:
    """Cluster learned crop features by SSiam's and TSiam's test protocol.

    Mean over a track's crops, L2 norm, Ward linkage on Euclidean distances, cut at `n_clusters`; or
    at one global height `threshold`, as VideoClusterNet's authors ran these systems.

    Args:
        name: System named in the error message.
        tracks: Track set of n crops.
        features: (n, e) learned features of the crops.
        n_clusters: Number of clusters; takes precedence over `threshold`.
        threshold: Ward height of the cut, used if `n_clusters` is None.

    Returns:
        (T,) labels 0.. by falling size.

    Raises:
        SettingError: Neither `n_clusters` nor `threshold` is given, or `n_clusters` is below 1.
    """
    learned = replace(tracks, embeddings=np.asarray(features, dtype=np.float32))
    if threshold is not None and n_clusters is None:
        return HAC("ward", "euclidean", threshold=threshold).fit_predict(learned)
    count = require_n_clusters(name, n_clusters, tracks.n_tracks)
    return HAC("ward", "euclidean", n_clusters=count).fit_predict(learned)


@dataclass(frozen=True, kw_only=True)
class WardSystem(ABC):
    """A system that learns features of the crops and clusters them by `cluster_by_ward`.

    Args:
        n_clusters: Number of clusters at which the tree is cut; needed unless `threshold` is given.
        seed: Seed of all that is drawn in training.
        threshold: Ward height at which the tree is cut instead.
    """

    name: ClassVar[str]
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    threshold: float | None = None

    @abstractmethod
    def embed_crops(self, tracks: TrackSet) -> Float64Array:
        """Train on the tracks and return the learned (n, e) features of their crops."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Train on the tracks and cluster them.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: Neither `n_clusters` nor `threshold` is given.
        """
        if self.threshold is None:
            require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        features = self.embed_crops(tracks)
        return cluster_by_ward(self.name, tracks, features, self.n_clusters, self.threshold)


def single_crop_tracks(descriptors: FloatArray) -> TrackSet:
    """Return a track set in which row t of (T, e) `descriptors` is the only crop of track t."""
    return TrackSet(
        track_of=np.arange(len(descriptors), dtype=np.int32),
        embeddings=descriptors.astype(np.float32),
    )
