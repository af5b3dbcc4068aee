"""VDF: video face clustering with Fisher-encoded features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from personae.cluster.hac import HAC
from personae.compared.fisher import fisher_vector
from personae.compared.protocol import principal_components, require_count
from personae.core.grouping import unit_rows
from personae.core.labels import Labels
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class VDF:
    """Describe each track by the Fisher vector of its crops, then HAC; our reconstruction of VDF.

    Sharma, Sarfraz, Stiefelhagen, "A Simple and Effective Technique for Face Clustering in TV Series", CVPR
    Workshops 2017. Known: Fisher-vector encoded deep features of a track, then hierarchical clustering.
    Reconstructed: principal components, size of the mixture, Ward linkage.
    """

    name: ClassVar[str] = "VDF"
    needs_n_clusters: ClassVar[bool] = True

    n_clusters: int | None = None
    """How many people; needed."""
    seed: int = 0
    """Seed of the mixture."""
    dimensions: int = 16
    """Principal components of a crop's embedding; not stated in our sources."""
    components: int = 16
    """Gaussians of the mixture, at most one per hundred crops; not stated in our sources."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Cluster the tracks; gives (T,) labels 0.. by falling size. SettingError without a number."""
        count = require_count(self.name, self.n_clusters, tracks.n_tracks)
        if tracks.n_tracks < 2:
            return np.zeros(tracks.n_tracks, dtype=np.int64)
        x = unit_rows(tracks.require_embeddings())
        x = principal_components(x, self.dimensions)
        x /= x.std() or 1.0
        components = max(1, min(self.components, len(x) // 100))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture = GaussianMixture(
                components, covariance_type="diag", reg_covar=1e-2, random_state=self.seed
            ).fit(x)
        vectors = np.stack([fisher_vector(x[crops], mixture) for crops in tracks.members()])
        described = TrackSet(
            track_of=np.arange(tracks.n_tracks, dtype=np.int32),
            embeddings=vectors.astype(np.float32),
        )
        return HAC("ward", "euclidean", n_clusters=count).fit_predict(described)
