"""Film time: pts and a rational time base are the truth, seconds and clock texts are derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, order=True)
class FilmTime:
    """A moment of a film: `pts` ticks of `time_base` seconds each, counted from the container's zero."""

    pts: int
    time_base: Fraction

    @property
    def seconds(self) -> float:
        """Seconds from the container's zero."""
        return float(self.pts * self.time_base)

    def __str__(self) -> str:
        return clock(self.seconds)


def clock(seconds: float) -> str:
    """Write seconds as ``h:mm:ss.mmm``; negative times carry a leading minus."""
    millis = round(abs(seconds) * 1000)
    minutes, millis = divmod(millis, 60_000)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 and (hours or minutes or millis) else ""
    return f"{sign}{hours}:{minutes:02d}:{millis // 1000:02d}.{millis % 1000:03d}"
