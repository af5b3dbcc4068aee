"""The full frames of a film between two times, each decoded once."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame

from personae.scan.video_file import decode_frames, open_video
from personae.scan.video_reader import reformat

SEEK_DISTANCE_S = 3
"""Seconds to the next wanted frame beyond which seeking is quicker than decoding on."""

SEEK_MARGINS_S = (0, 2, 10, 60)
"""Seconds by which the seek starts earlier, tried in turn until it lands before the wanted frame;
the index of some containers is inexact."""

FRAMES_PER_REPORT = 25
"""Frames between two reports of progress."""

DEFAULT_TIME_BASE = Fraction(1, 1000)
"""Seconds per tick of a stream that states none."""


class FrameReader:
    """A film's frames from any time on; ask for ranges in order of time.

    Frames have the times, and those that are cut off or damaged are treated, as in the scan.

    Args:
        film: The film file.

    Raises:
        FilmError: The file is missing or no film.
    """

    def __init__(self, film: Path) -> None:
        self._film = film
        self._container, self.stream = open_video(film)
        self.time_base = self.stream.time_base or DEFAULT_TIME_BASE
        """Seconds per tick of pts."""
        self.rate = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
        """Average frames per second."""
        self.step = max(1, round(1 / (self.rate * self.time_base)))
        """Ticks from one frame to the next, at the average rate."""
        self._warnings: list[str] = []
        self._size = (self.stream.codec_context.width, self.stream.codec_context.height)
        self._last_pts: int | None = None
        self._next: tuple[int, VideoFrame] | None = None
        self._frames = self._decode()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def all_frames(self) -> Iterator[tuple[int, VideoFrame]]:
        """Yield every frame of the film with its pts."""
        while (found := self._take()) is not None:
            yield found

    def read(self, start_pts: int, end_pts: int) -> Iterator[tuple[int, VideoFrame]]:
        """Yield the frames of a range of time with their pts.

        Args:
            start_pts: First tick.
            end_pts: First tick after the range; at least the end of the range before.
        """
        self._skip_to(start_pts)
        while (found := self._take()) is not None:
            if found[0] >= end_pts:
                self._next = found
                return
            yield found

    @property
    def next_pts(self) -> int | None:
        """Return the pts of the frame after a range that was read; None at the end of the film."""
        return self._next[0] if self._next is not None else None

    def describe_damage(self) -> list[str]:
        """Return a sentence for each damage that was met."""
        return [f"The film is damaged: {one}." for one in dict.fromkeys(self._warnings)]

    def _take(self) -> tuple[int, VideoFrame] | None:
        """Return the next frame, the one that was put back first; None at the end of the film."""
        found, self._next = self._next, None
        return found if found is not None else next(self._frames, None)

    def _skip_to(self, pts: int) -> None:
        """Move to the first frame that is not before a time."""
        reached = self._next[0] if self._next is not None else self._last_pts
        if reached is None or pts - reached > SEEK_DISTANCE_S / self.time_base:
            self._seek(pts)
        while (found := self._take()) is not None:
            if found[0] >= pts:
                self._next = found
                return

    def _seek(self, pts: int) -> None:
        """Move to a frame at or before a time, the nearest that can be decoded on its own."""
        for margin_s in SEEK_MARGINS_S:
            if not seek(self._container, self.stream, pts - round(margin_s / self.time_base)):
                break
            self._last_pts, self._next = None, None
            self._frames = self._decode()
            self._next = next(self._frames, None)
            if self._next is not None and self._next[0] <= pts:
                return
        self._container.close()
        self._container, self.stream = open_video(self._film)
        self._last_pts, self._next = None, None
        self._frames = self._decode()

    def _decode(self) -> Iterator[tuple[int, VideoFrame]]:
        """Yield frames with their pts from where the container stands."""
        width, height = self._size
        for frame in decode_frames(self._container, self.stream, self._warnings):
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (self._last_pts is not None and pts <= self._last_pts):
                pts = 0 if self._last_pts is None else self._last_pts + self.step
            self._last_pts = pts
            if (frame.width, frame.height) != self._size:  # some broadcasts change their size
                frame = reformat(frame, width, height, frame.format.name, "BILINEAR")
            yield pts, frame


def seek(container: InputContainer, stream: Stream, pts: int) -> bool:
    """Move a container to a packet at or before a time; return whether it can."""
    try:
        container.seek(pts, stream=stream, backward=True)
    except (av.error.FFmpegError, OSError):
        return False
    return True
