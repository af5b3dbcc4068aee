"""OpenTimelineIO: the film with markers, and a track for each character."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO

from personae.core.errors import SettingError
from personae.export.editors.cut_list import Cut, FilmClip, describe_film, list_cuts
from personae.export.export_format import ExportRequest
from personae.export.provenance import describe_provenance

if TYPE_CHECKING:
    from opentimelineio.opentime import TimeRange
    from opentimelineio.schema import Clip, ExternalReference, Marker, Track

MARKER_COLOURS = ("CYAN", "GREEN", "YELLOW", "RED", "PINK", "PURPLE", "BLUE", "ORANGE", "MAGENTA")
"""Names that OpenTimelineIO gives to colours of markers; characters take them in turn."""


def write_otio(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a timeline as OpenTimelineIO's JSON.

    Times are source timecode as frames: those of the film's clip and of all others are the same.

    Raises:
        SettingError: The film has a variable frame rate, or opentimelineio is not installed.
    """
    try:
        import opentimelineio as otio
    except ImportError:
        raise SettingError(
            "OTIO files need the package opentimelineio: pip install 'personae[editors]'."
        ) from None
    film, cuts = describe_film(request), list_cuts(request)
    timeline = otio.schema.Timeline(
        name=film.name,
        global_start_time=_range(film, 0, film.frames).start_time,
        metadata={"personae": describe_provenance(request.project)},
    )
    picture = otio.schema.Track("film", kind=otio.schema.TrackKind.Video)
    picture.append(_clip(film, film.name, 0, film.frames))
    picture[0].markers.extend(_marker(film, cut) for cut in cuts)
    timeline.tracks.append(picture)
    for _, own in groupby(sorted(cuts, key=lambda cut: cut.place), key=lambda cut: cut.place):
        timeline.tracks.append(_character_track(film, list(own)))
    if film.audio_channels:
        sound = otio.schema.Track("sound", kind=otio.schema.TrackKind.Audio)
        sound.append(_clip(film, film.name, 0, film.frames))
        timeline.tracks.append(sound)
    stream.write(timeline.to_json_string(indent=2).encode())


def _character_track(film: FilmClip, cuts: list[Cut]) -> Track:
    """Return a track with a clip for each appearance at its place in the film."""
    from opentimelineio import schema

    track = schema.Track(cuts[0].title, kind=schema.TrackKind.Video)
    end = 0
    for cut in cuts:
        if cut.start_frame > end:
            track.append(schema.Gap(source_range=_range(film, end, cut.start_frame)))
        clip = _clip(film, cut.title, cut.start_frame, cut.end_frame)
        clip.metadata["personae"] = _facts(cut)
        track.append(clip)
        end = cut.end_frame
    return track


def _clip(film: FilmClip, name: str, start_frame: int, end_frame: int) -> Clip:
    from opentimelineio import schema

    return schema.Clip(
        name=name,
        media_reference=_reference(film),
        source_range=_range(film, start_frame, end_frame),
    )


def _marker(film: FilmClip, cut: Cut) -> Marker:
    from opentimelineio import schema

    return schema.Marker(
        name=cut.title,
        marked_range=_range(film, cut.start_frame, cut.end_frame),
        color=MARKER_COLOURS[cut.place % len(MARKER_COLOURS)],
        comment=cut.note,
        metadata={"personae": _facts(cut)},
    )


def _reference(film: FilmClip) -> ExternalReference:
    from opentimelineio import schema

    return schema.ExternalReference(
        target_url=film.url, available_range=_range(film, 0, film.frames)
    )


def _range(film: FilmClip, start_frame: int, end_frame: int) -> TimeRange:
    """Return a range of frames as source timecode."""
    from opentimelineio.opentime import RationalTime, TimeRange

    rate = float(film.rate)
    return TimeRange(
        RationalTime(film.first_timecode_frame + start_frame, rate),
        RationalTime(end_frame - start_frame, rate),
    )


def _facts(cut: Cut) -> dict[str, object]:
    """Return what OpenTimelineIO has no field for."""
    one = cut.appearance
    return {
        "character": one.character,
        "name": one.name,
        "shot": one.shot,
        "start_pts": one.start_pts,
        "end_pts": one.end_pts,
        "box": [round(side, 1) for side in one.box],
        "confidence": round(one.confidence, 3),
        "reviewed": one.reviewed,
        "tracks": list(one.tracks),
    }
