"""The reel of a character: the film's frames in which it is on screen, with their sound."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream

from personae.core.errors import FilmError, SettingError
from personae.core.hooks import Hook, silent_hook
from personae.export import FilmTime, Selection, load_film_time
from personae.export.selection import select_characters
from personae.film_export.codecs import (
    AUDIO_ENCODERS,
    DEFAULT_CRF,
    VIDEO_ENCODERS,
    add_video_stream,
    check_crf,
    choose_encoder,
    describe_fallbacks,
)
from personae.film_export.film_writer import check_target, open_film_for_writing
from personae.film_export.frame_reader import FRAMES_PER_REPORT, FrameReader
from personae.film_export.result import WrittenFilm
from personae.film_export.segments import (
    Segment,
    add_handles,
    appearance_segments,
    check_seconds,
    intersect,
    list_shots,
    widen_to_shots,
)
from personae.film_export.sound_reader import SoundReader, count_sounds
from personae.film_export.sound_track import SoundTrack

if TYPE_CHECKING:
    from personae.project import Project


@dataclass(frozen=True)
class ReelSettings:
    """What a reel shows.

    Raises:
        SettingError: A value is out of its range.
    """

    whole_shots: bool = False
    """Show the whole shots that hold an appearance."""

    handle_s: float = 0.0
    """Seconds to show before and after, across cuts too."""

    max_gap_s: float = 1.0
    """Appearances in one shot at most so many seconds apart are shown as one."""

    crf: int = DEFAULT_CRF
    """Quality of encoded frames: 0 is without loss, 51 is worst."""

    def __post_init__(self) -> None:
        check_seconds(self.handle_s, "A handle")
        check_seconds(self.max_gap_s, "A gap")
        check_crf(self.crf)


def write_reel(
    project: Project,
    film: Path,
    names: tuple[str, ...],
    out: Path,
    settings: ReelSettings | None = None,
    hook: Hook = silent_hook,
) -> WrittenFilm:
    """Write what a film shows of a character, or of several together, as a film of its own.

    It is cut exactly at frames, and its sound at samples.

    Args:
        project: The project.
        film: The film file, see `find_film`; it is only read.
        names: Labels or names of characters; of several, the moments with all of them on screen.
        out: The reel, which appears only when it is complete.
        settings: What it shows.
        hook: Called with the progress of the stage "reel" in frames.

    Raises:
        SettingError: There is no such character, or it is never on screen.
        ProjectError: The clustering has not finished.
        FilmError: The film cannot be read.
        OutputError: The reel cannot be written.
    """
    settings = settings or ReelSettings()
    started = time.perf_counter()
    segments = select_segments(project, load_film_time(project), names, settings)
    check_target(out, film)
    encoder = choose_encoder(tuple(VIDEO_ENCODERS), "video")
    n_sounds = count_sounds(film)
    sound_encoder = choose_encoder(AUDIO_ENCODERS, "sound") if n_sounds else None
    with (
        FrameReader(film) as frames,
        SoundReader(film, sound_encoder) if sound_encoder else nullcontext() as sound,
        open_film_for_writing(out) as container,
    ):
        video = add_video_stream(container, frames, project.source.rotation, settings.crf, encoder)
        track = SoundTrack(container, sound, sound_encoder) if sound and sound_encoder else None
        reel = _Reel(container, video, frames, track)
        ticks = sum(one.end_pts - one.start_pts for one in segments)
        reel.write(segments, max(1, round(ticks * frames.time_base * frames.rate)), hook)
        notes = [*describe_fallbacks(encoder, sound_encoder), *frames.describe_damage()]
    if n_sounds == 0:
        notes.append("The film has no sound, and so has the reel none.")
    elif n_sounds > 1:
        notes.append(f"The film has {n_sounds} sound tracks; the reel has the main one.")
    return WrittenFilm(
        path=out,
        frames=reel.n_frames,
        duration_s=float(reel.end_pts * frames.time_base),
        compute_s=time.perf_counter() - started,
        notes=tuple(notes),
    )


def select_segments(
    project: Project, film_time: FilmTime, names: tuple[str, ...], settings: ReelSettings
) -> list[Segment]:
    """Return the stretches that a reel of some characters shows, in order of time.

    Raises:
        SettingError: There is no such character, or it is never on screen.
        ProjectError: The clustering has not finished.
    """
    if not names:
        raise SettingError("Name the character that the reel is of, such as P01.")
    characters = select_characters(project.cast(), Selection(only=names))
    seen = [
        appearance_segments(project, one.label, film_time, settings.max_gap_s) for one in characters
    ]
    segments = reduce(intersect, seen)
    if not segments:
        who = " and ".join(one.name or one.label for one in characters)
        state = "is never" if len(characters) == 1 else "are never together"
        raise SettingError(f"{who} {state} on screen, so there is no reel to make.")
    if settings.whole_shots:
        segments = widen_to_shots(segments, list_shots(project))
    film = Segment(film_time.start_pts, film_time.end_pts)
    handle = Fraction(settings.handle_s) / film_time.time_base
    return add_handles(segments, handle, film)


class _Reel:
    """The reel while it is being written."""

    def __init__(
        self,
        container: OutputContainer,
        video: VideoStream,
        frames: FrameReader,
        sound: SoundTrack | None,
    ) -> None:
        self._container, self._video = container, video
        self._frames, self._sound = frames, sound
        self.n_frames = 0
        """Frames so far."""
        self.end_pts = 0
        """Ticks of the film's time base so far."""

    def write(self, segments: list[Segment], total_frames: int, hook: Hook) -> None:
        """Write some stretches of the film one after the other."""
        for number, segment in enumerate(segments, 1):
            self._write_segment(segment, total_frames, hook)
            facts = {"cuts": f"{number}/{len(segments)}"}
            hook("reel", self.n_frames, max(total_frames, self.n_frames), **facts)
        if self.n_frames == 0:
            raise FilmError("The film holds no frame there that can be decoded.")
        self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._sound.finish()

    def _write_segment(self, segment: Segment, total_frames: int, hook: Hook) -> None:
        time_base, shift = self._frames.time_base, None
        for pts, frame in self._frames.read(segment.start_pts, segment.end_pts):
            # the first frame after a cut is one that players can jump to
            frame.pict_type = PictureType.I if shift is None else PictureType.NONE
            if shift is None:
                shift = self.end_pts - pts
                if self._sound is not None:
                    self._sound.start_at(pts * time_base)
            frame.pts, frame.time_base = pts + shift, time_base
            self._container.mux(self._video.encode(frame))
            if self._sound is not None:
                self._sound.write_until((pts + shift) * time_base)
            self.n_frames += 1
            if self.n_frames % FRAMES_PER_REPORT == 0:
                hook("reel", self.n_frames, max(total_frames, self.n_frames))
        if shift is not None:
            self.end_pts = self._end_of(segment) + shift
            if self._sound is not None:
                self._sound.write_until(self.end_pts * time_base)

    def _end_of(self, segment: Segment) -> int:
        """Return when the last frame of a segment ends: at the next frame, where one is due."""
        next_pts = self._frames.next_pts
        if next_pts is not None and next_pts < segment.end_pts + self._frames.step:
            return next_pts
        return segment.end_pts
