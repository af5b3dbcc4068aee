"""The film's file beside the pages: where it is, and whether a browser can play it as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.stream import VideoStream

from personae.core.files import FileVersion, file_version
from personae.export.film_path import find_film
from personae.project import Project
from personae.scan.video_file import open_video

PLAYABLE_PIXEL_FORMATS = {
    "h264": {"yuv420p", "yuvj420p"},
    "vp8": {"yuv420p"},
    "vp9": {"yuv420p"},
    "av1": {"yuv420p", "yuv420p10le"},
}
"""Codec of frames -> the pixel formats of it that the usual browsers decode."""

PLAYABLE_FRAMES = {"video/mp4": {"h264", "vp9", "av1"}, "video/webm": {"vp8", "vp9", "av1"}}
"""Media type -> the codecs of frames that the usual browsers play in it."""

PLAYABLE_SOUND = {
    "video/mp4": {"aac", "mp3", "opus", "flac"},
    "video/webm": {"opus", "vorbis"},
}
"""Media type -> the codecs of sound that the usual browsers play in it."""

EBML_HEAD_BYTES = 64
"""Bytes at the start of a Matroska file that name its kind: WebM is one of them."""


@dataclass(frozen=True)
class Playback:
    """How a browser can show a film."""

    media_type: str | None
    """Media type of the file itself; None: only a preview can be shown."""

    has_sound: bool
    """Whether the film has sound that can be decoded."""


class FilmFile:
    """The file of a project's film; it is looked for again whenever it has changed."""

    def __init__(self, project: Project, given: Path | None = None) -> None:
        """Say whose film it is.

        Args:
            project: The project.
            given: Where the user says that the film is.

        Raises:
            FilmError: The file that was given is not the film.
        """
        self._project, self._given = project, given
        self._lock = Lock()
        self._known: tuple[Path, FileVersion | None, Playback] | None = None
        if given is not None:
            find_film(project, given)

    def path(self) -> Path:
        """Return the path of the film, whose content is that of the project.

        Raises:
            FilmError: It is not there, or has changed.
        """
        return self._find()[0]

    def playback(self) -> Playback:
        """Return how a browser can show the film.

        Raises:
            FilmError: It is not there, has changed, or cannot be read.
        """
        return self._find()[1]

    def _find(self) -> tuple[Path, Playback]:
        with self._lock:
            if self._known is not None:
                path, version, playback = self._known
                if _version(path) == version:
                    return path, playback
            path = find_film(self._project, self._given)
            version = _version(path)
            playback = probe_playback(path)
            self._known = path, version, playback
            return path, playback


def probe_playback(path: Path) -> Playback:
    """Return how a browser can show a film, by its container and its codecs.

    Raises:
        FilmError: It cannot be read as a film.
    """
    container, video = open_video(path)
    with container:
        sound = container.streams.best("audio")
        has_sound = isinstance(sound, AudioStream) and sound.codec_context is not None
        media_type = _media_type(path, container.format.name)
        is_playable = (
            media_type is not None
            and _can_show(media_type, video)
            and (sound is None or _can_play(media_type, sound))
        )
        return Playback(media_type if is_playable else None, has_sound)


def _can_show(media_type: str, stream: VideoStream) -> bool:
    codec = stream.codec_context.codec.canonical_name
    return (
        codec in PLAYABLE_FRAMES[media_type]
        and stream.codec_context.pix_fmt in PLAYABLE_PIXEL_FORMATS[codec]
    )


def _can_play(media_type: str, stream: Stream) -> bool:
    return (
        isinstance(stream, AudioStream)
        and stream.codec_context is not None
        and stream.codec_context.codec.canonical_name in PLAYABLE_SOUND[media_type]
    )


def _media_type(path: Path, container: str) -> str | None:
    """Return the media type of a container that browsers know; None for all others."""
    kinds = container.split(",")
    if "mp4" in kinds:
        return "video/mp4"
    if "webm" in kinds:  # as the demultiplexer of all Matroska files is called
        with open(path, "rb") as stream:
            return "video/webm" if b"webm" in stream.read(EBML_HEAD_BYTES) else None
    return None


def _version(path: Path) -> FileVersion | None:
    """Return the version of a file; None where it cannot be seen."""
    try:
        return file_version(path)
    except OSError:
        return None
