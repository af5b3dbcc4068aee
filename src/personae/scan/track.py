"""Faces into tracks, one shot at a time: BoT-SORT (paper section 3.2), then breaking at jumps and joining of pieces.

A track that mixes two people cannot be mended later, a broken one can: every rule here breaks in doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from personae.core.crops import CropArray
from personae.scan.sample import SeenFace

FloatArray = npt.NDArray[np.float32]

BUFFER = 0.3
"""Share of its size by which a box grows on each side before boxes are compared (C-BIoU, WACV 2023): between
sampled frames a face moves farther than plain IoU forgives."""
LOST_S = 1.0
"""Seconds for which the tracker looks for a lost face."""
MOST_GAP_S = 2.0
"""Seconds between two pieces that may still be one track."""
SAME_COLOUR = 0.95
SAME_SHAPE = 0.5
"""Least similarity of `look`s over a gap; see `looks_alike`."""
JUMP_COLOUR = 0.90
JUMP_SHAPE = 0.25
"""Similarity of `look`s between neighbouring detections below which a track has jumped to somebody else."""

SHAPE_SIDE = 20
COLOUR_BINS = (8, 16, 16)


def look(crop: CropArray) -> FloatArray:
    """Describe the face in an aligned RGB crop for comparison within one shot.

    Two unit vectors, one after the other: the zero-mean grey picture at `SHAPE_SIDE` pixels, and the square root of the
    Lab colour histogram. Neither knows a face from another in general; within a shot light and clothes stay.
    """
    grey = cv2.resize(
        cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (SHAPE_SIDE, SHAPE_SIDE), interpolation=cv2.INTER_AREA
    )
    shape = grey.astype(np.float32).ravel() - grey.mean(dtype=np.float32)
    shape /= max(float(np.linalg.norm(shape)), 1e-6)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    ranges = [0, 256, 64, 192, 64, 192]  # a and b of natural pictures stay near their middle
    histogram = cv2.calcHist([lab], [0, 1, 2], None, list(COLOUR_BINS), ranges)
    histogram = cv2.GaussianBlur(histogram.reshape(COLOUR_BINS[0], -1), (0, 0), 0.5).ravel()
    return np.concatenate([shape, np.sqrt(histogram / max(float(histogram.sum()), 1e-6))])


def likeness(a: SeenFace, b: SeenFace) -> tuple[float, float]:
    """Give the similarity in shape (-1..1) and in colour (0..1) of two faces of one shot."""
    if a.look is None or b.look is None:
        return 1.0, 1.0
    n = SHAPE_SIDE**2
    return float(a.look[:n] @ b.look[:n]), float(a.look[n:] @ b.look[n:])


class ShotTracker:
    """Follows the faces of one shot through its sampled frames; pieces come out of `finish`."""

    def __init__(self, detections_per_s: float, start_score: float, min_score: float) -> None:
        from trackers import BoTSORTTracker
        from trackers.utils.iou import BIoU

        self._tracker = BoTSORTTracker(
            lost_track_buffer=round(30 * LOST_S),
            frame_rate=detections_per_s,
            track_activation_threshold=start_score,
            minimum_consecutive_frames=1,
            minimum_iou_threshold_first_assoc=0.2,
            minimum_iou_threshold_second_assoc=0.3,
            high_conf_det_threshold=max(min_score, min(0.6, start_score)),
            enable_cmc=False,
            iou=BIoU(BUFFER),
        )
        self._piece_of: dict[int, int] = {}
        self.pieces: list[list[SeenFace]] = []

    def start(self) -> None:
        """Forget everything: a new shot begins."""
        self._tracker.reset()
        self._piece_of = {}
        self.pieces = []

    def see(self, time_s: float, faces: Sequence[SeenFace]) -> list[int]:
        """Take the faces of the next sampled frame; give each one's piece, or -1."""
        import supervision as sv

        n = len(faces)
        corners = np.array([(*f.box[:2], *(f.box[:2] + f.box[2:])) for f in faces], dtype=np.float32)
        found = self._tracker.update(
            sv.Detections(
                xyxy=corners.reshape(n, 4),
                confidence=np.array([f.score for f in faces], dtype=np.float32),
                data={"row": np.arange(n)},
            ),
            timestamp=time_s,
        )
        pieces = [-1] * n
        if n:
            for row, tracked in zip(found.data["row"], found.tracker_id, strict=True):
                if tracked >= 0:
                    pieces[int(row)] = self._place(int(tracked), faces[int(row)])
        return pieces

    def _place(self, tracked: int, face: SeenFace) -> int:
        """Append a face to its piece, or to a new one where the tracker has jumped."""
        piece = self._piece_of.get(tracked)
        if piece is None or jumps(self.pieces[piece], face):
            piece = self._piece_of[tracked] = len(self.pieces)
            self.pieces.append([])
        self.pieces[piece].append(face)
        return piece


def jumps(piece: Sequence[SeenFace], face: SeenFace) -> bool:
    """Say whether a piece would jump to somebody else by taking `face`: unlike all of its last three faces."""
    pairs = [likeness(before, face) for before in piece[-3:]]
    shape, colour = max(p[0] for p in pairs), max(p[1] for p in pairs)
    return colour < JUMP_COLOUR or shape < JUMP_SHAPE


def join(pieces: Sequence[Sequence[SeenFace]]) -> list[list[int]]:
    """Group a shot's pieces into tracks: lists of indices into `pieces`, each in order of time.

    A piece continues an earlier one if it begins after that has ended and within `MOST_GAP_S`, where the other stopped and at
    its size, and looks alike. Shorter gaps are joined first; each end is used once.
    """
    order = sorted(range(len(pieces)), key=lambda i: (pieces[i][0].frame, i))
    gaps = []
    for i in order:
        for j in order:
            if i != j and continues(pieces[i], pieces[j]):
                gaps.append((pieces[j][0].time_s - pieces[i][-1].time_s, i, j))
    after: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(gaps):
        if i not in after and j not in taken:
            after[i] = j
            taken.add(j)
    tracks = []
    for i in order:
        if i not in taken:
            track = [i]
            while track[-1] in after:
                track.append(after[track[-1]])
            tracks.append(track)
    return tracks


def continues(earlier: Sequence[SeenFace], later: Sequence[SeenFace]) -> bool:
    """Say whether `later` may be the same person seen again after `earlier`; see `join`."""
    a, b = earlier[-1], later[0]
    gap = b.time_s - a.time_s
    if b.frame <= a.frame or gap > MOST_GAP_S:
        return False
    size = float(np.sqrt(a.box[2] * a.box[3] * b.box[2] * b.box[3])) ** 0.5
    growth = float(a.box[2] * a.box[3] / (b.box[2] * b.box[3])) ** 0.5
    distance = float(np.hypot(*(a.box[:2] + a.box[2:] / 2 - b.box[:2] - b.box[2:] / 2)))
    if distance > size or not 1 / 1.5 < growth < 1.5:
        return False
    pairs = [likeness(x, y) for x in earlier[-3:] for y in later[:3]]
    return max(p[0] for p in pairs) >= SAME_SHAPE and max(p[1] for p in pairs) >= SAME_COLOUR
