"""How well a clustering agrees with the truth: the figures that papers on face clustering report.

Every function takes the true classes, an (n,) array of integers or strings, and the predicted
clusters, an (n,) array of integers in which -1 means "left out as unknown". `unknown` says what
becomes of such items: with "own" each is a cluster of its own, so that every item counts; with "drop"
the figure is that of the other items alone, and should be read beside their share. Items whose true
class is -1 have no known class and never count. Figures lie in 0..1 unless stated otherwise, and are
0 where nothing is left to count. ValueError: arrays of different lengths.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from personae.core.arrays import BoolArray, Int64Array

Labels = npt.ArrayLike
Unknown = Literal["own", "drop"]


class PrecisionRecall(NamedTuple):
    """Precision, recall, and their harmonic mean."""

    precision: float
    recall: float
    f: float


class VMeasure(NamedTuple):
    """Homogeneity, completeness, and their harmonic mean."""

    homogeneity: float
    completeness: float
    v: float


class OperatorClicks(NamedTuple):
    """What a person has to do until a clustering is right."""

    moves: int
    merges: int

    @property
    def total(self) -> int:
        """Moves and merges together."""
        return self.moves + self.merges


def contingency(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> Int64Array:
    """Count the items in each (cluster, class): (clusters, classes), no row or column empty."""
    classes, clusters = np.asarray(truth), np.asarray(predicted)
    if classes.shape != clusters.shape or classes.ndim != 1:
        raise ValueError(
            f"{classes.shape} true classes do not fit {clusters.shape} predicted clusters."
        )
    if unknown not in ("own", "drop"):
        raise ValueError(f"unknown must be 'own' or 'drop', not {unknown!r}.")
    counted = _known(classes)
    if unknown == "drop":
        counted &= clusters != -1
    classes, clusters = classes[counted], clusters[counted].astype(np.int64)
    if not len(classes):
        return np.zeros((0, 0), np.int64)
    alone = clusters == -1
    clusters[alone] = clusters.max() + 1 + np.arange(alone.sum())
    _, columns = np.unique(classes, return_inverse=True)
    _, rows = np.unique(clusters, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1), np.int64)
    np.add.at(table, (rows, columns), 1)
    return table


def _known(classes: npt.NDArray[Any]) -> BoolArray:
    if np.issubdtype(classes.dtype, np.number):
        return np.asarray(classes != -1)
    return np.ones(len(classes), bool)


def weighted_cluster_purity(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> float:
    """WCP: the share of items that belong to the largest class of their cluster.

    (1/N) sum_c max_y |{t in c : y_t = y}|. Splitting raises it: read it together with
    `predicted_cluster_ratio`.
    """
    table = contingency(truth, predicted, unknown)
    return float(table.max(axis=1).sum() / table.sum()) if table.size else 0.0


def predicted_cluster_ratio(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> float:
    """PCR: predicted clusters / true classes, in 0..n; 1 is best, more means splitting.

    All classes count, those of dropped items included.
    """
    table = contingency(truth, predicted, unknown)
    classes = contingency(truth, predicted).shape[1]
    return table.shape[0] / classes if classes else 0.0


def bcubed(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> PrecisionRecall:
    """B-cubed (Bagga and Baldwin 1998): means over items.

    An item's precision is the share of its cluster that is of its class, its recall the share of its
    class that is in its cluster.
    """
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return PrecisionRecall(0.0, 0.0, 0.0)
    precision = (table**2 / table.sum(axis=1, keepdims=True)).sum() / table.sum()
    recall = (table**2 / table.sum(axis=0, keepdims=True)).sum() / table.sum()
    return _harmonic(float(precision), float(recall))


def pairwise(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> PrecisionRecall:
    """Precision and recall over pairs of items: a pair is predicted if in one cluster, true if of one class.

    Precision is 1 where no pair is predicted, recall 1 where there is no true pair.
    """
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return PrecisionRecall(0.0, 0.0, 0.0)
    both, predicted_pairs, true_pairs = (
        _pairs(n) for n in (table, table.sum(axis=1), table.sum(axis=0))
    )
    precision = both / predicted_pairs if predicted_pairs else 1.0
    recall = both / true_pairs if true_pairs else 1.0
    return _harmonic(precision, recall)


def adjusted_rand_index(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> float:
    """ARI (Hubert and Arabie 1985): agreement over pairs above chance, in -0.5..1; 0 is chance."""
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return 0.0
    both, predicted_pairs, true_pairs = (
        _pairs(n) for n in (table, table.sum(axis=1), table.sum(axis=0))
    )
    expected = predicted_pairs * true_pairs / max(1.0, _pairs(table.sum()))
    mean = (predicted_pairs + true_pairs) / 2
    return (both - expected) / (mean - expected) if mean != expected else 1.0


def v_measure(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> VMeasure:
    """Homogeneity, completeness and V (Rosenberg and Hirschberg 2007, beta = 1)."""
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return VMeasure(0.0, 0.0, 0.0)
    shared = _mutual_information(table)
    in_classes, in_clusters = _entropy(table.sum(axis=0)), _entropy(table.sum(axis=1))
    homogeneity = shared / in_classes if in_classes else 1.0
    completeness = shared / in_clusters if in_clusters else 1.0
    return VMeasure(*_harmonic(homogeneity, completeness))


def normalised_mutual_information(
    truth: Labels, predicted: Labels, unknown: Unknown = "own"
) -> float:
    """NMI: mutual information over the arithmetic mean of both entropies, which is the V of `v_measure`."""
    return v_measure(truth, predicted, unknown).v


def hungarian_accuracy(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> float:
    """Share of items that are right under the best one-to-one matching of clusters and classes."""
    from scipy.optimize import linear_sum_assignment

    table = contingency(truth, predicted, unknown)
    if not table.size:
        return 0.0
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / table.sum())


def operator_clicks(truth: Labels, predicted: Labels, unknown: Unknown = "own") -> OperatorClicks:
    """Count the corrections that lead from the clustering to the truth in the fewest clicks.

    A click either moves one item into another cluster, existing or new, or merges two whole clusters.
    The cheapest way: every item outside its cluster's largest class is moved, and the clusters that
    then hold one class are merged. Keeping a smaller class instead would cost a move at least and save
    one merge at most. Where largest classes are tied, those are kept that leave the most classes apart.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    table = contingency(truth, predicted, unknown)
    if not table.size:
        return OperatorClicks(0, 0)
    largest = table.max(axis=1)
    kept = maximum_bipartite_matching(csr_matrix(table == largest[:, None]), perm_type="column")
    return OperatorClicks(
        moves=int((table.sum(axis=1) - largest).sum()), merges=int((kept < 0).sum())
    )


def _harmonic(a: float, b: float) -> PrecisionRecall:
    return PrecisionRecall(a, b, 2 * a * b / (a + b) if a + b else 0.0)


def _pairs(counts: Int64Array | np.int64) -> float:
    return float((counts * (counts - 1) // 2).sum())


def _entropy(counts: Int64Array) -> float:
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


def _mutual_information(table: Int64Array) -> float:
    rows, columns = np.nonzero(table)
    joint = table[rows, columns] / table.sum()
    apart = table.sum(axis=1)[rows] * table.sum(axis=0)[columns] / table.sum() ** 2
    return max(0.0, float((joint * np.log(joint / apart)).sum()))
