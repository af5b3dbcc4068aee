"""FCPXML for Final Cut Pro: keyword ranges on the film, and a timeline with markers."""

from __future__ import annotations

from fractions import Fraction
from typing import BinaryIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from personae.export.editors.cut_list import Cut, FilmClip, describe_film, list_cuts
from personae.export.export_format import ExportRequest

VERSION = "1.8"
"""Of the format; Final Cut Pro 10.4 and later and DaVinci Resolve read it."""

FORMAT_ID, ASSET_ID = "r1", "r2"
"""Identifiers of the resources."""


def write_fcpxml(request: ExportRequest, stream: BinaryIO) -> None:
    """Write an event with the film, and a timeline of the whole film.

    In the event, each appearance is a range with the character's name as its keyword, so that every
    character has a collection in the browser. In the timeline, each is a marker. All times are
    whole frames as fractions of a second, and count as source timecode does.

    Raises:
        SettingError: The film has a variable frame rate.
    """
    film, cuts = describe_film(request), list_cuts(request)
    root = Element("fcpxml", version=VERSION)
    _add_resources(SubElement(root, "resources"), film)
    event = SubElement(SubElement(root, "library"), "event", name=film.name)
    clip = _add_clip(event, film)
    for cut in cuts:
        SubElement(clip, "keyword", {**_range(film, cut), "value": _keyword(cut)})
    for name in dict.fromkeys(map(_keyword, cuts)):
        SubElement(event, "keyword-collection", name=name)
    sequence = SubElement(
        SubElement(event, "project", name=f"{film.name}: appearances"),
        "sequence",
        format=FORMAT_ID,
        duration=_seconds(film, film.frames),
        tcStart=_seconds(film, film.first_timecode_frame),
        tcFormat="DF" if film.drop_frame else "NDF",
    )
    clip = _add_clip(SubElement(sequence, "spine"), film)
    clip.set("offset", _seconds(film, film.first_timecode_frame))
    for cut in cuts:
        frame = {**_range(film, cut), "duration": _seconds(film, 1)}
        SubElement(clip, "marker", {**frame, "value": cut.title, "note": cut.note})
    ElementTree.indent(root)
    stream.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n')
    stream.write(ElementTree.tostring(root, encoding="utf-8") + b"\n")


def _add_resources(resources: Element, film: FilmClip) -> None:
    """Describe the film's format and file."""
    SubElement(
        resources,
        "format",
        id=FORMAT_ID,
        frameDuration=_seconds(film, 1),
        width=str(film.width),
        height=str(film.height),
    )
    asset = SubElement(
        resources,
        "asset",
        id=ASSET_ID,
        name=film.name,
        src=film.url,
        start=_seconds(film, film.first_timecode_frame),
        duration=_seconds(film, film.frames),
        hasVideo="1",
        format=FORMAT_ID,
    )
    if film.audio_channels:
        asset.attrib |= {"hasAudio": "1", "audioSources": "1"}
        asset.set("audioChannels", str(film.audio_channels))


def _add_clip(parent: Element, film: FilmClip) -> Element:
    """Append the whole film."""
    clip = SubElement(
        parent,
        "asset-clip",
        ref=ASSET_ID,
        name=film.name,
        format=FORMAT_ID,
        start=_seconds(film, film.first_timecode_frame),
        duration=_seconds(film, film.frames),
        tcFormat="DF" if film.drop_frame else "NDF",
    )
    if film.audio_channels:
        clip.set("audioRole", "dialogue")
    return clip


def _keyword(cut: Cut) -> str:
    """Return the character's name as a keyword, of which commas separate several."""
    return cut.title.replace(",", ";")


def _range(film: FilmClip, cut: Cut) -> dict[str, str]:
    """Return start and duration of an appearance in the film's own time."""
    start = film.first_timecode_frame + cut.start_frame
    return {"start": _seconds(film, start), "duration": _seconds(film, cut.frames)}


def _seconds(film: FilmClip, frames: int) -> str:
    """Return a whole number of frames as seconds: ``1001/24000s``."""
    seconds = Fraction(frames) / film.rate
    if seconds.denominator == 1:
        return f"{seconds.numerator}s"
    # the rate's own denominator keeps fractions recognisable as frames
    scale = film.rate.numerator
    return f"{seconds.numerator * (scale // seconds.denominator)}/{scale}s"
