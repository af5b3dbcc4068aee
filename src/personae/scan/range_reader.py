"""The frames of a range of a film, read from a keyframe before it, and exactly those of the film.

Decoders may begin at a keyframe, but not every stream lets them: frames may refer to earlier ones,
and times may be missing. So every frame is compared with the film's, and where one differs, reading
begins further back, at last with the film's first frame.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from personae.core.errors import FilmError
from personae.scan.film_range import FilmRange, compute_checksum
from personae.scan.read_ahead import read_ahead
from personae.scan.video_file import MediaInfo, decode_frames, open_video
from personae.scan.video_reader import Frame, FrameMaker, stated_pts

LEADS_S: tuple[float | None, ...] = (2.0, 60.0, None)
"""Seconds before a range from which a keyframe is looked for, one attempt after the other; None:
from the film's first frame on, as the film itself is read."""


class RangeMismatchError(FilmError):
    """The frames that were read are not those of the film."""


def read_range(
    path: Path, media: MediaInfo, film_range: FilmRange, lead_s: float | None
) -> Iterator[Frame]:
    """Yield the frames of a range, decoded in a background thread.

    Args:
        path: The film file.
        media: What it holds, as `probe` returns it.
        film_range: The range.
        lead_s: Seconds before the range from which a keyframe is looked for; None: from the film's
            first frame on.

    Raises:
        RangeMismatchError: Frames differ from the film's; some may have been yielded before.
        FilmError: The file is missing or no film.
    """
    if film_range.first_frame == 0:
        lead_s = None
    frames = _decode_range(Path(path), media, film_range, lead_s)
    with closing(read_ahead(frames)) as ahead:
        yield from ahead


def _decode_range(
    path: Path, media: MediaInfo, film_range: FilmRange, lead_s: float | None
) -> Generator[Frame, None, None]:
    container, stream = open_video(path)
    maker = FrameMaker(media)
    first, pts = film_range.first_frame, film_range.pts
    with container:
        if lead_s is not None:
            _seek(container, stream, media, int(pts[0]), lead_s)
        decoded = decode_frames(container, stream, [])
        at_range = _skip_frames(decoded, first) if lead_s is None else _skip_until(decoded, pts[0])
        count = 0
        for count, frame in enumerate(at_range, start=1):
            made = maker.make(first + count - 1, int(pts[count - 1]), frame)
            is_stated = lead_s is None or stated_pts(frame) == made.pts
            if not is_stated or compute_checksum(made) != film_range.checksums[count - 1]:
                break
            yield made
            if count == film_range.frames:
                return
    raise RangeMismatchError(
        f"{path} does not show the same frames each time it is read: it has changed meanwhile, "
        "or is damaged; run it again in one piece (--pieces 1)."
    )


def _seek(
    container: InputContainer, stream: VideoStream, media: MediaInfo, pts: int, lead_s: float
) -> None:
    """Go to a keyframe some seconds before a time; to the beginning where that is impossible."""
    base = Fraction(media.time_base)
    wanted = max(pts - round(lead_s / base), round(media.start_s / base))
    with suppress(av.error.FFmpegError, OSError):
        container.seek(wanted, stream=stream)


def _skip_frames(frames: Iterator[VideoFrame], count: int) -> Iterator[VideoFrame]:
    for index, frame in enumerate(frames):
        if index >= count:
            yield frame


def _skip_until(frames: Iterator[VideoFrame], pts: int) -> Iterator[VideoFrame]:
    """Yield the frames from the one at a time on; none where no frame has that time."""
    for frame in frames:
        stated = stated_pts(frame)
        if stated is not None and stated > pts:
            return
        if stated == pts:
            yield frame
            yield from frames
            return
