"""SCTL (HMRF2): simultaneous clustering and tracklet linking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from personae.compared.distances import squared_distances
from personae.compared.kmeans import kmeans
from personae.compared.markov_field import fit_field
from personae.compared.protocol import principal_components, require_count
from personae.core.arrays import BoolArray, Float64Array
from personae.core.grouping import track_means
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class SCTL:
    """Alternate clustering in a random field with linking tracks that look alike; our reconstruction of SCTL.

    Wu, Lyu, Hu, Ji, "Simultaneous Clustering and Tracklet Linking for Multi-Face Tracking in Videos", ICCV
    2013, called HMRF2 elsewhere. Known: both tasks share one hidden Markov random field. Reconstructed:
    everything else. The paper's linking also uses where and when tracks lie, which a `TrackSet` does not
    carry: here two tracks are linked that are each other's nearest allowed neighbours.
    """

    name: ClassVar[str] = "SCTL"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """How many people; needed."""
    seed: int = 0
    """Seed of the k-means start."""
    dimensions: int = 20
    """Principal components that the Gaussians live in; not stated in the paper's abstract."""
    cannot_weight: float = 10.0
    """Penalty, in nats, of two cannot-linked tracks with one label; not stated in the paper's abstract."""
    link_weight: float = 2.0
    """Reward, in nats, of two linked tracks with one label; not stated in the paper's abstract."""
    rounds: int = 5
    """Turns of clustering and linking; not stated in the paper's abstract."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. SettingError without a number."""
        count = require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        x = principal_components(track_means(tracks), self.dimensions)
        forbidden = tracks.cannot_link_matrix()
        labels = kmeans(x, count, self.seed)
        linked = np.zeros_like(forbidden)
        for _ in range(self.rounds):
            potentials = self.link_weight * linked - self.cannot_weight * forbidden
            field = fit_field(x, labels, potentials)
            labels = np.unique(field.labels, return_inverse=True)[1].astype(np.int64)
            linked |= mutual_neighbours(
                x, forbidden | (field.posterior @ field.posterior.T < 0.5) | linked
            )
        return order_by_size(labels)


def mutual_neighbours(x: Float64Array, excluded: BoolArray) -> BoolArray:
    """Find the (T, T) pairs of rows that are each other's nearest among the pairs not excluded."""
    distances = squared_distances(x, x)
    distances[excluded | np.eye(len(x), dtype=np.bool_)] = np.inf
    rows = np.arange(len(x))
    nearest = distances.argmin(axis=1)
    mutual = (nearest[nearest] == rows) & np.isfinite(distances[rows, nearest])
    linked = np.zeros((len(x), len(x)), dtype=np.bool_)
    linked[rows[mutual], nearest[mutual]] = True
    return linked
