"""How each frame is looked at: searched in full at both ends of a stretch, in between only as far as needed.

A full search of a wide shot and one of a close-up cost the same, though the close-up's face could be found
in a stamp. Where both ends of a stretch show the same faces, these are looked for where they should be. Where
they differ, the middle is searched in full too; what is left is searched in a picture just large enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float32Array
from personae.scan.retinaface import Faces, overlaps

SHARES = (1 / 3, 1 / 2, 2 / 3)
"""Sizes in between, as shares of the full one; few, since the detector prepares for each anew."""
LEAST_WIDTH = 32.0
"""Width in searched pixels from which a face is found in a smaller picture too: of sure faces of 32 to 96
pixels, 98 in 100 and more were found again on each of four films. No labels were looked at."""
LONGEST_S = 1.0
"""Most seconds between two full searches."""
CLOSEST_S = 0.3
"""Full searches so close are not told apart further, even if a face has come or gone between them."""
SAME_PLACE = 0.3
"""Least IoU of a face with itself a moment later, and with the place where it should be."""

Search = Callable[[int, float], Faces]
"""Finds the faces of a frame, by its number, in a picture of a share of the full size; in film pixels."""
Follow = Callable[[int, Float32Array], Faces | None]
"""Finds the faces of a frame at (n, 4) places of the film; None if any is not there."""


@dataclass(frozen=True)
class Passes:
    """How the frames between two full searches are looked at."""

    search: Search
    follow: Follow
    matter: Callable[[Faces], Faces]
    """Chooses the faces that must not be missed."""
    full_width: float
    """Width of a film pixel in the full picture."""
    closest: int
    """Frames of which no more are between two full searches need no further one."""

    def fill(self, found: dict[int, Faces], first: int, last: int) -> None:
        """Search the frames between `first` and `last`, whose faces are in `found`, and put theirs there."""
        if last - first < 2:
            return
        before, after = self.matter(found[first]), self.matter(found[last])
        stays = same_places(before, after)
        settled = len(stays) == len(before) == len(after)
        if not settled and last - first > self.closest:
            middle = (first + last) // 2
            found[middle] = self.search(middle, 1.0)
            self.fill(found, first, middle)
            self.fill(found, middle, last)
            return
        share = enough([before, after], self.full_width)
        for i in range(first + 1, last):
            places = between(before, after, stays, (i - first) / (last - first))
            faces = self.follow(i, places) if settled and stays else self.search(i, share)
            if faces is None or (share < 1 and not covers(faces, places)):
                faces = self.search(i, 1.0)
            found[i] = faces


def enough(ends: list[Faces], full_width: float) -> float:
    """Give the least of `SHARES` (or 1) in which every face is `LEAST_WIDTH` wide."""
    narrowest = min(
        (float(w) * full_width for faces in ends for w in faces.boxes[:, 2]), default=np.inf
    )
    return next((share for share in SHARES if share * narrowest >= LEAST_WIDTH), 1.0)


def same_places(before: Faces, after: Faces) -> list[tuple[int, int]]:
    """Pair the faces of two frames that lie on each other, the best pairs first."""
    pairs: list[tuple[int, int]] = []
    if not len(before) or not len(after):
        return pairs
    overlap = overlaps(before.boxes, after.boxes)[0]
    while len(pairs) < min(overlap.shape):
        i, j = (int(k) for k in np.unravel_index(int(overlap.argmax()), overlap.shape))
        if overlap[i, j] < SAME_PLACE:
            break
        pairs.append((i, j))
        overlap[i], overlap[:, j] = -1, -1
    return pairs


def between(before: Faces, after: Faces, stays: list[tuple[int, int]], time: float) -> Float32Array:
    """Give the (n, 4) boxes of those who stay at `time` (0..1) between the ends, as if they moved evenly."""
    i, j = ([pair[k] for pair in stays] for k in (0, 1))
    return np.asarray((1 - time) * before.boxes[i] + time * after.boxes[j], dtype=np.float32)


def covers(faces: Faces, places: Float32Array) -> bool:
    """Say whether there is a face at every place."""
    if not len(places) or not len(faces):
        return not len(places)
    return bool((overlaps(places, faces.boxes)[0].max(axis=1) >= SAME_PLACE).all())
