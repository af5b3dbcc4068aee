"""Faces into tracks, shot by shot: BoT-SORT (paper section 3.2), broken at jumps, pieces joined.

A track that mixes two people cannot be mended later, a broken one can: every rule here breaks in doubt.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

import cv2
import numpy as np

from personae.core.arrays import Float16Array
from personae.core.crops import CropArray
from personae.scan.detection import Detection
from personae.scan.shots import Dissolve

BUFFER = 0.3
"""Share of its size by which a box grows on each side before boxes are compared (C-BIoU, WACV 2023): between
sampled frames a face moves farther than plain IoU forgives."""
LOST_S = 1.0
"""Seconds for which the tracker looks for a lost face."""
MOST_GAP_S = 2.0
"""Seconds between two pieces that may still be one track."""
MOST_GROWTH = 1.5
"""Ratio of the sizes at the ends of two pieces that may still be one track."""
SAME = 0.85
"""Least `likeness` of two pieces that may be one person. Settled while looking at labelled clips."""
JUMP = 0.75
"""A track whose `likeness` from one detection to the next is lower has jumped to somebody else. On labelled
clips neighbouring faces of one person fall below in some 3 of 1000 cases, two people of one film in more than
half."""

ENDS = 3
"""Faces at a piece's end that are compared; one alone may be blurred."""

SHAPE_SIDE = 20
COLOUR_BINS = (8, 16, 16)


def look(crop: CropArray) -> Float16Array:
    """Describe the face in an aligned RGB crop for comparison within one shot.

    Two unit vectors, one after the other: the zero-mean grey picture at `SHAPE_SIDE` pixels, and the square
    root of the Lab colour histogram. Neither knows a face from another in general; within a shot light and
    clothes stay.
    """
    grey = cv2.resize(
        cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY),
        (SHAPE_SIDE, SHAPE_SIDE),
        interpolation=cv2.INTER_AREA,
    )
    shape = grey.astype(np.float32).ravel() - grey.mean(dtype=np.float32)
    shape /= max(float(np.linalg.norm(shape)), 1e-6)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    ranges = [0, 256, 64, 192, 64, 192]  # a and b of natural pictures stay near their middle
    histogram = cv2.calcHist([lab], [0, 1, 2], None, list(COLOUR_BINS), ranges)
    histogram = cv2.GaussianBlur(histogram.reshape(COLOUR_BINS[0], -1), (0, 0), 0.5).ravel()
    colour = np.sqrt(histogram / max(float(histogram.sum()), 1e-6))
    return np.concatenate([shape, colour]).astype(np.float16)


def likeness(a: Detection, b: Detection) -> float:
    """Give how alike two faces of one shot look, at most 1: a quarter for the shape, three for the colours.

    Colours weigh more because they survive a turn of the head. A face whose look was dropped is like nobody
    (0).
    """
    if a.look is None or b.look is None:
        return 0.0
    product = a.look.astype(np.float32) * b.look.astype(np.float32)
    return float(product[: SHAPE_SIDE**2].sum() + 3 * product[SHAPE_SIDE**2 :].sum()) / 4


class ShotTracker:
    """Follows the faces of one shot through its sampled frames; pieces come out of `finish`."""

    def __init__(self, detections_per_s: float, min_start_score: float, min_score: float) -> None:
        from trackers import BoTSORTTracker
        from trackers.utils.iou import BIoU

        self._tracker = BoTSORTTracker(
            lost_track_buffer=round(30 * LOST_S),
            frame_rate=detections_per_s,
            track_activation_threshold=min_start_score,
            minimum_consecutive_frames=1,
            minimum_iou_threshold_first_assoc=0.2,
            minimum_iou_threshold_second_assoc=0.3,
            high_conf_det_threshold=max(min_score, min(0.6, min_start_score)),
            enable_cmc=False,  # with it: the same tracks on three labelled clips, at 5 ms a detection
            iou=BIoU(BUFFER),
        )
        self._piece_of: dict[int, int] = {}
        self.pieces: list[list[Detection]] = []

    def start(self) -> None:
        """Forget everything: a new shot begins."""
        self._tracker.reset()
        self._piece_of = {}
        self.pieces = []

    def see(self, time_s: float, faces: Sequence[Detection]) -> list[int]:
        """Take the faces of the next sampled frame; give each one's piece, or -1."""
        import supervision as sv

        n = len(faces)
        corners = np.array(
            [(*f.box[:2], *(f.box[:2] + f.box[2:])) for f in faces], dtype=np.float32
        )
        found = self._tracker.update(
            sv.Detections(
                xyxy=corners.reshape(n, 4),
                confidence=np.array([f.score for f in faces], dtype=np.float32),
                data={"row": np.arange(n)},
            ),
            timestamp=time_s,
        )
        pieces = [-1] * n
        if n and found.tracker_id is not None:
            for row, tracked in zip(found.data["row"], found.tracker_id, strict=True):
                if tracked >= 0:
                    pieces[int(row)] = self._place(int(tracked), faces[int(row)])
        return pieces

    def _place(self, tracked: int, face: Detection) -> int:
        """Append a face to its piece, or to a new one where the tracker has jumped."""
        piece = self._piece_of.get(tracked)
        if piece is None or jumps(self.pieces[piece], face):
            piece = self._piece_of[tracked] = len(self.pieces)
            self.pieces.append([])
        members = self.pieces[piece]
        members.append(face)
        if len(members) > 2 * ENDS:
            members[-ENDS - 1].look = None
        return piece


