"""The single pass over a film: decoding, shots, detection, tracking and sampling together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pyarrow as pa

from personae.core.config import ScanConfig
from personae.core.hooks import Hook, silent_hook
from personae.scan.detection import Detection, discard_unsampled_crops
from personae.scan.parallel_detector import FrameDetections, ParallelFaceDetector
from personae.scan.shot_marks import MarkedFrame, read_marked_frames
from personae.scan.shots import AdaptiveShotDetector, DissolveDetector, Shot
from personae.scan.tables import ScanTables, TableSink
from personae.scan.tracklets import ShotTracker, build_tracks
from personae.scan.video_file import MediaInfo
from personae.scan.video_reader import Frame, VideoReader

DETECTIONS_PER_S = 7
"""Frames per second that are searched for faces, where no stride is given."""
CROP_DISCARD_INTERVAL = 256
"""Detections of a growing tracklet between two discards of crops that will not be sampled."""
MAX_UNMATCHED_AGE_S = 60.0
"""Seconds after which an unmatched detection of a long shot can no longer join a track."""
FRAMES_PER_REPORT = 25
"""Frames between two calls of the hook."""


@dataclass(frozen=True)
class ScanResult:
    """What one pass over a film found; the tables' columns are those of `personae.core.schema`."""

    media: MediaInfo
    shots: pa.Table
    faces: pa.Table
    tracks: pa.Table
    crops: pa.Table
    """Empty where a sink took the crops."""
    cannot_links: pa.Table
    warnings: tuple[str, ...] = ()
    """What was damaged in the file; the tables hold what could be decoded."""


def scan_film(
    path: Path,
    config: ScanConfig,
    hook: Hook = silent_hook,
    device: str = "cpu",
    crop_sink: TableSink | None = None,
) -> ScanResult:
    """Find the shots, face tracks, aligned crops and cannot-link pairs of a film in one pass.

    The same file and settings give the same tables. A damaged or cut-off film gives what can be
    decoded, with `ScanResult.warnings`.

    Args:
        path: The film file.
        config: Settings.
        hook: Called with the progress in frames.
        device: "cpu" or "cuda".
        crop_sink: Receives the crops as shots end, in order, so that a long film's crops need not
            fit in memory.

    Raises:
        FilmError: The file is missing, no film, or holds no decodable frame.
    """
    reader = VideoReader(path)
    detector = AdaptiveShotDetector(reader.media.fps)
    with closing(read_marked_frames(reader, detector)) as frames:  # ends its thread
        tables = scan_frames(frames, reader.media, config, hook, device, crop_sink)
    return ScanResult(
        media=reader.media,
        shots=tables.table("shots"),
        faces=tables.table("faces"),
        tracks=tables.table("tracks"),
        crops=tables.table("crops"),
        cannot_links=tables.table("cannot_links"),
        warnings=count_repeated(reader.warnings),
    )


def scan_frames(
    frames: Iterable[MarkedFrame],
    media: MediaInfo,
    config: ScanConfig,
    hook: Hook,
    device: str,
    crop_sink: TableSink | None,
) -> ScanTables:
    """Find the faces, tracks, crops and cannot-link pairs of consecutive whole shots.

    Nothing is carried over from one shot to the next but the numbers of rows.

    Args:
        frames: All frames of the shots.
        media: What the film holds.
        config: Settings.
        hook: Called with the progress in frames of the film.
        device: "cpu" or "cuda".
        crop_sink: Receives the crops as shots end.
    """
    stride = config.stride or max(1, round(media.fps / DETECTIONS_PER_S))
    last = -1
    with ParallelFaceDetector(media, config, stride, device) as detector:
        scanner = _FilmScanner(media, config, stride, detector, crop_sink)
        for marked in frames:
            scanner.process_frame(*marked)
            last = marked.frame.index
            if last % FRAMES_PER_REPORT == 0:
                hook("scan", last + 1, max(media.frames, last + 1), **scanner.row_counts())
        scanner.finish()
    hook("scan", last + 1, last + 1, **scanner.row_counts())
    return scanner.tables


def count_repeated(warnings: list[str]) -> tuple[str, ...]:
    """Return each distinct warning once, with how often it occurred."""
    return tuple(
        f"{warning} ({n} times)" if (n := warnings.count(warning)) > 1 else warning
        for warning in dict.fromkeys(warnings)
    )


@dataclass
class _OpenShot:
    """A shot of which frames are still to come, or are still being searched for faces."""

    first_frame: int
    dissolve_detector: DissolveDetector
    pts: list[int] = field(default_factory=list)
    """Of its frames so far."""
    last_frame: int | None = None
    """None while frames are still to come."""
    end_pts: int | None = None
    """Of the frame after the last; None while frames are still to come, and in the last shot."""


