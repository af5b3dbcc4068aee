"""A copy of a film in which faces cannot be recognised."""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from personae.core.errors import FilmError, SettingError
from personae.core.hooks import Hook, silent_hook
from personae.core.time import format_clock
from personae.film_export.blur_settings import BlurSettings
from personae.film_export.codecs import (
    VIDEO_ENCODERS,
    add_video_stream,
    choose_encoder,
    describe_fallbacks,
)
from personae.film_export.film_writer import check_target, open_film_for_writing
from personae.film_export.frame_geometry import to_stored_boxes
from personae.film_export.frame_reader import FRAMES_PER_REPORT, FrameReader
from personae.film_export.hidden_faces import (
    SECOND_SEARCH,
    FacePath,
    load_face_paths,
    select_hidden_tracks,
)
from personae.film_export.lost_faces import ShotFrames, find_lost_faces
from personae.film_export.obscuring import obscure
from personae.film_export.regions import Regions, build_regions, find_bridges
from personae.film_export.result import BlurredFilm
from personae.film_export.stream_copy import StreamCopier
from personae.film_export.unfollowed import list_unfollowed, write_unfollowed
from personae.scan.video_reader import reformat

if TYPE_CHECKING:
    from personae.project import Project
    from personae.project.manifest import Source

MAX_START_S = 10
"""Container time of the start up to which it is kept. Recordings of broadcasts start at any time of
day, and players would show nothing until then."""


def write_blurred_film(
    project: Project,
    film: Path,
    out: Path,
    settings: BlurSettings | None = None,
    hook: Hook = silent_hook,
) -> BlurredFilm:
    """Write a copy of a film in which faces cannot be recognised.

    Every frame keeps its time. Sound and subtitles are copied as they are. Where a hidden face
    overlaps a clear one, hiding wins. Beside the copy, a CSV file lists where a face may have been
    lost.

    Args:
        project: The project.
        film: The film file, see `find_film`; it is only read.
        out: The copy, which appears only when it is complete.
        settings: Which faces are hidden, and how.
        hook: Called with the progress of the stage "blur" in frames.

    Raises:
        SettingError: There is no such character, there is nothing to hide, or the container cannot
            hold the sound.
        ProjectError: The clustering has not finished.
        FilmError: The film cannot be read.
        OutputError: The copy cannot be written.
    """
    settings = settings or BlurSettings()
    started = time.perf_counter()
    hidden, notes = select_hidden_tracks(project, settings.people)
    paths = load_face_paths(project, hidden, not settings.people.keep_unknown)
    if not paths:
        raise SettingError("There is no face to hide: nobody but those who stay clear was found.")
    check_target(out, film)
    encoder = choose_encoder(tuple(VIDEO_ENCODERS), "video")
    source, shots = project.source, project.table("shots").to_pylist()
    bounds = {row["shot"]: (row["first_frame"], row["last_frame"]) for row in shots}
    with FrameReader(film) as frames, open_film_for_writing(out) as container:
        fps = float(frames.rate)
        paths = _add_lost_faces(project, film, paths, hidden, fps, settings, hook)
        bridges = find_bridges(paths, fps)
        regions = build_regions(paths, bridges, bounds, fps, settings.hold_s, settings.padding)
        video = add_video_stream(container, frames, source.rotation, settings.crf, encoder)
        shift_s = compute_shift_s(source.container_start_s)
        with StreamCopier(film, container, shift_s) as copier:
            copy = _Copy(container, video, copier, regions, source, settings)
            starts = {row["first_frame"]: row["start_pts"] for row in shots}
            pts = copy.write(frames, starts, shift_s, hook)
        times_s = np.array([*pts, shots[-1]["end_pts"]]) * float(frames.time_base)
        n_held = round(settings.hold_s * fps)
        names = {one.label: one.name for one in project.cast()}
        unfollowed = list_unfollowed(paths, bridges, bounds, times_s, n_held, names)
        unfollowed_path = out.with_suffix(".unfollowed.csv")
        write_unfollowed(unfollowed, unfollowed_path)
        notes += [*describe_fallbacks(encoder, None), *copier.notes, *frames.describe_damage()]
    if shift_s:
        notes.append(f"Times of the copy are {format_clock(shift_s)} less than those of the film.")
    return BlurredFilm(
        path=out,
        frames=len(pts),
        duration_s=float(times_s[-1] - times_s[0]),
        compute_s=time.perf_counter() - started,
        notes=tuple(notes),
        unfollowed=tuple(unfollowed),
        unfollowed_path=unfollowed_path,
    )


