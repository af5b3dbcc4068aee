"""FaceTrackClusterer as published: adapt to the film, drop bad tracks, cluster by Algorithm 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from personae.cluster.algorithm1 import algorithm1
from personae.cluster.personae import CalibratedLinkage
from personae.cluster.result import Clustering, plain
from personae.core.config import AdaptConfig
from personae.core.hooks import Hook, silent
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet
from personae.cues.face import plausible_pairs
from personae.cues.loss_metric import LossMetric

if TYPE_CHECKING:
    from personae.adapt import Adaptation
    from personae.encode.encoder import Encoder


class VideoClusterNet:
    """Algorithm 1 on the last iteration's learned metric; tracks of outlying quality and weak tracks are
    unknown."""

    name: ClassVar[str] = "videoclusternet-paper"
    needs_adaptation: ClassVar[bool] = True

    def __init__(self, centre: bool = True, quality_filter: bool = True) -> None:
        """`centre=False` drops the teacher's centre from the metric, the literal reading of the paper's
        slides."""
        self.centre = centre
        self.quality_filter = quality_filter

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Cluster the tracks by their adaptation; without one (nothing to adapt to) every track stands
        alone."""
        if adaptation is None or not adaptation.iterations:
            return plain(np.arange(tracks.n_tracks, dtype=np.int64))
        last = adaptation.iterations[-1]
        centre = last.centre if self.centre else np.zeros_like(last.centre)
        metric = LossMetric(centre, adaptation.student_temperature, adaptation.teacher_temperature)
        kept = (
            ~tracks.attach_only
            if tracks.attach_only is not None
            else np.ones(tracks.n_tracks, dtype=np.bool_)
        )
        if self.quality_filter and kept.any():
            from personae.adapt.quality import good_tracks

            kept = kept.copy()
            kept[kept] = good_tracks(last.quality[kept])
        place = np.cumsum(kept) - 1
        crops = kept[tracks.track_of]
        labels = np.full(tracks.n_tracks, -1, dtype=np.int64)
        labels[kept] = algorithm1(last.embeddings[crops], place[tracks.track_of[crops]], metric)
        return plain(order_by_size(labels), iteration=len(adaptation.iterations))


class FaceTrackClusterer:
    """Tracks in, labels out: adapts a face-ID model to the tracks by self-supervision, then clusters them.

    Works on crops, or on `TrackSet.embeddings` alone where there are no pictures. `method` is "personae",
    this package's clustering, or "videoclusternet-paper", Algorithm 1 as published; further settings are
    those of `AdaptConfig`. After `fit_predict`, `adaptation_` and `clustering_` hold what was learnt and
    decided.

    >>> labels = FaceTrackClusterer(seed=1).fit_predict(tracks)  # doctest: +SKIP
    """

    name: ClassVar[str] = "videoclusternet"

    def __init__(
        self,
        method: str = "personae",
        encoder: Encoder | None = None,
        n_clusters: int | None = None,
        **adapt: object,
    ) -> None:
        self.method = method
        self.encoder = encoder
        self.n_clusters = n_clusters
        self.config = AdaptConfig.model_validate(adapt)

    def fit_predict(self, tracks: TrackSet, hook: Hook = silent) -> Labels:
        """Cluster the tracks; (T,) labels 0.. by falling size, -1 = unknown."""
        from dataclasses import replace

        from personae.adapt import adapt

        encoder = self.encoder
        if tracks.crops.images is not None:
            from personae.encode import load_encoder

            encoder = encoder or load_encoder()
            if tracks.embeddings is None:
                tracks = replace(tracks, embeddings=encoder.embed(tracks.crops.images, hook=hook))
        tracks.require_embeddings()
        self.adaptation_ = adapt(
            tracks, encoder, self.config, hook, plausible=plausible_pairs(tracks)
        )
        method = (
            VideoClusterNet()
            if self.method == VideoClusterNet.name
            else CalibratedLinkage(self.n_clusters)
        )
        self.clustering_ = method.cluster(tracks, self.adaptation_)
        return self.clustering_.labels
