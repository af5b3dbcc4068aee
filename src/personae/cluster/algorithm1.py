"""Algorithm 1 of VideoClusterNet: agglomeration in which every cluster has its own threshold."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import connected_components

from personae.cluster.track_metrics import PairwiseMetric
from personae.core.arrays import FloatArray, Int64Array, IntArray
from personae.core.grouping import sum_by
from personae.cues.loss_metric import GroupSums, mean_dissimilarity


def algorithm1(
    embeddings: FloatArray,
    track_of: IntArray,
    metric: PairwiseMetric,
    max_rounds: int | None = None,
) -> Int64Array:
    """Cluster tracks by the paper's Algorithm 1.

    A cluster's threshold is the mean S over all pairs of its crops. Two clusters match if their
    mean S is below either threshold; a cluster of one track is represented by its crops, a larger
    one by its tracks' mean embeddings. All matches of a round merge at once, chains included. A
    track of one crop has no pair, so no threshold of its own (not stated in the paper): it
    merges through the other side. Means are exact, from sums, in O(n d) and O(C^2 d) per round.

    Args:
        embeddings: (n, d) embeddings of the crops.
        track_of: (n,) track 0..T-1 of each crop; every track has crops.
        metric: The dissimilarity S.
        max_rounds: Rounds after which to stop; None: when nothing changes.

    Returns:
        (T,) labels 0.., in no particular order.

    Source:
        Walawalkar and Garrido, "VideoClusterNet", ECCV 2024, Sec. 3.7, and the rules of its
        slides.
    """
    n_tracks = int(track_of.max()) + 1 if len(track_of) else 0
    if not n_tracks:
        return np.empty(0, dtype=np.int64)
    p, q = metric.factors(embeddings)
    crops = GroupSums.from_factors(p, q, track_of, n_tracks)
    mean_embedding = (
        sum_by(np.asarray(embeddings, dtype=np.float64), track_of, n_tracks) / crops.count[:, None]
    )
    track_p, track_q = metric.factors(mean_embedding)
    label = np.arange(n_tracks)
    for _ in range(n_tracks if max_rounds is None else max_rounds):
        n = int(label.max()) + 1
        sums = crops.merged(label, n)
        size = np.bincount(label, minlength=n)[:, None]
        single = size == 1
        mean_p = np.where(single, sums.p / sums.count[:, None], sum_by(track_p, label, n) / size)
        mean_q = np.where(single, sums.q / sums.count[:, None], sum_by(track_q, label, n) / size)
        dissimilarity = mean_dissimilarity(mean_p, mean_q)
        threshold = sums.mean_within()
        valid = dissimilarity < np.maximum(threshold[:, None], threshold[None, :])
        np.fill_diagonal(valid, False)
        count, merged = connected_components(valid, directed=False)
        if count == n:
            break
        label = merged[label].astype(np.int64)
    return label
