"""From a film to its shots, face tracks and aligned crops, in one pass; see `scan_film`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from personae.scan.scanner import Scan, scan_film
    from personae.scan.video_file import MediaInfo, probe

__all__ = ["MediaInfo", "Scan", "probe", "scan_film"]

_HOME = {
    "MediaInfo": "video_file",
    "probe": "video_file",
    "Scan": "scanner",
    "scan_film": "scanner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
