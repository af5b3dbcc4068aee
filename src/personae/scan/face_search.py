"""The faces of the frames that are looked at, in order, found in threads while the film goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

import numpy as np

from personae.core.compute import usable_cores
from personae.core.config import ScanConfig
from personae.scan.alignment import aligned_crop, frontality, sharpness, stored
from personae.scan.detection import Detection
from personae.scan.local_search import detect_near
from personae.scan.retinaface import Faces, RetinaFace, working_size
from personae.scan.search_schedule import CLOSEST_S, LONGEST_S, Passes
from personae.scan.tracklets import look
from personae.scan.video_file import MediaInfo
from personae.scan.video_reader import Frame
from personae.weights import weight

MOST_THREADS = 4
"""More would wait for the decoder, and hold more frames."""
MOST_PIXELS = 32_000_000
"""Pixels of the frames of one stretch, so that a very large film is held in memory for shorter stretches."""


class Look(NamedTuple):
    """A frame that was looked at, and who is there."""

    frame: Frame
    faces: list[Detection]


class FaceSearch:
    """Takes the frames to look at and gives them back, in the same order, with their faces.

    Each stretch of frames is searched in a thread of its own (see `passes`), one that knows only the
    full search at the end of the stretch before: what is found does not depend on how many threads there are.
    """

    def __init__(self, media: MediaInfo, config: ScanConfig, stride: int, device: str) -> None:
        entry = weight("retinaface-mobilenet025")
        entry.verify()
        self._detector = RetinaFace(entry.path(), device, config.min_score, threads=1)
        self._media, self._config = media, config
        self._shape = round(media.width * media.pixel_aspect), media.height
        scale = config.detection_size / max(self._shape)
        self._pixel = scale * media.pixel_aspect, scale
        looks_per_s = media.fps / stride
        most = MOST_PIXELS // (media.width * media.height)
        self._longest = max(1, min(round(LONGEST_S * looks_per_s), most))
        self._closest = max(1, round(CLOSEST_S * looks_per_s))
        threads = min(MOST_THREADS, usable_cores())
        self._most_waiting = threads + 1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="personae-search")
        self._stretch: list[Frame] = []
        self._end: Future[Faces] | None = None
        self._waiting: deque[Future[list[Look]]] = deque()

    def __enter__(self) -> FaceSearch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self, frame: Frame, starts: bool, ends: bool) -> None:
        """Take the next frame to look at; `starts` and `ends` say whether it is a shot's first and last."""
        if starts:
            self._end = None
        self._stretch.append(frame)
        if starts or ends or len(self._stretch) >= self._longest:
            start, self._end = self._end, self._pool.submit(self._search, frame, 1.0)
            self._waiting.append(self._pool.submit(self._look, start, self._stretch, self._end))
            self._stretch = []

    def found(self, wait: bool = False) -> Iterator[Look]:
        """Give the frames whose search has ended, in order; all that were taken, if `wait`."""
        while self._waiting and (
            wait or self._waiting[0].done() or len(self._waiting) > self._most_waiting
        ):
            yield from self._waiting.popleft().result()

    def _look(
        self, start: Future[Faces] | None, stretch: Sequence[Frame], end: Future[Faces]
    ) -> list[Look]:
        """Search a stretch of frames, of which the last is being searched in full."""
        found = {len(stretch): end.result()}
        if start is not None:
            found[0] = start.result()
            Passes(
                search=lambda i, share: self._search(stretch[i - 1], share),
                follow=lambda i, places: detect_near(
                    self._detector, stretch[i - 1].rgb(), places, self._pixel
                ),
                matter=self._matter,
                full_width=self._pixel[0],
                closest=self._closest,
            ).fill(found, 0, len(stretch))
        return [Look(frame, self._seen(frame, found[i])) for i, frame in enumerate(stretch, 1)]

    def _search(self, frame: Frame, share: float) -> Faces:
        width, height = working_size(*self._shape, round(self._config.detection_size * share))
        faces = self._detector(frame.scaled(width, height))
        return faces.scaled(self._media.width / width, self._media.height / height)

    def _matter(self, faces: Faces) -> Faces:
        """Give those that may start a track, are wide enough for it to be kept, and will be followed."""
        sure = faces.scores >= self._config.min_start_score
        wide = faces.boxes[:, 2] >= self._config.min_width * self._media.width
        rows = np.flatnonzero(sure & wide)
        area = faces.boxes[rows, 2] * faces.boxes[rows, 3]
        return faces.take(
            rows[np.argsort(-area, kind="stable")[: self._config.max_faces_per_frame]]
        )

    def _seen(self, frame: Frame, faces: Faces) -> list[Detection]:
        """Cut the crops of a frame's faces and measure them."""
        if not len(faces):
            return []
        image, picture = frame.rgb(), frame.squeezed()
        seen = []
        for box, score, landmarks in zip(faces.boxes, faces.scores, faces.landmarks, strict=True):
            crop = aligned_crop(image, landmarks, self._media.pixel_aspect)
            seen.append(
                Detection(
                    frame=frame.index,
                    pts=frame.pts,
                    time_s=frame.time_s,
                    box=box,
                    score=float(score),
                    landmarks=landmarks,
                    frontality=frontality(landmarks),
                    sharpness=sharpness(crop),
                    look=look(crop),
                    jpeg=stored(crop),
                    picture=picture,
                )
            )
        return seen
