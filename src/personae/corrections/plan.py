"""From a corrected file to the edits that it asks for, and to what it cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.errors import CorrectionError
from personae.core.time import format_clock
from personae.corrections.corrected_file import CorrectedFile
from personae.corrections.corrected_track import CorrectedTrack
from personae.corrections.cvat_file import read_cvat_file
from personae.corrections.intended_edits import IntendedEdit, PresentCast, plan_edits
from personae.corrections.label_studio_file import read_label_studio_file
from personae.corrections.track_matching import StoredTrack, TrackMatching, match_tracks
from personae.export.film_time import FilmTime, load_film_time
from personae.export.researchers.face_tracks import (
    IGNORED,
    UNKNOWN,
    FaceTrack,
    label_characters,
    load_face_tracks,
)
from personae.export.researchers.label_studio import frame_numbers

if TYPE_CHECKING:
    from personae.project import Project

MIN_MATCHED_SHARE = 0.5
"""Share of a file's tracks that must be where the project has faces."""

XML_START = (b"<", b"PK")
"""How an XML file, or an archive with one, begins."""


@dataclass(frozen=True)
class CorrectionPlan:
    """What a corrected file asks for."""

    edits: tuple[IntendedEdit, ...]
    """In the order in which they have to be made."""

    unmatched: tuple[str, ...]
    """A line for each thing in the file that is no edit of the cast."""

    missing: tuple[int, ...]
    """Tracks of the cast that are not in the file."""

    n_matched: int
    """Tracks of the project that the file is about."""


def plan_corrections(project: Project, path: Path, ignore_missing: bool = False) -> CorrectionPlan:
    """Compare a corrected file with the present cast.

    Args:
        project: The project whose export was corrected.
        path: XML or ZIP of CVAT for video 1.1, or JSON of Label Studio.
        ignore_missing: Ignore the tracks that are not in the file; otherwise they stay.

    Raises:
        CorrectionError: The file cannot be read, or is about another film.
        ProjectError: The clustering has not finished.
    """
    corrected = read_corrected_file(project, path)
    present = load_face_tracks(project, with_ignored=True)
    time = load_film_time(project)
    stored = [_stored_track(track, corrected, time) for track in present]
    matching = match_tracks(corrected.tracks, stored)
    _check_matching(path, corrected, matching)
    tracks = {track.number: track for track in present}
    labels, split = _decide_labels(corrected, matching, tracks)
    missing = tuple(
        track.number
        for track in present
        if track.number not in matching.covering and track.label != IGNORED
    )
    if ignore_missing:
        labels.update(dict.fromkeys(missing, IGNORED))
    cast = PresentCast(
        owners={one.number: one.character for one in present if one.label != IGNORED},
        labels=label_characters(project.cast()),
    )
    return CorrectionPlan(
        edits=tuple(plan_edits(cast, labels)),
        unmatched=(
            *split,
            *_describe_dissolved(cast, labels),
            *_describe_surplus(corrected, matching, time),
        ),
        missing=() if ignore_missing else missing,
        n_matched=len(matching.covering),
    )


def read_corrected_file(project: Project, path: Path) -> CorrectedFile:
    """Read a corrected file, whichever program wrote it.

    Raises:
        CorrectionError: There is no such file, it is of another format, or about another film.
    """
    source = project.source
    try:
        with open(path, "rb") as stream:
            start = stream.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(XML_START):
            corrected = read_cvat_file(path)
        elif start.startswith((b"[", b"{")):
            name = Path(source.path).name
            corrected = read_label_studio_file(path, name, (source.width, source.height))
        else:
            raise CorrectionError(
                f"{path} is neither CVAT's XML or ZIP nor Label Studio's JSON: export it as "
                "CVAT for video 1.1 or as JSON."
            )
    except FileNotFoundError:
        raise CorrectionError(f"There is no file {path}; check the name.") from None
    except OSError as error:
        raise CorrectionError(f"{path} cannot be read ({error.strerror or error}).") from None
    if not corrected.tracks:
        raise CorrectionError(f"{path} holds no tracks: export the task with its annotations.")
    if corrected.size not in (None, (source.width, source.height)):
        width, height = corrected.size or (0, 0)
        raise CorrectionError(
            f"{path} is about a film of {width}x{height} pixels, and that of {project.folder} has "
            f"{source.width}x{source.height}: name the folder that it was exported from."
        )
    if corrected.content_hash not in (None, source.content_hash):
        raise CorrectionError(
            f"{path} is about another film than {project.folder}: "
            "name the folder that it was exported from."
        )
    return corrected


