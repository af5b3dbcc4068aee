"""Registry of the metrics of a clustering of labelled tracks, by the names that tables show.

To add a metric, append one entry to `_METRICS`; see docs/how-to/add-a-metric.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from personae.core.arrays import Int64Array
from personae.metrics.clustering import (
    OperatorClicks,
    PrecisionRecall,
    VMeasure,
    adjusted_rand_index,
    bcubed,
    hungarian_accuracy,
    normalised_mutual_information,
    operator_clicks,
    pairwise,
    predicted_cluster_ratio,
    v_measure,
    weighted_cluster_purity,
)


@dataclass(frozen=True)
class LabelledClustering:
    """Clustering of T tracks whose people are known, with results that several metrics share."""

    truth: Int64Array
    """(T,) person of each track."""
    labels: Int64Array
    """(T,) predicted cluster of each track; -1 = unknown."""
    frame_counts: Int64Array
    """(T,) frames that each track is visible in."""
    crop_counts: Int64Array
    """(T,) crops of each track."""

    @cached_property
    def bcubed(self) -> PrecisionRecall:
        """B-cubed over tracks; an unknown track is a cluster of its own."""
        return bcubed(self.truth, self.labels)

    @cached_property
    def pairwise(self) -> PrecisionRecall:
        """Pairwise precision and recall; an unknown track is a cluster of its own."""
        return pairwise(self.truth, self.labels)

    @cached_property
    def v_measure(self) -> VMeasure:
        """Homogeneity and completeness; an unknown track is a cluster of its own."""
        return v_measure(self.truth, self.labels)

    @cached_property
    def clicks(self) -> OperatorClicks:
        """Corrections; an unknown track is a cluster of its own."""
        return operator_clicks(self.truth, self.labels)


@dataclass(frozen=True)
class Metric:
    """One metric of a clustering of labelled tracks."""

    name: str
    """As tables and results.csv show it."""
    description: str
    """What it is, in one line."""
    function: Callable[[LabelledClustering], float]
    """Computes it over the labelled tracks."""


def weighted_purity(truth: Int64Array, labels: Int64Array, weights: Int64Array) -> float:
    """Compute WCP with every track counted `weights` times, as if each of its frames were an item.

    Args:
        truth: (T,) person of each track.
        labels: (T,) predicted cluster of each track; -1 = unknown.
        weights: (T,) times that each track counts.

    Returns:
        WCP in 0..1. Each item of an unknown track is a cluster of its own.
    """
    return weighted_cluster_purity(np.repeat(truth, weights), np.repeat(labels, weights))


_METRICS = (
    Metric(
        "WCP",
        "weighted cluster purity over tracks",
        lambda c: weighted_cluster_purity(c.truth, c.labels),
    ),
    Metric(
        "PCR",
        "predicted clusters / people; 1 is best",
        lambda c: predicted_cluster_ratio(c.truth, c.labels),
    ),
    Metric("B3P", "B-cubed precision over tracks", lambda c: c.bcubed.precision),
    Metric("B3R", "B-cubed recall over tracks", lambda c: c.bcubed.recall),
    Metric("B3F", "B-cubed F over tracks", lambda c: c.bcubed.f),
    Metric(
        "WCP frames",
        "weighted cluster purity in which a track counts as often as it has frames",
        lambda c: weighted_purity(c.truth, c.labels, c.frame_counts),
    ),
    Metric(
        "WCP crops",
        "weighted cluster purity in which a track counts as often as it has crops",
        lambda c: weighted_purity(c.truth, c.labels, c.crop_counts),
    ),
    Metric("pairs P", "pairwise precision", lambda c: c.pairwise.precision),
    Metric("pairs R", "pairwise recall", lambda c: c.pairwise.recall),
    Metric("pairs F", "pairwise F", lambda c: c.pairwise.f),
    Metric("ARI", "adjusted Rand index", lambda c: adjusted_rand_index(c.truth, c.labels)),
    Metric(
        "NMI",
        "normalised mutual information, the V-measure",
        lambda c: normalised_mutual_information(c.truth, c.labels),
    ),
    Metric("homogeneity", "homogeneity", lambda c: c.v_measure.homogeneity),
    Metric("completeness", "completeness", lambda c: c.v_measure.completeness),
    Metric(
        "accuracy",
        "share of tracks right under the best one-to-one matching of clusters and people",
        lambda c: hungarian_accuracy(c.truth, c.labels),
    ),
    Metric(
        "clicks",
        "corrections that lead to the truth: tracks moved and clusters merged",
        lambda c: c.clicks.total,
    ),
    Metric("moves", "of them, tracks moved", lambda c: c.clicks.moves),
    Metric("merges", "of them, clusters merged", lambda c: c.clicks.merges),
    Metric(
        "placed",
        "share of labelled tracks that were given to a cluster, not left as unknown",
        lambda c: float((c.labels >= 0).mean()) if len(c.labels) else 0.0,
    ),
    Metric(
        "WCP placed",
        "weighted cluster purity over placed tracks alone",
        lambda c: weighted_cluster_purity(c.truth, c.labels, "exclude"),
    ),
    Metric(
        "PCR placed",
        "clusters of placed tracks / people",
        lambda c: predicted_cluster_ratio(c.truth, c.labels, "exclude"),
    ),
    Metric(
        "B3F placed",
        "B-cubed F over placed tracks alone",
        lambda c: bcubed(c.truth, c.labels, "exclude").f,
    ),
    Metric(
        "clusters",
        "clusters that hold a labelled track; unknown tracks not counted",
        lambda c: len(np.unique(c.labels[c.labels >= 0])),
    ),
    Metric("people", "people with a labelled track", lambda c: len(np.unique(c.truth))),
    Metric("tracks", "labelled tracks", lambda c: len(c.truth)),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _METRICS}
"""Every metric by name, in the order of tables.

All but those named "placed" take each unknown track as a cluster of its own.
"""


def compute_metrics(
    truth: Int64Array, labels: Int64Array, frame_counts: Int64Array, crop_counts: Int64Array
) -> dict[str, float]:
    """Compute every metric over the tracks whose person is known.

    Args:
        truth: (T,) person of each track; negative = not known.
        labels: (T,) predicted cluster of each track; -1 = unknown.
        frame_counts: (T,) frames that each track is visible in.
        crop_counts: (T,) crops of each track.

    Returns:
        Value of each metric by its name, in the order of `METRICS`.
    """
    known = truth >= 0
    clustering = LabelledClustering(
        truth[known], labels[known], frame_counts[known], crop_counts[known]
    )
    return {name: float(metric.function(clustering)) for name, metric in METRICS.items()}
