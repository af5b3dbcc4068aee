"""Ground truth beside prediction: every track a point, laid out by t-SNE of its base embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, Int64Array
from personae.core.grouping import track_means
from personae.core.labels import Labels
from personae.datasets.labelled import LabelledTracks
from personae.metrics import clustering as metrics

MOST_TRACKS = 3000
"""Beyond, the layout takes minutes; evenly chosen tracks are drawn."""

FEWEST_TRACKS = 5


@dataclass(frozen=True)
class Layout:
    """Where the labelled tracks of a data set are drawn."""

    rows: Int64Array
    """(m,) the tracks that are drawn."""
    places: Float64Array
    """(m, 2) in 0..1."""


def layout(data: LabelledTracks) -> Layout | None:
    """Lay the labelled tracks out by t-SNE (van der Maaten and Hinton 2008), the same at every call.

    None for too few tracks. Perplexity 30, or a third of the tracks where there are fewer than 90.
    """
    from sklearn.manifold import TSNE

    rows = np.flatnonzero(data.truth >= 0)
    if len(rows) > MOST_TRACKS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_TRACKS).astype(np.int64)]
    if len(rows) < FEWEST_TRACKS:
        return None
    means = track_means(data.tracks)[rows]
    perplexity = min(30.0, (len(rows) - 1) / 3)
    places = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(means)
    low, high = places.min(axis=0), places.max(axis=0)
    return Layout(rows, (places - low) / np.where(high > low, high - low, 1.0))


def matched(truth: Int64Array, labels: Labels) -> Labels:
    """Number clusters so that the one that best fits person p is p; the others follow, unknown stays -1.

    The fit is the one-to-one matching with the most tracks in common; both arguments are (m,), and every
    truth is known.
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
    following = int(truth.max()) + 1
    for cluster in clusters.tolist():
        if cluster not in number:
            number[cluster] = following
            following += 1
    renumbered[known] = [number[label] for label in labels[known].tolist()]
    return renumbered