def _stored_track(track: FaceTrack, corrected: CorrectedFile, time: FilmTime) -> StoredTrack:
    positions = frame_numbers(track.pts, time) if corrected.counts_by_time else track.frames
    return StoredTrack(track.number, positions, track.boxes)


def _check_matching(path: Path, corrected: CorrectedFile, matching: TrackMatching) -> None:
    used = {row for rows in matching.covering.values() for row in rows}
    if len(used) < MIN_MATCHED_SHARE * len(corrected.tracks):
        raise CorrectionError(
            f"Only {len(used)} of the {len(corrected.tracks)} tracks of {path} are where faces "
            "were found: it is about another film or an earlier scan, and nothing was imported."
        )


def _decide_labels(
    corrected: CorrectedFile, matching: TrackMatching, tracks: Mapping[int, FaceTrack]
) -> tuple[dict[int, str], list[str]]:
    """Return the label of each track in the file, and a line for each that has several."""
    labels: dict[int, str] = {}
    lines = []
    for number, rows in matching.covering.items():
        pieces = [corrected.tracks[row] for row in rows]
        if len({piece.label.casefold() for piece in pieces}) == 1:
            labels[number] = pieces[0].label
            continue
        given = ", ".join(f"{piece.label} ({piece.identity})" for piece in pieces)
        lines.append(
            f"Track {number} of {tracks[number].label} is split in the file into {given}: "
            "a track is corrected as a whole, so it stays as it is."
        )
    return labels, lines


def _describe_dissolved(cast: PresentCast, labels: Mapping[int, str]) -> list[str]:
    """Return a line for each character of which the file leaves nothing but unknown tracks."""
    dissolved = [
        character
        for character in cast.labels
        if (own := cast.tracks_of(character))
        and {labels.get(track, character).casefold() or UNKNOWN for track in own}
        in ({UNKNOWN}, {UNKNOWN, IGNORED})
    ]
    return [
        f"All tracks of {cast.labels[character]} are {UNKNOWN!r} in the file, so nothing tells "
        f"who they are not: they stay; label them {IGNORED!r} to leave them out."
        for character in dissolved
    ]


def _describe_surplus(
    corrected: CorrectedFile, matching: TrackMatching, time: FilmTime
) -> list[str]:
    """Return a line for all that has no face track of the project."""
    used = {row for rows in matching.covering.values() for row in rows}
    lines = []
    for row, track in enumerate(corrected.tracks):
        named = f"{track.identity} ({track.label or 'no label'})"
        where = f"from {_clock(track, corrected, time)} on"
        if row not in used:
            lines.append(
                f"{_capitalise(named)} is new, with {len(track.positions)} boxes {where}: "
                "no face was tracked there, and boxes are not imported."
            )
        elif matching.surplus[row]:
            lines.append(
                f"{_capitalise(named)} has {matching.surplus[row]} boxes {where} where no face "
                "was tracked: boxes are not imported."
            )
    if corrected.boxes_without_track:
        lines.append(
            f"{corrected.boxes_without_track} boxes of single frames belong to no track: "
            "they are not imported."
        )
    return lines


def _clock(track: CorrectedTrack, corrected: CorrectedFile, time: FilmTime) -> str:
    """Return when a corrected track begins, roughly where the frame rate is variable."""
    position = int(track.positions[0]) - (1 if corrected.counts_by_time else 0)
    return format_clock(float(time.seconds(time.start_pts) + position / time.average_rate))


def _capitalise(text: str) -> str:
    return text[0].upper() + text[1:]
