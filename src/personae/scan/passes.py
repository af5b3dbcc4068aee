"""How large a picture each frame is searched in: in full at both ends of a stretch, in between just enough.

A full search of a wide shot and one of a close-up cost the same, though the close-up's face could be found
in a stamp. What is there at both ends of a stretch of frames says how small the pictures in between may be;
where the ends differ, the middle is searched in full too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from personae.scan.detect import Faces, overlaps

SHARES = (1 / 3, 1 / 2, 2 / 3)
"""Sizes in between, as shares of the full one; few, since the detector prepares for each anew."""
LEAST_WIDTH = 32.0
"""Width in searched pixels from which a face is found as well as in the full picture: there, of the faces of
three films, more than 99 in 100 were found again, and their landmarks as near as two full searches agree."""
LONGEST_S = 1.0
"""Most seconds between two full searches."""
CLOSEST_S = 0.3
"""Full searches so close are not told apart further, even if a face has come or gone between them."""
SAME_PLACE = 0.3
"""Least IoU of a face with itself a moment later."""

Search = Callable[[int, float], Faces]
"""Finds the faces of a frame, by its number, in a picture of a share of the full size; in film pixels."""


def fill(
    found: dict[int, Faces],
    first: int,
    last: int,
    search: Search,
    matter: Callable[[Faces], Faces],
    full_width: float,
    closest: int,
) -> None:
    """Search the frames between `first` and `last`, whose faces are in `found`, and put theirs there.

    `matter` chooses the faces that must not be missed, `full_width` is a film pixel's width in the full
    picture, and frames within `closest` of each other are not divided further.
    """
    if last - first < 2:
        return
    before, after = matter(found[first]), matter(found[last])
    stays = same_places(before, after)
    if last - first > closest and not len(stays) == len(before) == len(after):
        middle = (first + last) // 2
        found[middle] = search(middle, 1.0)
        fill(found, first, middle, search, matter, full_width, closest)
        fill(found, middle, last, search, matter, full_width, closest)
        return
    share = enough([before, after], full_width)
    for i in range(first + 1, last):
        found[i] = search(i, share)
        if share < 1 and not _all_there(found[i], before, after, stays, (i - first) / (last - first)):
            found[i] = search(i, 1.0)


def enough(ends: list[Faces], full_width: float) -> float:
    """Give the least of `SHARES` (or 1) in which every face is `LEAST_WIDTH` wide."""
    narrowest = min((float(w) * full_width for faces in ends for w in faces.boxes[:, 2]), default=np.inf)
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


def _all_there(faces: Faces, before: Faces, after: Faces, stays: list[tuple[int, int]], time: float) -> bool:
    """Say whether `faces` show everybody who stays, at `time` (0..1) between the ends."""
    if not stays:
        return True
    if not len(faces):
        return False
    i, j = (list(k) for k in zip(*stays, strict=True))
    boxes = (1 - time) * before.boxes[i] + time * after.boxes[j]
    return bool((overlaps(boxes, faces.boxes)[0].max(axis=1) >= SAME_PLACE).all())