def jumps(piece: Sequence[Detection], face: Detection) -> bool:
    """Say whether a piece would jump to somebody else by taking `face`: its end looks unlike it."""
    return max(likeness(before, face) for before in piece[-ENDS:]) < JUMP


def join(pieces: Sequence[Sequence[Detection]]) -> list[list[int]]:
    """Group a shot's pieces into tracks: lists of indices into `pieces`, each in order of time.

    A piece continues an earlier one if it begins after that has ended and within `MOST_GAP_S`, where the
    other stopped and at its size, and looks alike. Shorter gaps are joined first; each end is used once.
    """
    order = sorted(range(len(pieces)), key=lambda i: (pieces[i][0].frame, i))
    starts = [pieces[i][0].time_s for i in order]
    gaps = []
    for i in range(len(pieces)):
        end = pieces[i][-1].time_s
        for j in order[bisect_right(starts, end) : bisect_right(starts, end + MOST_GAP_S)]:
            if continues(pieces[i], pieces[j]):
                gaps.append((pieces[j][0].time_s - end, i, j))
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


def continues(earlier: Sequence[Detection], later: Sequence[Detection]) -> bool:
    """Say whether `later` may be the same person seen again after `earlier`; see `join`."""
    a, b = earlier[-1].box, later[0].box
    growth = float(np.sqrt(a[2] * a[3] / (b[2] * b[3])))
    size = float((a[2] * a[3] * b[2] * b[3]) ** 0.25)
    distance = float(np.hypot(*(a[:2] + a[2:] / 2 - b[:2] - b[2:] / 2)))
    if distance > size or not 1 / MOST_GROWTH < growth < MOST_GROWTH:
        return False
    return max(likeness(x, y) for x in earlier[-ENDS:] for y in later[:ENDS]) >= SAME


def finish(
    pieces: Sequence[Sequence[Detection]],
    strangers: Sequence[Detection],
    min_start_score: float,
    dissolves: Sequence[Dissolve] = (),
) -> tuple[list[list[Detection]], list[Detection]]:
    """Make a shot's tracks out of its pieces and of the faces that the tracker left alone.

    A face that was too doubtful to be followed may still begin, end or bridge a track. What is joined without
    any face of at least `min_start_score` is no track. No track crosses a dissolve, and crops of blended faces
    are dropped from tracks that have others. Gives the tracks by their first frames, and the faces left over.
    """
    scenes: list[list[list[Detection]]] = [[] for _ in range(len(dissolves) + 1)]
    middles = [dissolve.middle for dissolve in dissolves]
    for part in [*pieces, *([face] for face in strangers)]:
        for scene, members in groupby(part, key=lambda face: bisect_right(middles, face.frame)):
            scenes[scene].append(list(members))
    tracks: list[list[Detection]] = []
    left: list[Detection] = []
    for parts in scenes:
        for group in join(parts):
            faces = [face for i in group for face in parts[i]]
            if any(face.score >= min_start_score and face.jpeg is not None for face in faces):
                tracks.append(faces)
            else:
                left += faces
    for faces in tracks:
        _drop_blends(faces, dissolves)
    return tracks, left


def _drop_blends(faces: Sequence[Detection], dissolves: Sequence[Dissolve]) -> None:
    blended = [face for face in faces if any(d.first < face.frame < d.last for d in dissolves)]
    if len({face.frame for face in faces if face.jpeg}) > len(
        {face.frame for face in blended if face.jpeg}
    ):
        for face in blended:
            face.drop_crop()
