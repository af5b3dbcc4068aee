"""How the report writes numbers: clock texts, counts, shares, sizes."""

from __future__ import annotations

from personae.core.time import clock


def short_clock(seconds: float) -> str:
    """Write seconds as ``h:mm:ss.t``: tenths are enough to find a moment by eye."""
    return clock(round(seconds, 1))[:-2]


def whole_clock(seconds: float) -> str:
    """Write whole seconds as ``h:mm:ss``."""
    return clock(round(seconds))[:-4]


def percent(share: float) -> str:
    """Write 0..1 as a percentage without decimals; only exact 0 and 1 become 0 % and 100 %."""
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"


def thousands(count: int) -> str:
    """Write a count with thin spaces between thousands."""
    return f"{count:,}".replace(",", "\u202f")


def count_of(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: 1 track, 2 tracks."""
    return f"{thousands(count)}\u00a0{one if count == 1 else many or one + 's'}"


def size_text(size: int) -> str:
    """Write a file's size in decimal units."""
    units = iter(("bytes", "kB", "MB", "GB", "TB"))
    value, unit = float(size), next(units)
    while value >= 999.5 and unit != "TB":
        value, unit = value / 1000, next(units)
    return (
        f"{value:.0f}\u00a0{unit}"
        if unit == "bytes" or value >= 99.95
        else f"{value:.1f}\u00a0{unit}"
    )
