"""The one pass over a film that ties decoding, shots, detection, tracking and sampling together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pyarrow as pa

from personae.core.config import ScanConfig
from personae.core.hooks import Hook, silent
from personae.scan.detection import Detection, drop_unsampled_crops
from personae.scan.face_search import FaceSearch
from personae.scan.shots import AdaptiveShots, Dissolves, Shot, ShotDetector
from personae.scan.tables import Tables, Take
from personae.scan.tracklets import ShotTracker, finish
from personae.scan.video_file import MediaInfo
from personae.scan.video_reader import Film, Frame

DETECTIONS_PER_S = 7
"""Frames a second on which faces are looked for where no stride is asked for."""
CROPS_IN_MEMORY = 256
"""Faces a growing piece may have before crops that will not be sampled are dropped."""
STRANGERS_WAIT_S = 60.0
"""Seconds for which a doubtful face may still be adopted by a track, in a shot that goes on for so long."""
REPORT_EVERY = 25
"""Frames between two calls of the hook."""


@dataclass(frozen=True)
class Scan:
    """What one pass over a film found; the tables' columns are those of `personae.core.schema`.

    Of crops that were given away as they came, none are left here.
    """

    media: MediaInfo
    shots: pa.Table
    faces: pa.Table
    tracks: pa.Table
    crops: pa.Table
    links: pa.Table
    warnings: tuple[str, ...] = ()
    """What was damaged in the file; the tables hold what could be decoded all the same."""


def scan_film(
    path: Path,
    config: ScanConfig,
    hook: Hook = silent,
    device: str = "cpu",
    crops_to: Take | None = None,
) -> Scan:
    """Find the shots, face tracks, aligned crops and cannot-link pairs of a film in one pass over its frames.

    The same file and settings give the same tables. `crops_to` is given the crops as shots end, in order, so
    that a long film's need not fit in memory. Raises FilmError if the file is no readable film; a
    damaged or cut-off film gives what can be decoded, with `Scan.warnings`.
    """
    film = Film(path)
    fps = film.media.fps
    stride = config.stride or max(1, round(fps / DETECTIONS_PER_S))
    with FaceSearch(film.media, config, stride, device) as search:
        scanner = _Scanner(film.media, config, stride, search, crops_to)
        for frame, starts, ends in with_shots(film, AdaptiveShots(fps)):
            scanner.take(frame, starts, ends)
            if frame.index % REPORT_EVERY == 0:
                total = max(film.media.frames, frame.index + 1)
                hook("scan", frame.index + 1, total, **scanner.counts())
        scanner.finish()
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
        f"{fault} ({n} times)" if (n := faults.count(fault)) > 1 else fault
        for fault in dict.fromkeys(faults)
    )


def with_shots(
    frames: Iterable[Frame], detector: ShotDetector
) -> Iterator[tuple[Frame, bool, bool]]:
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


@dataclass
class _OpenShot:
    """A shot of which frames are still to come, or are still searched for faces."""

    first: int
    dissolves: Dissolves
    pts: list[int] = field(default_factory=list)
    last: int | None = None


class _Scanner:
    """State of the pass: the shots that are open, and the tables of those that are closed.

    The search for faces lags behind the frames; `_open` are the shots from the one whose faces are followed
    to the one that frames are added to.
    """

    def __init__(
        self,
        media: MediaInfo,
        config: ScanConfig,
        stride: int,
        search: FaceSearch,
        crops_to: Take | None,
    ) -> None:
        self._media, self._config, self._stride, self._search = media, config, stride, search
        self._tracker = ShotTracker(media.fps / stride, config.min_start_score, config.min_score)
        least_width = config.min_width * media.width
        self._time_base = Fraction(media.time_base)
        self.tables = Tables(
            float(self._time_base),
            config.crop_interval,
            config.min_crops_per_track,
            least_width,
            crops_to,
        )
        self._open: deque[_OpenShot] = deque()
        self._number = 0
        self._strangers: list[Detection] = []
        self._settled = 0  # so many strangers no longer wait for a track to adopt them

    def counts(self) -> dict[str, int]:
        """Facts for the hook."""
        return {name: self.tables.rows[name] for name in ("faces", "tracks", "shots")}

    def take(self, frame: Frame, starts: bool, ends: bool) -> None:
        """Take the next frame; `starts` and `ends` say whether it is a shot's first and last."""
        if starts:
            self._open.append(_OpenShot(frame.index, Dissolves(self._media.fps)))
        shot = self._open[-1]
        shot.pts.append(frame.pts)
        shot.dissolves.see(frame.index, frame.small)
        if ends:
            shot.last = frame.index
        if ends or (frame.index - shot.first) % self._stride == 0:
            self._search.take(frame, starts, ends)
            self._follow_found()

    def finish(self) -> None:
        """Wait for what is still searched."""
        self._follow_found(wait=True)

    def _follow_found(self, wait: bool = False) -> None:
        for frame, faces in self._search.found(wait):
            shot = self._open[0]
            if frame.index == shot.first:
                self._tracker.start()
                self._strangers, self._settled = [], 0
            self._follow(frame, faces)
            if frame.index == shot.last:
                self._close(self._open.popleft())

    def _follow(self, frame: Frame, faces: list[Detection]) -> None:
        by_area = sorted(range(len(faces)), key=lambda i: -float(faces[i].box[2] * faces[i].box[3]))
        followed = [faces[i] for i in sorted(by_area[: self._config.max_faces_per_frame])]
        crowd = [faces[i] for i in sorted(by_area[self._config.max_faces_per_frame :])]
        for face, piece in zip(followed, self._tracker.see(frame.time_s, followed), strict=True):
            if piece < 0:
                self._strangers.append(face)
                continue
            members = self._tracker.pieces[piece]
            if len(members) % CROPS_IN_MEMORY == 0:
                drop_unsampled_crops(
                    members, self._config.crop_interval, self._config.min_crops_per_track
                )
        for face in crowd:
            face.drop_crop()
        self._strangers += crowd
        self._settle(frame.time_s - STRANGERS_WAIT_S)

    def _settle(self, until_s: float) -> None:
        """Forget what strangers looked like that no track has adopted for so long."""
        while (
            self._settled < len(self._strangers) and self._strangers[self._settled].time_s < until_s
        ):
            stranger = self._strangers[self._settled]
            stranger.look = None
            stranger.drop_crop()
            self._settled += 1

    def _close(self, shot: _OpenShot) -> None:
        """Finish a shot whose faces have all been followed."""
        pts = shot.pts
        step = pts[-1] - pts[-2] if len(pts) > 1 else round(1 / (self._media.fps * self._time_base))
        last = shot.first + len(pts) - 1
        done = Shot(self._number, shot.first, last, pts[0], pts[-1] + max(1, step))
        tracks, strangers = finish(
            self._tracker.pieces,
            self._strangers,
            self._config.min_start_score,
            shot.dissolves.found(),
        )
        self.tables.add(done, pts, tracks, strangers)
        self._number += 1
