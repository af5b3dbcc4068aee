"""From a film to its shots, face tracks and aligned crops, in one pass; see `scan_film`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.scan.scanner import ScanResult, scan_film
    from personae.scan.video_file import MediaInfo, probe

__all__ = ["MediaInfo", "ScanResult", "probe", "scan_film"]

_MODULES = {
    "MediaInfo": "video_file",
    "ScanResult": "scanner",
    "probe": "video_file",
    "scan_film": "scanner",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
