"""VideoClusterNet as published: adapt to the film, filter tracks by quality, run Algorithm 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from personae.cluster.algorithm1 import algorithm1
from personae.cluster.hints import refuse_hints
from personae.cluster.links import fit_under_links, link_components
from personae.cluster.preparation import embed_and_adapt
from personae.cluster.result import Clustering
from personae.cluster.track_metrics import (
    CosineMetric,
    EuclideanMetric,
    PairwiseMetric,
)
from personae.core.arrays import BoolArray, Float32Array
from personae.core.config import AdaptConfig, validate_settings
from personae.core.errors import SettingError
from personae.core.hooks import Hook, silent_hook
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet
from personae.cues.loss_metric import LossMetric

if TYPE_CHECKING:
    from personae.adapt import Adaptation, Iteration
    from personae.encode.encoder import Encoder


METRIC_NAMES = ("loss", "cosine", "euclidean")
"""The learned metric of the paper, and the two that its ablation compares it with."""


class VideoClusterNet:
    """Adapt a face-ID model to the tracks by self-supervision, then cluster by Algorithm 1.

    Tracks of outlying quality and attach-only tracks stay unknown. After `fit_predict`,
    `adaptation_`, `clustering_` and `labels_` hold what was learnt and decided.

    >>> labels = VideoClusterNet(seed=1).fit_predict(tracks)  # doctest: +SKIP

    Source:
        Walawalkar and Garrido, "VideoClusterNet: Self-Supervised and Adaptive Face Clustering for
        Videos", ECCV 2024.
    """

    name: ClassVar[str] = "videoclusternet-paper"
    needs_adaptation: ClassVar[bool] = True
    hints: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        metric: str | PairwiseMetric = "loss",
        centre: bool = True,
        encoder: Encoder | None = None,
        **settings: object,
    ) -> None:
        """Set the metric of Algorithm 1 and the adaptation.

        Args:
            metric: "loss", the learned metric of the last iteration; "cosine" or "euclidean" on its
                embeddings; or another metric.
            centre: Subtract the teacher's centre in the learned metric. Off: the literal reading of
                the paper's slides.
            encoder: Face-ID network for tracks with crops; None: the default one.
            **settings: Fields of `AdaptConfig`. `quality_filter` and `quality_mad` hold for the
                iterations and for the final clustering alike.

        Raises:
            SettingError: A setting is unknown, out of range, or a hint on the number of people,
                which Algorithm 1 cannot use; or the learned metric is chosen without an iteration.
        """
        refuse_hints(self.name, self.hints, settings)
        if isinstance(metric, str) and metric not in METRIC_NAMES:
            known = ", ".join(map(repr, METRIC_NAMES))
            raise SettingError(
                f"metric cannot be {metric!r}: it should be {known}, or an object with a method "
                "factors()."
            )
        self.metric = metric
        self.centre = centre
        self.encoder = encoder
        self.config = validate_settings(AdaptConfig, settings)
        if self.config.cross_track_pairs == "auto":
            self.config = self.config.model_copy(update={"cross_track_pairs": "matches"})
        if metric == "loss" and not self.config.iterations:
            raise SettingError(
                "The learned metric needs an adaptation of at least one iteration: set "
                "iterations to 1 or more, or choose another metric."
            )

    def fit_predict(self, tracks: TrackSet, hook: Hook = silent_hook) -> Labels:
        """Adapt to the tracks and cluster them.

        Args:
            tracks: Tracks with crops, or with embeddings alone.
            hook: Reports progress.

        Returns:
            (T,) labels 0.. by falling size, -1 = unknown.

        Raises:
            ValueError: The tracks have neither crops nor embeddings.
        """
        tracks, adaptation = embed_and_adapt(tracks, self.encoder, self.config, hook)
        self.adaptation_ = adaptation
        self.clustering_ = self.cluster(tracks, adaptation)
        self.labels_ = self.clustering_.labels
        return self.labels_

    def cluster(self, tracks: TrackSet, adaptation: Adaptation | None) -> Clustering:
        """Cluster the tracks by their adaptation.

        Without an adaptation, or with an empty one, the learned metric leaves every track alone and
        the other metrics use the tracks' own embeddings. What a person has said of pairs of tracks
        always holds; tracks that must be linked are one track to Algorithm 1.
        """
        n = tracks.n_tracks
        last = adaptation.iterations[-1] if adaptation and adaptation.iterations else None
        metric = self._resolve_metric(adaptation, last)
        if metric is None:
            return Clustering.from_labels(order_by_size(link_components(tracks)))
        embeddings = tracks.require_embeddings() if last is None else last.embeddings
        kept = self._select_tracks(tracks, last)
        kept[tracks.must_link] = True
        labels = np.full(n, -1, dtype=np.int64)
        labels[kept] = fit_under_links(
            _select(tracks, embeddings, kept),
            lambda people: algorithm1(people.require_embeddings(), people.track_of, metric),
        )
        iterations = len(adaptation.iterations) if adaptation else 0
        return Clustering.from_labels(order_by_size(labels), iteration=iterations)

    def _resolve_metric(
        self, adaptation: Adaptation | None, last: Iteration | None
    ) -> PairwiseMetric | None:
        """Return the metric object; None for the learned metric where nothing was learnt."""
        if self.metric == "cosine":
            return CosineMetric()
        if self.metric == "euclidean":
            return EuclideanMetric()
        if not isinstance(self.metric, str):
            return self.metric
        if adaptation is None or last is None:
            return None
        centre = last.centre if self.centre else np.zeros_like(last.centre)
        return LossMetric(
            centre,
            adaptation.student_temperature,
            adaptation.teacher_temperature,
            adaptation.students,
        )

    def _select_tracks(self, tracks: TrackSet, last: Iteration | None) -> BoolArray:
        """Return (T,) which tracks are clustered: not attach-only, and not of outlying quality."""
        kept = np.ones(tracks.n_tracks, dtype=np.bool_)
        if tracks.attach_only is not None:
            kept = ~tracks.attach_only
        if self.config.quality_filter and last is not None and kept.any():
            from personae.adapt.quality import quality_inliers

            kept[kept] = quality_inliers(last.quality[kept], self.config.quality_mad)
        return kept


def _select(tracks: TrackSet, embeddings: Float32Array, kept: BoolArray) -> TrackSet:
    """Return the tracks of a (T,) mask, with (n, d) embeddings and what a person has said."""
    number, crops = np.cumsum(kept) - 1, kept[tracks.track_of]
    must_not_link = tracks.must_not_link[kept[tracks.must_not_link].all(axis=1)]
    return TrackSet(
        track_of=number[tracks.track_of[crops]].astype(np.int32),
        embeddings=embeddings[crops],
        must_link=number[tracks.must_link].astype(np.int32),
        must_not_link=number[must_not_link].astype(np.int32),
    )
