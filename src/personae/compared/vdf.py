"""VDF: video face clustering with Fisher-encoded features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from personae.cluster.hac import HAC
from personae.compared.features import principal_components
from personae.compared.protocol import require_n_clusters, single_crop_tracks
from personae.core.arrays import Float64Array
from personae.core.grouping import unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

CROPS_PER_GAUSSIAN = 100
"""Fewest crops per Gaussian of the mixture; not from the paper."""


@dataclass(frozen=True, kw_only=True)
class VDF:
    """Fisher vectors of tracks, then Ward linkage; our reconstruction of VDF.

    Known: Fisher-vector encoded deep features of a track, then hierarchical clustering.
    Reconstructed: principal components, size of the mixture, Ward linkage.

    Args:
        n_clusters: Number of people; needed.
        seed: Seed of the mixture.
        n_components: Principal components of a crop's embedding; not stated in our sources.
        max_gaussians: Gaussians of the mixture, at most one per hundred crops; not stated in our
            sources.

    Source:
        Sharma, Sarfraz, Stiefelhagen, "A Simple and Effective Technique for Face Clustering in TV
        Series", CVPR Workshops 2017.
    """

    name: ClassVar[str] = "VDF"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    seed: int = 0
    n_components: int = 16
    max_gaussians: int = 16

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: `n_clusters` is missing or below 1.
        """
        count = require_n_clusters(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        x = principal_components(unit_rows(tracks.require_embeddings()), self.n_components)
        x /= x.std() or 1.0
        n_gaussians = max(1, min(self.max_gaussians, len(x) // CROPS_PER_GAUSSIAN))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = GaussianMixture(
                n_gaussians, covariance_type="diag", reg_covar=1e-2, random_state=self.seed
            ).fit(x)
        vectors = np.stack([fisher_vector(x[crops], mixture) for crops in tracks.members()])
        described = single_crop_tracks(vectors)
        return HAC("ward", "euclidean", n_clusters=count).fit_predict(described)


def fisher_vector(x: Float64Array, mixture: GaussianMixture) -> Float64Array:
    """Encode a set of feature vectors as one improved Fisher vector.

    Gradients of the log-likelihood by means and deviations, averaged over the set, then signed
    square root and L2 norm.

    Args:
        x: (n, d) features.
        mixture: Diagonal mixture of K Gaussians.

    Returns:
        (2 K d,) unit vector.

    Source:
        Perronnin, Sanchez, Mensink, ECCV 2010.
    """
    gamma = mixture.predict_proba(x)
    weight, mean, variance = mixture.weights_, mixture.means_, mixture.covariances_
    total = gamma.sum(axis=0)[:, None]
    first, second = gamma.T @ x, gamma.T @ x**2
    deviation = np.sqrt(variance)
    by_mean = (first - total * mean) / deviation / np.sqrt(weight)[:, None]
    by_deviation = (second - 2 * mean * first + total * mean**2) / variance - total
    by_deviation /= np.sqrt(2 * weight)[:, None]
    vector = np.concatenate([by_mean.ravel(), by_deviation.ravel()]) / len(x)
    vector = np.sign(vector) * np.sqrt(np.abs(vector))
    length = np.linalg.norm(vector)
    improved: Float64Array = vector / length if length > 0 else vector
    return improved
