"""Number formats of the report: clocks, counts, shares, file sizes."""

from __future__ import annotations

from personae.core.time import format_clock

THIN_SPACE, NO_BREAK_SPACE = "\u202f", "\u00a0"


def format_tenths(seconds: float) -> str:
    """Return seconds as `h:mm:ss.t`, precise enough to find a moment by eye."""
    return format_clock(round(seconds, 1))[:-2]


def format_whole_seconds(seconds: float) -> str:
    """Return seconds as `h:mm:ss`."""
    return format_clock(round(seconds))[:-4]


def format_percent(share: float) -> str:
    """Return 0..1 as a whole percentage; only exact 0 and 1 become 0 % and 100 %."""
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"


def format_count(count: int) -> str:
    """Return a count with thin spaces between thousands."""
    return f"{count:,}".replace(",", THIN_SPACE)


def format_count_of(count: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 track, 2 tracks."""
    noun = singular if count == 1 else plural or singular + "s"
    return f"{format_count(count)}{NO_BREAK_SPACE}{noun}"


def format_size(n_bytes: int) -> str:
    """Return a file size in decimal units."""
    units = iter(("bytes", "kB", "MB", "GB", "TB"))
    value, unit = float(n_bytes), next(units)
    while value >= 999.5 and unit != "TB":
        value, unit = value / 1000, next(units)
    digits = 0 if unit == "bytes" or value >= 99.95 else 1
    return f"{value:.{digits}f}{NO_BREAK_SPACE}{unit}"
