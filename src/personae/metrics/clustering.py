"""Metrics of face clustering: how well predicted clusters agree with true classes.

Every function takes the true classes, an (n,) array of integers or strings, and the predicted
clusters, an (n,) array of integers in which -1 means unknown. `unknown` says how such items count:

- "singleton": each is a cluster of its own, so that every item counts;
- "exclude": the metric is that of the other items alone; read it beside their share.

Items whose true class is -1 have no known class and never count. Values lie in 0..1 unless stated
otherwise, and are 0 if no item counts. Every function raises ValueError if the arrays differ in
length or `unknown` is neither of the two.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from personae.core.arrays import BoolArray, Int64Array

Unknown = Literal["singleton", "exclude"]
"""How items of cluster -1 count."""


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
    """Corrections that an operator makes until a clustering is right."""

    moves: int
    merges: int

    @property
    def total(self) -> int:
        """Moves and merges together."""
        return self.moves + self.merges


def contingency(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> Int64Array:
    """Count the items of each cluster and class.

    Args:
        truth: (n,) true classes.
        predicted: (n,) predicted clusters.
        unknown: How items of cluster -1 count.

    Returns:
        (clusters, classes) int64, no row or column empty.

    Raises:
        ValueError: The arrays differ in length or `unknown` is not a rule.
    """
    classes, clusters = np.asarray(truth), np.asarray(predicted)
    if classes.shape != clusters.shape or classes.ndim != 1:
        raise ValueError(
            f"{classes.shape} true classes do not fit {clusters.shape} predicted clusters."
        )
    if unknown not in ("singleton", "exclude"):
        raise ValueError(f"unknown must be 'singleton' or 'exclude', not {unknown!r}.")
    counted = _has_class(classes)
    if unknown == "exclude":
        counted &= clusters != -1
    classes, clusters = classes[counted], clusters[counted].astype(np.int64)
    if not len(classes):
        return np.zeros((0, 0), np.int64)
    singletons = clusters == -1
    clusters[singletons] = clusters.max() + 1 + np.arange(singletons.sum())
    _, columns = np.unique(classes, return_inverse=True)
    _, rows = np.unique(clusters, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1), np.int64)
    np.add.at(table, (rows, columns), 1)
    return table


def weighted_cluster_purity(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> float:
    """Compute WCP, the share of items that belong to the largest class of their cluster.

    (1/N) sum_c max_y |{t in c : y_t = y}|. Splitting raises it: read it together with
    `predicted_cluster_ratio`.
    """
    table = contingency(truth, predicted, unknown)
    return float(table.max(axis=1).sum() / table.sum()) if table.size else 0.0


def predicted_cluster_ratio(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> float:
    """Compute PCR, predicted clusters / true classes.

    In 0..n; 1 is best, more means splitting. All classes count, those of excluded items too.
    """
    table = contingency(truth, predicted, unknown)
    n_classes = contingency(truth, predicted).shape[1]
    return table.shape[0] / n_classes if n_classes else 0.0


def bcubed(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> PrecisionRecall:
    """Compute B-cubed precision, recall and F, means over items.

    An item's precision is the share of its cluster that is of its class, its recall the share of
    its class that is in its cluster.

    Source:
        Bagga, Baldwin, COLING-ACL 1998.
    """
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return PrecisionRecall(0.0, 0.0, 0.0)
    precision = (table**2 / table.sum(axis=1, keepdims=True)).sum() / table.sum()
    recall = (table**2 / table.sum(axis=0, keepdims=True)).sum() / table.sum()
    return _with_f(float(precision), float(recall))


def pairwise(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> PrecisionRecall:
    """Compute precision, recall and F over pairs of items.

    A pair is predicted if it shares a cluster, true if it shares a class. Precision is 1 if no pair
    is predicted, recall 1 if there is no true pair.
    """
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return PrecisionRecall(0.0, 0.0, 0.0)
    true_positives, predicted_pairs, true_pairs = _pair_counts(table)
    precision = true_positives / predicted_pairs if predicted_pairs else 1.0
    recall = true_positives / true_pairs if true_pairs else 1.0
    return _with_f(precision, recall)


def adjusted_rand_index(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> float:
    """Compute ARI, agreement over pairs above chance, in -0.5..1; 0 is chance.

    Source:
        Hubert, Arabie, Journal of Classification 1985.
    """
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return 0.0
    true_positives, predicted_pairs, true_pairs = _pair_counts(table)
    expected = predicted_pairs * true_pairs / max(1.0, _count_pairs(table.sum()))
    mean = (predicted_pairs + true_pairs) / 2
    return (true_positives - expected) / (mean - expected) if mean != expected else 1.0


def v_measure(truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton") -> VMeasure:
    """Compute homogeneity, completeness and V with beta = 1.

    Source:
        Rosenberg, Hirschberg, EMNLP-CoNLL 2007.
    """
    table = contingency(truth, predicted, unknown)
    if not table.size:
        return VMeasure(0.0, 0.0, 0.0)
    mutual = _mutual_information(table)
    class_entropy, cluster_entropy = _entropy(table.sum(axis=0)), _entropy(table.sum(axis=1))
    homogeneity = mutual / class_entropy if class_entropy else 1.0
    completeness = mutual / cluster_entropy if cluster_entropy else 1.0
    return VMeasure(*_with_f(homogeneity, completeness))


def normalised_mutual_information(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> float:
    """Compute NMI over the arithmetic mean of both entropies, which is the V of `v_measure`."""
    return v_measure(truth, predicted, unknown).v


def hungarian_accuracy(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> float:
    """Compute the share of items right under the best one-to-one map of clusters to classes."""
    from scipy.optimize import linear_sum_assignment

    table = contingency(truth, predicted, unknown)
    if not table.size:
        return 0.0
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / table.sum())


def operator_clicks(
    truth: ArrayLike, predicted: ArrayLike, unknown: Unknown = "singleton"
) -> OperatorClicks:
    """Count the fewest clicks that correct the clustering.

    A click either moves one item into another cluster, existing or new, or merges two clusters. The
    cheapest way: every item outside its cluster's largest class is moved, and the clusters that
    then hold one class are merged. Keeping a smaller class instead would cost a move at least and
    save one merge at most. If largest classes are tied, those are kept that leave the most classes
    with a cluster.
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


def _has_class(classes: NDArray[np.generic]) -> BoolArray:
    if np.issubdtype(classes.dtype, np.number):
        return np.asarray(classes != -1)
    return np.ones(len(classes), np.bool_)


def _with_f(a: float, b: float) -> PrecisionRecall:
    return PrecisionRecall(a, b, 2 * a * b / (a + b) if a + b else 0.0)


def _pair_counts(table: Int64Array) -> tuple[float, float, float]:
    """Return the pairs that share cluster and class, a cluster, and a class."""
    return (
        _count_pairs(table),
        _count_pairs(table.sum(axis=1)),
        _count_pairs(table.sum(axis=0)),
    )


def _count_pairs(counts: Int64Array | np.int64) -> float:
    return float((counts * (counts - 1) // 2).sum())


def _entropy(counts: Int64Array) -> float:
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


def _mutual_information(table: Int64Array) -> float:
    rows, columns = np.nonzero(table)
    joint = table[rows, columns] / table.sum()
    independent = table.sum(axis=1)[rows] * table.sum(axis=0)[columns] / table.sum() ** 2
    return max(0.0, float((joint * np.log(joint / independent)).sum()))
