"""From pairwise log-odds to people: average linkage weighed against cannot-links, and the level at which to
stop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from personae.cluster.hac import cut_at_count
from personae.cluster.labels import Labels, Vectors

Matrix = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.integer]

CANNOT_LINK_ODDS = 5.0
"""Log-odds that one cannot-link takes from a merge. One pair in a hundred or so is wrong (a double
detection, a mirror, a poster), so a link is strong evidence, not law: only faces alike beyond doubt overrule
it."""

UNDECIDED = 2.2
"""Log-odds between which a merge is neither plain nor absurd: probabilities of 0.1 and 0.9."""


def merge_tree(log_odds: Matrix, cannot_link: Pairs) -> Vectors:
    """Join the two groups with the most evidence for being one person, until one is left.

    The evidence for a merge is the mean log-odds over the pairs between the groups, less `CANNOT_LINK_ODDS`
    for every cannot-link between them: links add up, or a single true one would drown in a large group. Rows
    are (item a, item b, evidence), by falling evidence. Nearest-neighbour chains (Murtagh 1983) build it in
    O(T^2): a union is never closer to a third group than the nearer of its parts, since means lie between
    and links only add.
    """
    n = len(log_odds)
    mean = log_odds.copy()
    np.fill_diagonal(mean, -np.inf)
    links: list[dict[int, int]] = [{} for _ in range(n)]
    for a, b in cannot_link:
        if a != b:
            links[a][b] = links[a].get(b, 0) + 1
            links[b][a] = links[b].get(a, 0) + 1
    size = np.ones(n)
    alive = np.ones(n, dtype=np.bool_)
    merges: list[tuple[float, float, float]] = []
    chain: list[int] = []
    for _ in range(n - 1):
        while True:
            if not chain:
                chain.append(int(np.argmax(alive)))
            tip = chain[-1]
            row = mean[tip]
            if links[tip]:
                row = row.copy()
                for other, count in links[tip].items():
                    row[other] -= CANNOT_LINK_ODDS * count
            nearest = int(np.argmax(row))
            if len(chain) > 1 and row[chain[-2]] >= row[nearest]:
                nearest = chain[-2]  # prefer the predecessor on ties, or the chain would run in circles
                break
            chain.append(nearest)
        del chain[-2:]
        a, b = min(tip, nearest), max(tip, nearest)
        merges.append((a, b, float(row[nearest])))
        joined = (size[a] * mean[a] + size[b] * mean[b]) / (size[a] + size[b])
        joined[a] = -np.inf
        mean[a], mean[:, a] = joined, joined
        mean[b], mean[:, b] = -np.inf, -np.inf
        size[a] += size[b]
        alive[b] = False
        _join_links(links, a, b)
    tree = np.array(merges, dtype=np.float64).reshape(-1, 3)
    return tree[np.argsort(-tree[:, 2], kind="stable")]


def _join_links(links: list[dict[int, int]], a: int, b: int) -> None:
    """Move group b's cannot-links to group a; links between the two are settled by their merge."""
    for other, count in links[b].items():
        del links[other][b]
        if other != a:
            links[a][other] = links[a].get(other, 0) + count
            links[other][a] = links[other].get(a, 0) + count
    links[b] = {}


def choose_level(tree: Vectors, scores: Matrix) -> Labels:
    """Cut the tree where its groups stand apart most clearly, among the levels that the odds leave open.

    Merges above `UNDECIDED` log-odds are always made, merges below its negative never; in between the level
    of the highest mean silhouette (Rousseeuw 1987) on distances 1 - score wins. Where even odds leave one
    group, it stays one: a single group has no silhouette to compare.
    """
    n = len(scores)
    plain, even, absurd = (int((tree[:, 2] >= odds).sum()) for odds in (UNDECIDED, 0.0, -UNDECIDED))
    best = even
    if n - even > 1:
        distances = np.clip(1.0 - scores, 0.0, None)
        np.fill_diagonal(distances, 0.0)
        quality = {k: silhouette(distances, cut_at_count(tree, n, n - k)) for k in range(plain, absurd + 1)}
        best = max(quality, key=lambda k: (quality[k], -abs(k - even)))
    return cut_at_count(tree, n, n - best)


def silhouette(distances: Matrix, labels: Labels) -> float:
    """Mean silhouette of (n,) labels on (n, n) distances; a group of one counts 0, one group alone -1."""
    n_groups = int(labels.max()) + 1
    if n_groups < 2:
        return -1.0
    member = np.eye(n_groups)[labels]
    size = member.sum(axis=0)
    to_groups = distances @ member
    rows = np.arange(len(labels))
    own = to_groups[rows, labels] / np.maximum(size[labels] - 1, 1)
    others = to_groups / size
    others[rows, labels] = np.inf
    nearest = others.min(axis=1)
    widest = np.maximum(nearest, own)
    value = np.where(
        (size[labels] > 1) & (widest > 0), (nearest - own) / np.where(widest > 0, widest, 1.0), 0.0
    )
    return float(value.mean())
