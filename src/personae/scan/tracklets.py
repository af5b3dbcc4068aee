"""Tracking, shot by shot: BoT-SORT (paper section 3.2), splits at identity switches, links.

A track that mixes two people cannot be mended later, a broken one can: every rule here splits in
doubt.
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

BOX_BUFFER_RATIO = 0.3
"""Share of its size by which a box grows on each side before boxes are compared (C-BIoU, WACV
2023): between sampled frames a face moves further than plain IoU tolerates."""
LOST_TRACK_BUFFER_S = 1.0
"""Seconds for which the tracker keeps a track without a detection."""
MAX_TRACKLET_GAP_S = 2.0
"""Longest gap in seconds between two tracklets of one track."""
MAX_BOX_SIZE_RATIO = 1.5
"""Highest ratio of the box sizes on both sides of the gap between two tracklets of one track."""
MIN_LINK_SIMILARITY = 0.85
"""Lowest appearance similarity of two tracklets of one track. Chosen on labelled clips."""
MIN_STEP_SIMILARITY = 0.75
"""A tracklet whose appearance similarity falls below from one detection to the next has switched to
another person. On labelled clips, successive faces of one person are below in some 3 of 1000 cases,
two people of one film in more than half."""

END_DETECTIONS = 3
"""Detections at a tracklet's end that are compared; one alone may be blurred."""

GREY_SIDE_PX = 20
"""Side of the grey image in the appearance descriptor."""
LAB_BINS = (8, 16, 16)
"""Bins of L, a and b in the appearance descriptor's histogram."""


def appearance_descriptor(crop: CropArray) -> Float16Array:
    """Return a descriptor of an aligned RGB crop for comparison within one shot.

    It does not recognise faces in general; within a shot, light and clothes stay the same.

    Returns:
        Two unit vectors in a row: the zero-mean grey image of `GREY_SIDE_PX` squared values, and
        the square root of the Lab colour histogram.
    """
    grey = cv2.resize(
        cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY),
        (GREY_SIDE_PX, GREY_SIDE_PX),
        interpolation=cv2.INTER_AREA,
    )
    shape = grey.astype(np.float32).ravel() - grey.mean(dtype=np.float32)
    shape /= max(float(np.linalg.norm(shape)), 1e-6)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    ranges = [0, 256, 64, 192, 64, 192]  # a and b of natural images are near their middle
    histogram = cv2.calcHist([lab], [0, 1, 2], None, list(LAB_BINS), ranges)
    histogram = cv2.GaussianBlur(histogram.reshape(LAB_BINS[0], -1), (0, 0), 0.5).ravel()
    colour = np.sqrt(histogram / max(float(histogram.sum()), 1e-6))
    return np.concatenate([shape, colour]).astype(np.float16)


def appearance_similarity(a: Detection, b: Detection) -> float:
    """Return the appearance similarity of two detections of one shot.

    Colours have three times the weight of the grey image, because they survive a turn of the head.

    Returns:
        At most 1; 0 if the descriptor of either was discarded.
    """
    if a.appearance is None or b.appearance is None:
        return 0.0
    product = a.appearance.astype(np.float32) * b.appearance.astype(np.float32)
    n_grey = GREY_SIDE_PX**2
    return float(product[:n_grey].sum() + 3 * product[n_grey:].sum()) / 4


class ShotTracker:
    """BoT-SORT on the sampled frames of one shot; `build_tracks` links the resulting tracklets.

    Args:
        detections_per_s: Sampled frames per second.
        min_start_score: Lowest confidence of a detection that may start a tracklet.
        min_score: Lowest confidence of a detection that may extend one.
    """

    def __init__(self, detections_per_s: float, min_start_score: float, min_score: float) -> None:
        from trackers import BoTSORTTracker
        from trackers.utils.iou import BIoU

        self._tracker = BoTSORTTracker(
            lost_track_buffer=round(30 * LOST_TRACK_BUFFER_S),
            frame_rate=detections_per_s,
            track_activation_threshold=min_start_score,
            minimum_consecutive_frames=1,
            minimum_iou_threshold_first_assoc=0.2,
            minimum_iou_threshold_second_assoc=0.3,
            high_conf_det_threshold=max(min_score, min(0.6, min_start_score)),
            enable_cmc=False,  # costs 5 ms per frame; three labelled clips have the same tracks
            iou=BIoU(BOX_BUFFER_RATIO),
        )
        self._tracklet_of_id: dict[int, int] = {}
        self.tracklets: list[list[Detection]] = []

    def reset(self) -> None:
        """Discard all tracklets: a new shot begins."""
        self._tracker.reset()
        self._tracklet_of_id = {}
        self.tracklets = []

    def update(self, time_s: float, detections: Sequence[Detection]) -> list[int]:
        """Associate the detections of the next sampled frame with tracklets.

        Returns:
            For each detection the index of its tracklet in `tracklets`, or -1: unmatched.
        """
        import supervision as sv

        n = len(detections)
        corners = np.array(
            [(*one.box[:2], *(one.box[:2] + one.box[2:])) for one in detections], dtype=np.float32
        )
        tracked = self._tracker.update(
            sv.Detections(
                xyxy=corners.reshape(n, 4),
                confidence=np.array([one.score for one in detections], dtype=np.float32),
                data={"row": np.arange(n)},
            ),
            timestamp=time_s,
        )
        tracklets = [-1] * n
        if n and tracked.tracker_id is not None:
            for row, tracker_id in zip(tracked.data["row"], tracked.tracker_id, strict=True):
                if tracker_id >= 0:
                    tracklets[int(row)] = self._append(int(tracker_id), detections[int(row)])
        return tracklets

    def _append(self, tracker_id: int, detection: Detection) -> int:
        """Append a detection to its tracklet, or to a new one at an identity switch."""
        tracklet = self._tracklet_of_id.get(tracker_id)
        if tracklet is None or is_identity_switch(self.tracklets[tracklet], detection):
            tracklet = self._tracklet_of_id[tracker_id] = len(self.tracklets)
            self.tracklets.append([])
        members = self.tracklets[tracklet]
        members.append(detection)
        if len(members) > 2 * END_DETECTIONS:
            members[-END_DETECTIONS - 1].appearance = None
        return tracklet


