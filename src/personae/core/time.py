"""Times of a film as text."""

from __future__ import annotations


def format_clock(seconds: float) -> str:
    """Format seconds as ``h:mm:ss.mmm``; negative times have a leading minus."""
    millis = round(abs(seconds) * 1000)
    minutes, millis = divmod(millis, 60_000)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 and (hours or minutes or millis) else ""
    return f"{sign}{hours}:{minutes:02d}:{millis // 1000:02d}.{millis % 1000:03d}"