def _add_lost_faces(
    project: Project,
    film: Path,
    paths: list[FacePath],
    hidden: Mapping[int, str | None],
    fps: float,
    settings: BlurSettings,
    hook: Hook,
) -> list[FacePath]:
    """Return the hidden faces with those that a second search finds.

    Args:
        project: The project.
        film: The film file.
        paths: The hidden faces that the scan found.
        hidden: Hidden tracks -> the label of their character, None where it is unknown.
        fps: Frames per second.
        settings: Which faces are hidden, and how thoroughly they are searched.
        hook: Called with the progress.

    Raises:
        FilmError: The film cannot be read.
    """
    rows = project.table("shots").to_pylist()
    bounds = {row["shot"]: (row["first_frame"], row["last_frame"]) for row in rows}
    shots = {
        row["shot"]: ShotFrames(
            row["first_frame"], row["last_frame"], row["start_pts"], row["end_pts"]
        )
        for row in rows
    }
    bridges = find_bridges(paths, fps)
    hold_s, n_held = settings.hold_s, round(settings.hold_s * fps)
    if settings.thorough:
        spans = [(shot, first, last + 1) for shot, (first, last) in bounds.items()]
    else:
        frames = np.arange(rows[-1]["last_frame"] + 2, dtype=np.float64)
        lost = list_unfollowed(paths, bridges, bounds, frames, n_held, {})
        spans = [(one.shot, one.start_frame, one.end_frame) for one in lost]
    others = set(project.table("characters", "track")["track"].to_pylist()) - hidden.keys()
    clear = load_face_paths(project, dict.fromkeys(others), with_single_faces=False)
    found = find_lost_faces(
        film,
        project.source,
        fps,
        shots,
        spans,
        paths,
        build_regions(paths, bridges, bounds, fps, hold_s, settings.padding),
        build_regions(clear, find_bridges(clear, fps), bounds, fps, hold_s, 0.0),
        hook,
    )
    if settings.people.keep_unknown:
        found = [one for one in found if one.track != SECOND_SEARCH]
    return sorted([*paths, *found], key=lambda one: (one.first_frame, one.track))


def compute_shift_s(container_start_s: float) -> int:
    """Return the whole seconds by which the times of a film that starts late become smaller."""
    return int(container_start_s) if container_start_s > MAX_START_S else 0


class _Copy:
    """The copy while it is being written."""

    def __init__(
        self,
        container: OutputContainer,
        video: VideoStream,
        copier: StreamCopier,
        regions: Regions,
        source: Source,
        settings: BlurSettings,
    ) -> None:
        self._container, self._video, self._copier = container, video, copier
        self._regions, self._source, self._settings = regions, source, settings

    def write(
        self, frames: FrameReader, shot_starts: dict[int, int], shift_s: int, hook: Hook
    ) -> array[int]:
        """Write every frame of the film.

        Args:
            frames: The film.
            shot_starts: First frame of a shot -> its pts.
            shift_s: Seconds by which times become smaller.
            hook: Called with the progress.

        Returns:
            The film's pts of every frame.

        Raises:
            FilmError: The frames are not those that were scanned.
        """
        all_pts = array("q")
        shift, total = round(shift_s / frames.time_base), self._source.frames
        for pts, frame in frames.all_frames():
            index = len(all_pts)
            if shot_starts.get(index, pts) != pts:
                raise self._other_frames_error()
            obscured = self._obscure(frame, index)
            obscured.pts, obscured.time_base = pts - shift, frames.time_base
            obscured.pict_type = PictureType.NONE
            self._container.mux(self._video.encode(obscured))
            self._copier.copy_until(pts * frames.time_base)
            all_pts.append(pts)
            if len(all_pts) % FRAMES_PER_REPORT == 0:
                hook("blur", len(all_pts), max(total, len(all_pts)))
        if len(all_pts) != total:
            raise self._other_frames_error()
        self._container.mux(self._video.encode(None))
        self._copier.finish()
        hook("blur", total, total)
        return all_pts

    def _obscure(self, frame: VideoFrame, index: int) -> VideoFrame:
        """Return a frame in the format of the copy, with what is hidden in it obscured."""
        source, settings = self._source, self._settings
        wanted = self._video.format.name
        if frame.format.name != wanted:
            frame = reformat(frame, frame.width, frame.height, wanted, "BILINEAR")
        boxes = to_stored_boxes(
            self._regions.at(index), source.rotation, source.width, source.height
        )
        obscure(frame, boxes, settings.style, settings.shape)
        return frame

    def _other_frames_error(self) -> FilmError:
        return FilmError(
            f"{self._source.path} is decoded to other frames now than when it was scanned: "
            "run `personae run` on it again with this version of PyAV, into a new folder."
        )
