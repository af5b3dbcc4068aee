"""Media types of film files, as links to them state."""

from __future__ import annotations

from pathlib import PurePath

MEDIA_TYPES = {
    ".avi": "video/x-msvideo",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".mts": "video/mp2t",
    ".mxf": "application/mxf",
    ".ogv": "video/ogg",
    ".ts": "video/mp2t",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-wmv",
}
"""Ending of a file -> its media type."""


def video_media_type(file_name: str) -> str:
    """Return the media type of a film by the ending of its name; video/mp4 for an unknown one."""
    return MEDIA_TYPES.get(PurePath(file_name).suffix.lower(), "video/mp4")
