"""Layout of scatter plots: every labelled track a point, placed by t-SNE of its base embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, Int64Array
from personae.core.grouping import track_means
from personae.core.labels import Labels
from personae.datasets.labelled import LabelledTracks
from personae.metrics import clustering as metrics

MAX_TRACKS = 3000
"""More tracks are subsampled evenly, because t-SNE would take minutes."""

MIN_TRACKS = 5

PERPLEXITY = 30.0
"""Of t-SNE; a third of the tracks where there are fewer than 90."""


@dataclass(frozen=True)
class Layout:
    """Positions of m labelled tracks of a data set."""

    tracks: Int64Array
    """(m,) track numbers."""
    points: Float64Array
    """(m, 2) x, y in 0..1."""


def compute_layout(data: LabelledTracks) -> Layout | None:
    """Place the labelled tracks by t-SNE, with the same result at every call.

    Returns:
        The layout, or None for fewer than `MIN_TRACKS` labelled tracks.

    Source: van der Maaten and Hinton, JMLR 2008.
    """
    from sklearn.manifold import TSNE

    labelled = np.flatnonzero(data.truth >= 0)
    if len(labelled) > MAX_TRACKS:
        labelled = labelled[np.linspace(0, len(labelled) - 1, MAX_TRACKS).astype(np.int64)]
    if len(labelled) < MIN_TRACKS:
        return None
    means = track_means(data.tracks)[labelled]
    perplexity = min(PERPLEXITY, (len(labelled) - 1) / 3)
    points = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(means)
    low, high = points.min(axis=0), points.max(axis=0)
    return Layout(labelled, (points - low) / np.where(high > low, high - low, 1.0))


def match_clusters_to_people(truth: Int64Array, labels: Labels) -> Labels:
    """Renumber clusters so that the best match of person p is p.

    The match is the one-to-one assignment with the most tracks in common. Unmatched clusters get
    the numbers after the last person; unknown stays -1.

    Args:
        truth: (m,) people; all are known.
        labels: (m,) clusters.

    Returns:
        (m,) renumbered clusters.
    """
    from scipy.optimize import linear_sum_assignment

    known = labels >= 0
    renumbered = np.full(len(labels), -1, dtype=np.int64)
    if not known.any():
        return renumbered
    table = metrics.contingency(truth[known], labels[known])
    clusters, people = np.unique(labels[known]), np.unique(truth[known])
    rows, columns = linear_sum_assignment(table, maximize=True)
    number = {
        int(clusters[row]): int(people[column])
        for row, column in zip(rows, columns, strict=True)
        if table[row, column]
    }
    next_number = int(truth.max()) + 1
    for cluster in clusters.tolist():
        if cluster not in number:
            number[cluster] = next_number
            next_number += 1
    renumbered[known] = [number[label] for label in labels[known].tolist()]
    return renumbered