class _FilmScanner:
    """State of the pass: the open shots, and the tables of the closed ones.

    Face detection lags behind decoding: `_open` holds the shots from the one whose faces are being
    tracked to the one that frames are added to.
    """

    def __init__(
        self,
        media: MediaInfo,
        config: ScanConfig,
        stride: int,
        detector: ParallelFaceDetector,
        crop_sink: TableSink | None,
    ) -> None:
        self._media, self._config, self._stride, self._detector = media, config, stride, detector
        self._tracker = ShotTracker(media.fps / stride, config.min_start_score, config.min_score)
        self._time_base = Fraction(media.time_base)
        self.tables = ScanTables(
            float(self._time_base),
            config.crop_interval,
            config.min_crops_per_track,
            config.min_face_width * media.width,
            crop_sink,
        )
        self._open: deque[_OpenShot] = deque()
        self._n_shots = 0
        self._unmatched: list[Detection] = []
        self._n_expired = 0
        """So many of the unmatched detections can no longer join a track."""

    def row_counts(self) -> dict[str, int]:
        """Return the facts for the hook."""
        return {name: self.tables.row_counts[name] for name in ("faces", "tracks", "shots")}

    def process_frame(
        self, frame: Frame, starts_shot: bool, ends_shot: bool, next_pts: int | None = None
    ) -> None:
        """Add the next frame of the film; `next_pts` is of the frame after it, None at the end."""
        if starts_shot:
            self._open.append(_OpenShot(frame.index, DissolveDetector(self._media.fps)))
        shot = self._open[-1]
        shot.pts.append(frame.pts)
        shot.dissolve_detector.process_frame(frame.index, frame.preview)
        if ends_shot:
            shot.last_frame, shot.end_pts = frame.index, next_pts
        if ends_shot or (frame.index - shot.first_frame) % self._stride == 0:
            self._detector.submit(frame, starts_shot, ends_shot)
            self._track_completed()

    def finish(self) -> None:
        """Wait for the frames that are still being searched."""
        self._track_completed(wait=True)

    def _track_completed(self, wait: bool = False) -> None:
        for completed in self._detector.completed(wait):
            shot = self._open[0]
            if completed.frame.index == shot.first_frame:
                self._tracker.reset()
                self._unmatched, self._n_expired = [], 0
            self._track(completed)
            if completed.frame.index == shot.last_frame:
                self._close(self._open.popleft())

    def _track(self, completed: FrameDetections) -> None:
        """Track the largest faces of a frame; those beyond the per-frame limit stay unmatched."""
        frame, detections = completed
        by_area = sorted(
            range(len(detections)),
            key=lambda i: -float(detections[i].box[2] * detections[i].box[3]),
        )
        limit = self._config.max_faces_per_frame
        within_limit = [detections[i] for i in sorted(by_area[:limit])]
        beyond_limit = [detections[i] for i in sorted(by_area[limit:])]
        tracklets = self._tracker.update(frame.time_s, within_limit)
        for detection, tracklet in zip(within_limit, tracklets, strict=True):
            if tracklet < 0:
                self._unmatched.append(detection)
                continue
            members = self._tracker.tracklets[tracklet]
            if len(members) % CROP_DISCARD_INTERVAL == 0:
                discard_unsampled_crops(
                    members, self._config.crop_interval, self._config.min_crops_per_track
                )
        for detection in beyond_limit:
            detection.discard_crop()
        self._unmatched += beyond_limit
        self._expire_unmatched(frame.time_s - MAX_UNMATCHED_AGE_S)

    def _expire_unmatched(self, until_s: float) -> None:
        """Discard the crops and descriptors of unmatched detections before a time."""
        while (
            self._n_expired < len(self._unmatched)
            and self._unmatched[self._n_expired].time_s < until_s
        ):
            expired = self._unmatched[self._n_expired]
            expired.appearance = None
            expired.discard_crop()
            self._n_expired += 1

    def _close(self, shot: _OpenShot) -> None:
        """Write the tables' rows of a shot whose frames have all been tracked."""
        pts = shot.pts
        end_pts = shot.end_pts if shot.end_pts is not None else pts[-1] + self._last_step(pts)
        last_frame = shot.first_frame + len(pts) - 1
        tracks, unmatched = build_tracks(
            self._tracker.tracklets,
            self._unmatched,
            self._config.min_start_score,
            shot.dissolve_detector.dissolves(),
        )
        closed = Shot(self._n_shots, shot.first_frame, last_frame, pts[0], end_pts)
        self.tables.add_shot(closed, pts, tracks, unmatched)
        self._n_shots += 1

    def _last_step(self, pts: list[int]) -> int:
        """Return the ticks that the film's last frame lasts: as many as the one before."""
        step = pts[-1] - pts[-2] if len(pts) > 1 else round(1 / (self._media.fps * self._time_base))
        return max(1, step)
