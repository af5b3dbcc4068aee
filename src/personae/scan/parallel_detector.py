"""Face detection on sampled frames: in threads, in order, while the film is decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

import numpy as np

from personae.core.colour_histogram import pack_histogram
from personae.core.compute import count_usable_cores
from personae.core.config import ScanConfig
from personae.scan.alignment import align_crop, encode_crop, frontality, sharpness
from personae.scan.clothes import describe_clothes, find_picture_area
from personae.scan.detection import Detection
from personae.scan.keyframe_schedule import (
    MAX_KEYFRAME_GAP_S,
    MIN_KEYFRAME_GAP_S,
    KeyframeSchedule,
)
from personae.scan.local_detection import detect_near
from personae.scan.retinaface import FaceDetections, RetinaFace, detector_input_size
from personae.scan.tracklets import appearance_descriptor
from personae.scan.video_file import MediaInfo
from personae.scan.video_reader import Frame
from personae.weights import weight_file

MAX_THREADS = 4
"""More would wait for the decoder, and hold more frames."""
MAX_INTERVAL_PIXELS = 32_000_000
"""Pixels of the frames of one interval, so that very large films are held in memory in short
intervals."""


class FrameDetections(NamedTuple):
    """A frame that was searched, and its faces."""

    frame: Frame
    detections: list[Detection]


class ParallelFaceDetector:
    """Face detection on sampled frames, in threads, with results in the order of the frames.

    Each interval of frames is searched in a thread of its own, which knows only the keyframe at the
    end of the interval before: detections do not depend on the number of threads. Use it as a
    context manager; leaving it cancels what is not yet searched.

    Args:
        media: What the film holds.
        config: Settings of the scan.
        stride: Frames of the film from one sampled frame to the next.
        device: "cpu" or "cuda".
    """

    def __init__(self, media: MediaInfo, config: ScanConfig, stride: int, device: str) -> None:
        entry = weight_file("retinaface-mobilenet025")
        entry.verify()
        self._detector = RetinaFace(entry.path(), device, config.min_score, threads=1)
        self._media, self._config = media, config
        self._display_size = round(media.width * media.pixel_aspect), media.height
        scale = config.detection_size / max(self._display_size)
        self._pixel_scale = scale * media.pixel_aspect, scale
        frames_per_s = media.fps / stride
        max_frames = MAX_INTERVAL_PIXELS // (media.width * media.height)
        self._max_interval = max(1, min(round(MAX_KEYFRAME_GAP_S * frames_per_s), max_frames))
        self._min_gap = max(1, round(MIN_KEYFRAME_GAP_S * frames_per_s))
        threads = min(MAX_THREADS, count_usable_cores())
        self._max_pending = threads + 1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="personae-search")
        self._interval: list[Frame] = []
        self._last_keyframe: Future[FaceDetections] | None = None
        self._pending: deque[Future[list[FrameDetections]]] = deque()

    def __enter__(self) -> ParallelFaceDetector:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, frame: Frame, starts_shot: bool, ends_shot: bool) -> None:
        """Add the next sampled frame; a shot's first and last frame are keyframes."""
        if starts_shot:
            self._last_keyframe = None
        self._interval.append(frame)
        if starts_shot or ends_shot or len(self._interval) >= self._max_interval:
            start = self._last_keyframe
            end = self._last_keyframe = self._pool.submit(self._search_frame, frame, 1.0)
            self._pending.append(
                self._pool.submit(self._search_interval, start, self._interval, end)
            )
            self._interval = []

    def completed(self, wait: bool = False) -> Iterator[FrameDetections]:
        """Yield the frames that have been searched, in order; all submitted frames, if `wait`."""
        while self._pending and (
            wait or self._pending[0].done() or len(self._pending) > self._max_pending
        ):
            yield from self._pending.popleft().result()

    def _search_interval(
        self,
        start: Future[FaceDetections] | None,
        frames: Sequence[Frame],
        end: Future[FaceDetections],
    ) -> list[FrameDetections]:
        """Search the frames after one keyframe up to the next, which is the last of them."""
        detections = {len(frames): end.result()}
        if start is not None:
            detections[0] = start.result()
            KeyframeSchedule(
                search_frame=lambda i, scale: self._search_frame(frames[i - 1], scale),
                search_near_boxes=lambda i, boxes: detect_near(
                    self._detector, frames[i - 1].to_rgb(), boxes, self._pixel_scale
                ),
                select_required=self._select_required,
                full_pixel_scale=self._pixel_scale[0],
                min_gap=self._min_gap,
            ).fill(detections, 0, len(frames))
        return [
            FrameDetections(frame, self._cut_crops(frame, detections[i]))
            for i, frame in enumerate(frames, 1)
        ]

    def _search_frame(self, frame: Frame, scale: float) -> FaceDetections:
        long_side = round(self._config.detection_size * scale)
        width, height = detector_input_size(*self._display_size, long_side)
        faces = self._detector(frame.to_bgr(width, height))
        return faces.scaled(self._media.width / width, self._media.height / height)

    def _select_required(self, faces: FaceDetections) -> FaceDetections:
        """Return the faces that may start a track, are wide enough to be kept, and are tracked."""
        confident = faces.scores >= self._config.min_start_score
        wide = faces.boxes[:, 2] >= self._config.min_face_width * self._media.width
        rows = np.flatnonzero(confident & wide)
        area = faces.boxes[rows, 2] * faces.boxes[rows, 3]
        largest = np.argsort(-area, kind="stable")[: self._config.max_faces_per_frame]
        return faces.select(rows[largest])

    def _cut_crops(self, frame: Frame, faces: FaceDetections) -> list[Detection]:
        """Return a frame's faces with their aligned crops and what is measured on them."""
        if not len(faces):
            return []
        image, thumbnail = frame.to_rgb(), frame.thumbnail()
        area = find_picture_area(image)
        detections = []
        rows = zip(faces.boxes, faces.scores, faces.landmarks, strict=True)
        for i, (box, score, landmarks) in enumerate(rows):
            clothes = describe_clothes(image, box, np.delete(faces.boxes, i, axis=0), area)
            crop = align_crop(image, landmarks, self._media.pixel_aspect)
            detections.append(
                Detection(
                    frame=frame.index,
                    pts=frame.pts,
                    time_s=frame.time_s,
                    box=box,
                    score=float(score),
                    landmarks=landmarks,
                    frontality=frontality(landmarks),
                    sharpness=sharpness(crop),
                    appearance=appearance_descriptor(crop),
                    crop_jpeg=encode_crop(crop),
                    thumbnail=thumbnail,
                    clothes=None if clothes is None else pack_histogram(clothes),
                )
            )
        return detections
