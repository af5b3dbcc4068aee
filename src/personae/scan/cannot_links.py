"""Pairs of tracks that cannot be one person: both detected in the same frame, clearly apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from personae.scan.detection import Detection

FEWEST_FRAMES = 2
"""One frame alone may show a head and its blur; two detections apart are taken for two people."""
BESIDE = 0.7
"""Distance, as a share of the larger box, at which boxes lie beside rather than on each other."""
LASTING_S = 1.0
"""Boxes beside each other for so long are two heads close together: a second box on one head comes and
goes."""


def distance(box: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Give how far the centres of two boxes (x, y, w, h) lie apart, in widths or heights of the larger.

    A detector may fire twice on one large or blurred head, on parts that hardly overlap. A head with its hair
    is at most about twice as wide and high as its face, so from a distance of 1 on two boxes are two heads;
    nearer ones prove nothing by themselves.
    """
    a, b = np.asarray(box, dtype=float), np.asarray(other, dtype=float)
    apart = np.abs((a[:2] + a[2:] / 2) - (b[:2] + b[2:] / 2))
    return float((apart / np.maximum(a[2:], b[2:])).max())


def cannot_link(tracks: Sequence[Sequence[Detection]]) -> list[tuple[int, int, int]]:
    """Give (a, b, frames) with a < b for every pair of one shot's tracks that must be two people.

    `frames` counts the detections of both in one frame that lie apart (`distance` above 1): at least
    `FEWEST_FRAMES` and more than half of all they share, since boxes that mostly coincide are one head
    followed twice. Where that fails, the same is asked of boxes that lie beside each other (above `BESIDE`)
    for at least `LASTING_S`.
    """
    at: dict[int, list[tuple[int, Detection]]] = defaultdict(list)
    for number, faces in enumerate(tracks):
        for face in faces:
            at[face.frame].append((number, face))
    together: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for seen in at.values():
        for (a, face), (b, other) in combinations(sorted(seen, key=lambda pair: pair[0]), 2):
            together[a, b].append((face.time_s, distance(face.box, other.box)))
    links = []
    for (a, b), shared in sorted(together.items()):
        for least, lasting in ((1.0, 0.0), (BESIDE, LASTING_S)):
            times = [time for time, far in shared if far > least]
            if (
                len(times) >= FEWEST_FRAMES
                and 2 * len(times) > len(shared)
                and max(times) - min(times) >= lasting
            ):
                links.append((a, b, len(times)))
                break
    return links
