"""The one pass over a film that ties decoding, shots, detection, tracking and sampling together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import pyarrow as pa

from personae.core.config import ScanConfig
from personae.core.hooks import Hook, silent
from personae.scan.align import aligned_crop, frontality, sharpness
from personae.scan.decode import Film, Frame
from personae.scan.detect import RetinaFace, working_size
from personae.scan.media import MediaInfo
from personae.scan.sample import SeenFace, forget_crops
from personae.scan.shots import AdaptiveShots, Dissolves, Shot, ShotDetector
from personae.scan.tables import Tables
from personae.scan.track import ShotTracker, finish, look
from personae.weights import weight

DETECTIONS_PER_S = 7
"""Frames a second on which faces are looked for where no stride is asked for."""
JPEG_QUALITY = 92
CROPS_IN_MEMORY = 256
"""Faces a growing piece may have before crops that will not be sampled are dropped."""
STRANGERS_WAIT_S = 60.0
"""Seconds for which a doubtful face may still be adopted by a track, in a shot that goes on for so long."""
REPORT_EVERY = 25
"""Frames between two calls of the hook."""


@dataclass(frozen=True)
class Scan:
    """What one pass over a film found; the tables' columns are those of `personae.core.schema`."""

    media: MediaInfo
    shots: pa.Table
    faces: pa.Table
    tracks: pa.Table
    crops: pa.Table
    links: pa.Table
    warnings: tuple[str, ...] = ()
    """What was damaged in the file; the tables hold what could be decoded all the same."""


def scan_film(path: Path, config: ScanConfig, hook: Hook = silent, device: str = "cpu") -> Scan:
    """Find the shots, face tracks, aligned crops and cannot-link pairs of a film in one pass over its frames.

    The same file and settings give the same tables. Raises FilmError if the file is no readable film; a
    damaged or cut-off film gives what can be decoded, with `Scan.warnings`.
    """
    film = Film(path)
    fps = film.media.fps
    stride = config.stride or max(1, round(fps / DETECTIONS_PER_S))
    scanner = _Scanner(film.media, config, stride, device)
    for frame, starts, ends in with_shots(film, AdaptiveShots(fps)):
        scanner.take(frame, starts, ends)
        if frame.index % REPORT_EVERY == 0:
            hook("scan", frame.index + 1, max(film.media.frames, frame.index + 1) or None, **scanner.counts())
    tables = scanner.tables
    hook("scan", film.media.frames, film.media.frames, **scanner.counts())
    return Scan(
        media=film.media,
        shots=tables.table("shots"),
        faces=tables.table("faces"),
        tracks=tables.table("tracks"),
        crops=tables.table("crops"),
        links=tables.table("links"),
        warnings=_in_brief(film.faults),
    )


def _in_brief(faults: list[str]) -> tuple[str, ...]:
    """Count equal faults instead of repeating them."""
    return tuple(
        f"{fault} ({n} times)" if (n := faults.count(fault)) > 1 else fault for fault in dict.fromkeys(faults)
    )


def with_shots(frames: Iterable[Frame], detector: ShotDetector) -> Iterator[tuple[Frame, bool, bool]]:
    """Give every frame with whether it starts and whether it ends a shot.

    Frames wait until the detector can no longer put a cut right behind them.
    """
    waiting: deque[Frame] = deque()
    cuts = {0}
    for frame in frames:
        waiting.append(frame)
        cuts.update(detector.see(frame.index, frame.small))
        if len(waiting) > detector.delay + 1:
            yield _with_cuts(waiting.popleft(), cuts)
    while waiting:
        frame = waiting.popleft()
        if not waiting:
            cuts.add(frame.index + 1)
        yield _with_cuts(frame, cuts)


def _with_cuts(frame: Frame, cuts: set[int]) -> tuple[Frame, bool, bool]:
    starts, ends = frame.index in cuts, frame.index + 1 in cuts
    cuts.discard(frame.index)
    return frame, starts, ends


