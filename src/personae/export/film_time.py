"""The clock of a film: from pts to seconds, frame numbers and timecode, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePath
from typing import TYPE_CHECKING

from personae.core.errors import SettingError
from personae.core.timecode import Timecode, has_timecode, parse_timecode

if TYPE_CHECKING:
    from personae.project import Project
    from personae.project.manifest import Source

DEFAULT_RATE = Fraction(25)
"""Frames per second of a film whose container states none."""

MICROSECONDS = 1_000_000
"""Containers state their start in such parts of a second."""


@dataclass(frozen=True)
class FilmTime:
    """The clock of one film; all results are exact fractions or whole numbers."""

    time_base: Fraction
    """Seconds per tick of pts."""

    start_pts: int
    """Of the first frame."""

    end_pts: int
    """First tick after the last frame."""

    container_start: Fraction
    """Seconds at which the first stream of the file starts: the zero of most players."""

    rate: Fraction | None
    """Frames per second at which all frames come; None where the frame rate is variable."""

    average_rate: Fraction
    """Frames per second; `rate` where that is not None."""

    start_timecode: Timecode | None
    """Of the first frame; None where the frame rate is variable or has no timecode."""

    file: str
    """Name of the film's file, for messages."""

    def seconds(self, pts: int) -> Fraction:
        """Return container time, as the project's tables hold it: pts times time base."""
        return pts * self.time_base

    def seconds_from_first_frame(self, pts: int) -> Fraction:
        """Return the time since the first frame."""
        return (pts - self.start_pts) * self.time_base

    def player_seconds(self, pts: int) -> Fraction:
        """Return the time that a player shows, which starts with the first stream of the file.

        Subtitles, chapters and media fragments count from there.
        """
        return pts * self.time_base - self.container_start

    def frame_number(self, pts: int) -> int:
        """Return the frame that an editing program shows then, the first frame being 0.

        Raises:
            SettingError: The film has a variable frame rate.
        """
        return round(self.seconds_from_first_frame(pts) * self.constant_rate())

    def timecode(self, pts: int) -> Timecode:
        """Return the source timecode of the frame at a time.

        Raises:
            SettingError: The film has a variable frame rate, or one without timecode.
        """
        frame = self.frame_number(pts)
        start = self.start_timecode or parse_timecode("00:00:00:00", self.constant_rate())
        return start + frame

    def constant_rate(self) -> Fraction:
        """Return the frames per second.

        Raises:
            SettingError: The film has a variable frame rate.
        """
        if self.rate is None:
            raise SettingError(
                f"{self.file} has a variable frame rate, in which frame numbers and timecode "
                "mean nothing to an editing program: convert it to a constant rate and run "
                "again, or choose a format that holds seconds, such as csv, json or vtt."
            )
        return self.rate


def load_film_time(project: Project, timecode: str | None = None) -> FilmTime:
    """Return the clock of a project's film.

    Args:
        project: The project.
        timecode: Of the first frame, instead of the one that the container states.

    Raises:
        ProjectError: The scan has not finished.
        SettingError: The timecode cannot be that of a frame of this film.
    """
    source, shots = project.source, project.table("shots")
    time_base = Fraction(source.time_base)
    start_pts = round(Fraction(source.start_s) / time_base)
    end_pts = start_pts + round(Fraction(source.duration_s) / time_base)
    if len(shots):
        start_pts, end_pts = shots["start_pts"][0].as_py(), shots["end_pts"][-1].as_py()
    rate = Fraction(source.constant_rate) if source.constant_rate else None
    average = rate or (Fraction(source.frame_rate) if source.frame_rate else DEFAULT_RATE)
    container_start = Fraction(round(source.container_start_s * MICROSECONDS), MICROSECONDS)
    if abs(container_start - start_pts * time_base) <= Fraction(1, MICROSECONDS):
        container_start = start_pts * time_base  # the video starts first, which rounding hid
    clock = FilmTime(
        time_base=time_base,
        start_pts=start_pts,
        end_pts=end_pts,
        container_start=container_start,
        rate=rate,
        average_rate=average,
        start_timecode=None,
        file=PurePath(source.path).name,
    )
    return FilmTime(**{**vars(clock), "start_timecode": _start_timecode(clock, source, timecode)})


def _start_timecode(clock: FilmTime, source: Source, given: str | None) -> Timecode | None:
    """Return the timecode of the first frame: the given, the container's, or zero."""
    if given is not None:
        return parse_timecode(given, clock.constant_rate())
    if clock.rate is None or not has_timecode(clock.rate):
        return None
    if source.timecode is not None:
        try:
            return parse_timecode(source.timecode, clock.rate)
        except SettingError:
            pass  # some cameras write timecode of another rate; it names no frame of this film
    return parse_timecode("00:00:00:00", clock.rate)
