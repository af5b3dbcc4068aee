"""A film divided into ranges of shots, which several processes can scan.

Where shots begin depends on all frames before, so one pass over the whole film finds them. It also
notes what every frame looked like: a range is read from some keyframe on, and must show the same.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from av.video.frame import VideoFrame

from personae.core.arrays import Int64Array, UInt8Array
from personae.core.hooks import Hook, silent_hook
from personae.scan.scanner import FRAMES_PER_REPORT, count_repeated
from personae.scan.shot_marks import MarkedFrame, read_marked_frames
from personae.scan.shots import AdaptiveShotDetector
from personae.scan.video_file import MediaInfo
from personae.scan.video_reader import Frame, VideoReader

ROWS_APART = 4
"""Every such row of a frame's first plane is in its checksum: what is decoded wrongly is wrong in
blocks of 8 rows and more."""


@dataclass(frozen=True)
class FilmRange:
    """Consecutive whole shots of a film."""

    number: int
    """Place among the film's ranges, from 0."""

    first_frame: int
    pts: Int64Array
    """(n,) ticks, of its frames."""

    checksums: Int64Array
    """(n,) of its frames, see `compute_checksum`."""

    shot_starts: Int64Array
    """First frames of its shots, as numbers in the film."""

    end_pts: int | None
    """Of the frame after it; None at the film's end."""

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return len(self.pts)

    def save(self, stream: BinaryIO) -> None:
        """Write the range as NumPy's archive."""
        ends = [] if self.end_pts is None else [self.end_pts]
        np.savez(
            stream,
            place=np.array([self.number, self.first_frame]),
            pts=self.pts,
            checksums=self.checksums,
            shot_starts=self.shot_starts,
            end_pts=np.array(ends, np.int64),
        )

    @classmethod
    def load(cls, stream: BinaryIO) -> FilmRange:
        """Read what `save` has written."""
        with np.load(stream, allow_pickle=False) as kept:
            number, first_frame = (int(value) for value in kept["place"])
            end_pts = int(kept["end_pts"][0]) if len(kept["end_pts"]) else None
            return cls(
                number, first_frame, kept["pts"], kept["checksums"], kept["shot_starts"], end_pts
            )


@dataclass(frozen=True)
class FilmPass:
    """What a pass over the whole film tells beside its shots."""

    media: MediaInfo
    warnings: tuple[str, ...]


def divide_film(
    path: Path,
    wanted: int,
    take_range: Callable[[FilmRange], None],
    hook: Hook = silent_hook,
) -> FilmPass:
    """Find the shots of a film, and divide it into ranges of shots of about equal length.

    The shots are exactly those of `scan_film`.

    Args:
        path: The film file.
        wanted: How many ranges at most; long shots make fewer.
        take_range: Receives each range as soon as its end is known.
        hook: Called with the progress in frames.

    Raises:
        FilmError: The file is missing, no film, or holds no decodable frame.
    """
    reader = VideoReader(path)
    media = reader.media
    divider = _Divider(media.start_s, media.start_s + media.duration_s, wanted, take_range)
    with closing(read_marked_frames(reader, AdaptiveShotDetector(media.fps))) as frames:
        for marked in frames:
            divider.add(marked)
            done = marked.frame.index + 1
            if marked.frame.index % FRAMES_PER_REPORT == 0:
                hook("shots", done, max(media.frames, done))
    hook("shots", reader.media.frames, reader.media.frames)
    return FilmPass(reader.media, count_repeated(reader.warnings))


@dataclass
class _Divider:
    """Takes a film's frames, and ends a range with the shot that fills its share of the rest."""

    start_s: float
    """Of the range that frames are added to."""

    end_s: float
    """Of the film, as its file states it."""

    wanted: int
    take_range: Callable[[FilmRange], None]
    ended: int = 0
    """Ranges so far."""

    first_frame: int = 0
    pts: array[int] = field(default_factory=lambda: array("q"))
    checksums: array[int] = field(default_factory=lambda: array("q"))
    shot_starts: array[int] = field(default_factory=lambda: array("q"))

    def add(self, marked: MarkedFrame) -> None:
        """Add the next frame of the film."""
        frame = marked.frame
        left = self.wanted - self.ended
        is_due = frame.time_s >= self.start_s + (self.end_s - self.start_s) / left
        if marked.starts_shot and is_due and left > 1 and self.pts:
            self._end(frame.pts)
            self.first_frame, self.start_s = frame.index, frame.time_s
        if marked.starts_shot:
            self.shot_starts.append(frame.index)
        self.pts.append(frame.pts)
        self.checksums.append(compute_checksum(frame))
        if marked.next_pts is None:
            self._end(None)

    def _end(self, end_pts: int | None) -> None:
        film_range = FilmRange(
            self.ended,
            self.first_frame,
            np.array(self.pts, np.int64),
            np.array(self.checksums, np.int64),
            np.array(self.shot_starts, np.int64),
            end_pts,
        )
        self.take_range(film_range)
        self.ended += 1
        for column in (self.pts, self.checksums, self.shot_starts):
            del column[:]


def mark_range(
    frames: Iterator[Frame], film_range: FilmRange
) -> Generator[MarkedFrame, None, None]:
    """Yield the frames of a range with their marks."""
    starts = {int(first) for first in film_range.shot_starts}
    last = film_range.first_frame + film_range.frames - 1
    following = [*(int(tick) for tick in film_range.pts[1:]), film_range.end_pts]
    for frame, next_pts in zip(frames, following, strict=True):
        ends = frame.index == last or frame.index + 1 in starts
        yield MarkedFrame(frame, frame.index in starts, ends, next_pts)


def compute_checksum(frame: Frame) -> int:
    """Return a checksum of a frame as decoded: of its preview, and of rows of its first plane."""
    return zlib.crc32(_sample_rows(frame.av_frame), zlib.crc32(frame.preview.tobytes()))


def _sample_rows(frame: VideoFrame) -> bytes:
    plane = frame.planes[0]
    buffer = cast("memoryview[int]", plane)  # PyAV does not tell that a plane is one
    pixels: UInt8Array = np.frombuffer(buffer, np.uint8)[: plane.height * plane.line_size]
    rows: UInt8Array = pixels.reshape(plane.height, plane.line_size)[::ROWS_APART]
    bits = frame.format.bits_per_pixel if len(frame.planes) == 1 else 8
    if len(frame.planes) > 1 and frame.format.components[0].bits > 8:
        bits = 16
    used = plane.width * bits // 8  # beyond lies padding of any content
    return rows[:, :used].tobytes()
