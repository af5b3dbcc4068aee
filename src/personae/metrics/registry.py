"""The figures of one clustering of labelled tracks, by the names that tables show."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Int64Array
from personae.metrics import clustering as metrics

FIGURES = {
    "WCP": "weighted cluster purity over tracks",
    "PCR": "predicted clusters / people; 1 is best",
    "B3P": "B-cubed precision over tracks",
    "B3R": "B-cubed recall over tracks",
    "B3F": "B-cubed F over tracks",
    "WCP frames": "weighted cluster purity in which a track counts as often as it has frames",
    "WCP crops": "weighted cluster purity in which a track counts as often as it has crops",
    "pairs P": "pairwise precision",
    "pairs R": "pairwise recall",
    "pairs F": "pairwise F",
    "ARI": "adjusted Rand index",
    "NMI": "normalised mutual information, the V-measure",
    "homogeneity": "homogeneity",
    "completeness": "completeness",
    "accuracy": "share of tracks right under the best one-to-one matching of clusters and people",
    "clicks": "corrections that lead to the truth: tracks moved and clusters merged",
    "moves": "of them, tracks moved",
    "merges": "of them, clusters merged",
    "placed": "share of labelled tracks that were given to a cluster, not left as unknown",
    "WCP placed": "weighted cluster purity over placed tracks alone",
    "PCR placed": "clusters of placed tracks / people",
    "B3F placed": "B-cubed F over placed tracks alone",
    "clusters": "clusters that hold a labelled track; unknown tracks not counted",
    "people": "people with a labelled track",
    "tracks": "labelled tracks",
}
"""Every figure and what it is. All but the `placed` ones take each unknown track as a cluster of its own."""


def figures(
    truth: Int64Array,
    labels: Int64Array,
    frames: Int64Array,
    crops: Int64Array,
) -> dict[str, float]:
    """Compute every figure over the tracks whose person is known; all arguments are (T,)."""
    known = truth >= 0
    truth, labels = truth[known], labels[known]
    both = truth, labels
    people = len(np.unique(truth))
    pairs, spread = metrics.pairwise(*both), metrics.v_measure(*both)
    bcubed, clicks = metrics.bcubed(*both), metrics.operator_clicks(*both)
    placed = labels >= 0
    values = (
        metrics.weighted_cluster_purity(*both),
        metrics.predicted_cluster_ratio(*both),
        *bcubed,
        weighted_purity(*both, frames[known]),
        weighted_purity(*both, crops[known]),
        *pairs,
        metrics.adjusted_rand_index(*both),
        metrics.normalised_mutual_information(*both),
        spread.homogeneity,
        spread.completeness,
        metrics.hungarian_accuracy(*both),
        clicks.total,
        clicks.moves,
        clicks.merges,
        float(placed.mean()) if len(placed) else 0.0,
        metrics.weighted_cluster_purity(*both, unknown="drop"),
        metrics.predicted_cluster_ratio(*both, unknown="drop"),
        metrics.bcubed(*both, unknown="drop").f,
        len(np.unique(labels[placed])),
        people,
        len(truth),
    )
    return {name: float(value) for name, value in zip(FIGURES, values, strict=True)}


def weighted_purity(truth: Int64Array, labels: Int64Array, weight: Int64Array) -> float:
    """WCP in which a track counts `weight` times; as if each of its frames were an item of its cluster."""
    return metrics.weighted_cluster_purity(np.repeat(truth, weight), np.repeat(labels, weight))
