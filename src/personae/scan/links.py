"""Pairs of tracks that cannot be one person: both detected in the same frame, clearly apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from personae.scan.sample import SeenFace

FEWEST_FRAMES = 2
"""One frame alone may show a head and its blur or reflection; two detections apart are taken for two people."""


def clearly_apart(box: npt.ArrayLike, other: npt.ArrayLike) -> bool:
    """Say whether two boxes (x, y, w, h) of one frame are two heads rather than two boxes on one head.

    A detector may fire twice on one large or blurred head, on parts that hardly overlap. A head with its hair is at
    most about twice as wide and high as its face box, so boxes whose centres lie less than one larger box (half of a head each
    side) from each other, in both directions, prove nothing.
    """
    a, b = np.asarray(box, dtype=float), np.asarray(other, dtype=float)
    distance = np.abs((a[:2] + a[2:] / 2) - (b[:2] + b[2:] / 2))
    return bool((distance > np.maximum(a[2:], b[2:])).any())


def cannot_link(tracks: Sequence[Sequence[SeenFace]]) -> list[tuple[int, int, int]]:
    """Give (a, b, frames) with a < b for every pair of one shot's tracks that must be two people.

    `frames` counts the frames in which both were detected clearly apart: at least `FEWEST_FRAMES`, and more than half of
    the frames that show both, since boxes that mostly coincide are one head followed twice.
    """
    at: dict[int, list[tuple[int, SeenFace]]] = defaultdict(list)
    for number, faces in enumerate(tracks):
        for face in faces:
            at[face.frame].append((number, face))
    together: dict[tuple[int, int], int] = defaultdict(int)
    apart: dict[tuple[int, int], int] = defaultdict(int)
    for seen in at.values():
        for (a, face), (b, other) in combinations(seen, 2):
            together[a, b] += 1
            apart[a, b] += clearly_apart(face.box, other.box)
    return [
        (a, b, apart[a, b])
        for a, b in sorted(together)
        if apart[a, b] >= FEWEST_FRAMES and 2 * apart[a, b] > together[a, b]
    ]