class _Scanner:
    """State of the pass: the shot that is open, and the tables of those that are closed."""

    def __init__(self, media: MediaInfo, config: ScanConfig, stride: int, device: str) -> None:
        self._media, self._config, self._stride = media, config, stride
        entry = weight("retinaface-mobilenet025")
        entry.verify()
        self._detector = RetinaFace(entry.path(), device, config.min_score)
        self._dissolves = Dissolves(media.fps)
        displayed_width = round(media.width * media.pixel_aspect)
        self._size = working_size(displayed_width, media.height, config.working_side)
        self._tracker = ShotTracker(media.fps / stride, config.start_score, config.min_score)
        least_width = config.min_width * media.width
        self._time_base = Fraction(media.time_base)
        self.tables = Tables(float(self._time_base), config.crop_every, config.crops_at_least, least_width)
        self._number = 0
        self._first = 0
        self._pts: list[int] = []
        self._strangers: list[SeenFace] = []
        self._settled = 0  # so many strangers no longer wait for a track to adopt them

    def counts(self) -> dict[str, int]:
        """Facts for the hook."""
        return {name: self.tables.rows[name] for name in ("faces", "tracks", "shots")}

    def take(self, frame: Frame, starts: bool, ends: bool) -> None:
        """Take the next frame; `starts` and `ends` say whether it is a shot's first and last."""
        if starts:
            self._first, self._pts, self._strangers, self._settled = frame.index, [], [], 0
            self._tracker.start()
            self._dissolves.start()
        self._pts.append(frame.pts)
        self._dissolves.see(frame.index, frame.small)
        if ends or (frame.index - self._first) % self._stride == 0:
            self._look_for_faces(frame)
        if ends:
            self._close(frame)

    def _look_for_faces(self, frame: Frame) -> None:
        faces = self._detect(frame)
        by_area = sorted(range(len(faces)), key=lambda i: -float(faces[i].box[2] * faces[i].box[3]))
        followed = [faces[i] for i in sorted(by_area[: self._config.top_faces])]
        crowd = [faces[i] for i in sorted(by_area[self._config.top_faces :])]
        for face, piece in zip(followed, self._tracker.see(frame.time_s, followed), strict=True):
            if piece < 0:
                self._strangers.append(face)
                continue
            members = self._tracker.pieces[piece]
            if len(members) % CROPS_IN_MEMORY == 0:
                forget_crops(members, self._config.crop_every, self._config.crops_at_least)
        for face in crowd:
            face.jpeg = None
        self._strangers += crowd
        self._settle(frame.time_s - STRANGERS_WAIT_S)

    def _settle(self, until_s: float) -> None:
        """Forget what strangers looked like that no track has adopted for so long."""
        while self._settled < len(self._strangers) and self._strangers[self._settled].time_s < until_s:
            self._strangers[self._settled].look = self._strangers[self._settled].jpeg = None
            self._settled += 1

    def _detect(self, frame: Frame) -> list[SeenFace]:
        width, height = self._size
        faces = self._detector(frame.scaled(width, height))
        faces = faces.scaled(self._media.width / width, self._media.height / height)
        if not len(faces):
            return []
        image = frame.rgb()
        seen = []
        for box, score, landmarks in zip(faces.boxes, faces.scores, faces.landmarks, strict=True):
            crop = aligned_crop(image, landmarks, self._media.pixel_aspect)
            jpeg = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[
                1
            ].tobytes()
            seen.append(
                SeenFace(
                    frame=frame.index,
                    pts=frame.pts,
                    time_s=frame.time_s,
                    box=box,
                    score=float(score),
                    landmarks=landmarks,
                    frontality=frontality(landmarks),
                    sharpness=sharpness(crop),
                    look=look(crop),
                    jpeg=jpeg,
                )
            )
        return seen

    def _close(self, frame: Frame) -> None:
        """Finish the open shot, whose last frame this is."""
        step = (
            self._pts[-1] - self._pts[-2]
            if len(self._pts) > 1
            else round(1 / (self._media.fps * self._time_base))
        )
        shot = Shot(self._number, self._first, frame.index, self._pts[0], frame.pts + max(1, step))
        tracks, strangers = finish(
            self._tracker.pieces, self._strangers, self._config.start_score, self._dissolves.found()
        )
        self.tables.add(shot, self._pts, tracks, strangers)
        self._number += 1