def is_identity_switch(tracklet: Sequence[Detection], detection: Detection) -> bool:
    """Return whether a tracklet's last detections all differ in appearance from the next."""
    similarity = max(appearance_similarity(one, detection) for one in tracklet[-END_DETECTIONS:])
    return similarity < MIN_STEP_SIMILARITY


def link_tracklets(tracklets: Sequence[Sequence[Detection]]) -> list[list[int]]:
    """Link a shot's tracklets across gaps into tracks.

    Tracklets are linked where `can_follow` allows it, shortest gaps first; each end is linked once.

    Args:
        tracklets: Each with its detections in order of time.

    Returns:
        Tracks as indices into `tracklets` in order of time, ordered by their first frame.
    """
    order = sorted(range(len(tracklets)), key=lambda i: (tracklets[i][0].frame, i))
    starts = [tracklets[i][0].time_s for i in order]
    candidates = []
    for i in range(len(tracklets)):
        end = tracklets[i][-1].time_s
        for j in order[bisect_right(starts, end) : bisect_right(starts, end + MAX_TRACKLET_GAP_S)]:
            if can_follow(tracklets[i], tracklets[j]):
                candidates.append((tracklets[j][0].time_s - end, i, j))
    successor: dict[int, int] = {}
    has_predecessor: set[int] = set()
    for _, i, j in sorted(candidates):
        if i not in successor and j not in has_predecessor:
            successor[i] = j
            has_predecessor.add(j)
    tracks = []
    for i in order:
        if i not in has_predecessor:
            track = [i]
            while track[-1] in successor:
                track.append(successor[track[-1]])
            tracks.append(track)
    return tracks


def can_follow(earlier: Sequence[Detection], later: Sequence[Detection]) -> bool:
    """Return whether a later tracklet may continue an earlier one.

    Its first box must be within one box size of the earlier one's last box, of about the same size,
    and of similar appearance.
    """
    a, b = earlier[-1].box, later[0].box
    size_ratio = float(np.sqrt(a[2] * a[3] / (b[2] * b[3])))
    size = float((a[2] * a[3] * b[2] * b[3]) ** 0.25)
    distance = float(np.hypot(*(a[:2] + a[2:] / 2 - b[:2] - b[2:] / 2)))
    if distance > size or not 1 / MAX_BOX_SIZE_RATIO < size_ratio < MAX_BOX_SIZE_RATIO:
        return False
    similarity = max(
        appearance_similarity(x, y)
        for x in earlier[-END_DETECTIONS:]
        for y in later[:END_DETECTIONS]
    )
    return similarity >= MIN_LINK_SIMILARITY


def build_tracks(
    tracklets: Sequence[Sequence[Detection]],
    unmatched: Sequence[Detection],
    min_start_score: float,
    dissolves: Sequence[Dissolve] = (),
) -> tuple[list[list[Detection]], list[Detection]]:
    """Return a shot's tracks, built from its tracklets and its unmatched detections.

    A detection too uncertain to be tracked may still start, end or bridge a track. What is linked
    without any detection of at least `min_start_score` is not a track. No track crosses a dissolve,
    and the crops of blended faces are discarded from tracks that have others.

    Args:
        tracklets: Of the shot, each in order of time.
        unmatched: Detections of no tracklet.
        min_start_score: Lowest confidence that makes a track.
        dissolves: Of the shot.

    Returns:
        The tracks, ordered by their first frame within each side of a dissolve, and the detections
        of no track.
    """
    segments: list[list[list[Detection]]] = [[] for _ in range(len(dissolves) + 1)]
    middles = [dissolve.middle_frame for dissolve in dissolves]
    for tracklet in [*tracklets, *([detection] for detection in unmatched)]:
        for segment, members in groupby(
            tracklet, key=lambda detection: bisect_right(middles, detection.frame)
        ):
            segments[segment].append(list(members))
    tracks: list[list[Detection]] = []
    rest: list[Detection] = []
    for parts in segments:
        for group in link_tracklets(parts):
            track = [detection for i in group for detection in parts[i]]
            if any(one.score >= min_start_score and one.crop_jpeg is not None for one in track):
                tracks.append(track)
            else:
                rest += track
    for track in tracks:
        _discard_blended_crops(track, dissolves)
    return tracks, rest


def _discard_blended_crops(track: Sequence[Detection], dissolves: Sequence[Dissolve]) -> None:
    """Discard the crops of a track that lie within dissolves, unless all do."""
    blended = [
        one for one in track if any(d.first_frame < one.frame < d.last_frame for d in dissolves)
    ]
    if len({one.frame for one in track if one.crop_jpeg}) > len(
        {one.frame for one in blended if one.crop_jpeg}
    ):
        for one in blended:
            one.discard_crop()
