"""Which decisions a person should look at first: those nearest to even odds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from personae.cluster.labels import Labels, Vectors
from personae.cluster.result import Check

AT_MOST = 24
"""Decisions listed."""
PLAIN = 4.0
"""Log-odds beyond which a decision is not worth a look: probabilities under 0.02 and over 0.98."""


def nearest_decisions(
    tree: Vectors,
    anchors: npt.NDArray[np.int64],
    labels: Labels,
    odds: npt.NDArray[np.float64],
    log_odds: npt.NDArray[np.float64],
) -> list[Check]:
    """List the merges made, the merges refused and the tracks left unknown whose odds are nearest to even.

    `tree` holds merges over the `anchors`; `odds` (T, K) a track's log-odds to each group, `log_odds` (T, T)
    the pairs'.
    """
    found: list[tuple[float, Check]] = []
    groups = [{int(anchor)} for anchor in anchors]
    refused: set[tuple[int, int]] = set()
    for a, b, evidence in tree:
        left, right = groups[int(a)], groups[int(b)]
        sides = _closest(left, right, log_odds)
        one = labels[sides[0]] == labels[sides[1]]
        pair = (int(min(labels[list(sides)])), int(max(labels[list(sides)])))
        if one or pair not in refused:
            probability = float(expit(evidence))
            text = "Joined as one person." if one else "Kept apart as two people."
            found.append((abs(evidence), Check("merge" if one else "split", sides, probability, text)))
            if not one:
                refused.add(pair)
        left |= right
        groups[int(a)] = groups[int(b)] = left
    for track in np.flatnonzero(labels < 0):
        if odds.shape[1] and np.isfinite(odds[track].max()):
            group = int(odds[track].argmax())
            members = {int(t) for t in np.flatnonzero(labels == group)}
            sides = _closest({int(track)}, members, log_odds)
            evidence = float(odds[track, group])
            text = "Left unknown; this is the nearest character."
            found.append((abs(evidence), Check("unknown", sides, float(expit(evidence)), text)))
    found.sort(key=lambda item: (item[0], item[1].tracks))
    return [check for distance, check in found[:AT_MOST] if distance < PLAIN]


def _closest(left: set[int], right: set[int], log_odds: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Pick the two tracks, one of each side, that look most alike."""
    a, b = sorted(left), sorted(right)
    block = log_odds[np.ix_(a, b)]
    row, column = np.unravel_index(int(block.argmax()), block.shape)
    return a[row], b[column]
