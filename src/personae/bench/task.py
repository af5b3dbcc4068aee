"""What a benchmarked method is given, and the ways to cluster that ablations combine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.core.arrays import Float64Array, FloatArray
from personae.core.errors import SettingError
from personae.core.grouping import unit_rows
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.adapt import Adaptation


@dataclass(frozen=True)
class Task:
    """One data set for one method and seed."""

    tracks: TrackSet
    adaptation: Adaptation | None
    """None where the method needs none, or asked for no iteration."""
    n_people: int
    """The true number; for methods that are given it."""
    labelled: dict[int, int]
    """The person of one track a person, its longest; for methods that are semi-supervised."""
    seed: int

    def adapted(self) -> TrackSet:
        """Give the tracks with the student's embeddings, or with the base ones where nothing was adapted."""
        if self.adaptation is None:
            return self.tracks
        return replace(self.tracks, embeddings=self.adaptation.embeddings)


class CosineMetric:
    """S(a, b) = -cos(a, b), in the two-sided form that Algorithm 1 sums."""

    def sides(self, embeddings: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Give P = Q = unit rows, so that -1/2 (P_a . Q_b + P_b . Q_a) is -cos."""
        unit = unit_rows(embeddings)
        return unit, unit


class EuclideanMetric:
    """S(a, b) = |a - b|^2: the squared Euclidean distance, whose means over groups come from sums."""

    def sides(self, embeddings: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Give P = (|x|^2, 1, sqrt 2 x) and Q = (-1, -|x|^2, sqrt 2 x): S is |a|^2 + |b|^2 - 2 a . b."""
        x = np.asarray(embeddings, dtype=np.float64)
        square, one = (x**2).sum(axis=1, keepdims=True), np.ones((len(x), 1))
        return np.hstack([square, one, np.sqrt(2) * x]), np.hstack([-one, -square, np.sqrt(2) * x])


def metric_of(similarity: str, task: Task, centre: bool) -> Any:
    """Give Algorithm 1's metric by name: loss (learned; needs an adaptation), cosine or euclidean."""
    from personae.cues.loss_metric import LossMetric

    if similarity == "cosine":
        return CosineMetric()
    if similarity == "euclidean":
        return EuclideanMetric()
    if task.adaptation is None:
        raise SettingError(
            "The learned similarity needs an adaptation: ask for iterations=1 or more."
        )
    last = task.adaptation.iterations[-1]
    middle = last.centre if centre else np.zeros_like(last.centre)
    return LossMetric(
        middle, task.adaptation.student_temperature, task.adaptation.teacher_temperature
    )


def algorithm1_on(task: Task, metric: Any, quality_filter: bool) -> Labels:
    """Cluster by Algorithm 1 on a metric; tracks that are weak or of outlying quality stay unknown, as in
    `VideoClusterNet`."""
    from personae.cluster.algorithm1 import algorithm1

    tracks = task.adapted()
    kept = (
        ~tracks.attach_only
        if tracks.attach_only is not None
        else np.ones(tracks.n_tracks, dtype=np.bool_)
    )
    if quality_filter and task.adaptation is not None and kept.any():
        from personae.adapt.quality import good_tracks

        kept = kept.copy()
        kept[kept] = good_tracks(task.adaptation.iterations[-1].quality[kept])
    place = np.cumsum(kept) - 1
    crops = kept[tracks.track_of]
    labels = np.full(tracks.n_tracks, -1, dtype=np.int64)
    labels[kept] = algorithm1(
        tracks.require_embeddings()[crops], place[tracks.track_of[crops]], metric
    )
    return order_by_size(labels)
