"""Final Cut Pro 7 XML (xmeml), which Premiere Pro imports: the film with sequence markers."""

from __future__ import annotations

from typing import BinaryIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from personae.core.timecode import Timecode, timecode_base
from personae.export.editors.cut_list import FilmClip, describe_film, list_cuts
from personae.export.export_format import ExportRequest

VERSION = "5"
"""Of the xmeml format; the last one."""

SEQUENCE_ID, FILE_ID, CLIP_ID = "sequence-1", "file-1", "clip"
"""Identifiers that elements refer to each other by."""


def write_premiere_xml(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a sequence of the whole film with a marker for each appearance.

    A marker's name is that of its character. Premiere Pro shows sequence markers with their length.

    Raises:
        SettingError: The film has a variable frame rate or one that no editing program uses.
    """
    film, cuts = describe_film(request), list_cuts(request)
    root = Element("xmeml", version=VERSION)
    sequence = SubElement(root, "sequence", id=SEQUENCE_ID)
    _text(sequence, name=film.name, duration=film.frames)
    _rate(sequence, film)
    _timecode(sequence, film)
    media = SubElement(sequence, "media")
    video = SubElement(media, "video")
    characteristics = SubElement(SubElement(video, "format"), "samplecharacteristics")
    _rate(characteristics, film)
    _text(characteristics, width=film.width, height=film.height, pixelaspectratio="square")
    _clip(SubElement(video, "track"), film, "video", 1)
    if film.audio_channels:
        audio = SubElement(media, "audio")
        for channel in range(1, film.audio_channels + 1):
            _clip(SubElement(audio, "track"), film, "audio", channel)
    for cut in cuts:
        marker = SubElement(sequence, "marker")
        _text(marker, comment=cut.note, name=cut.title)
        SubElement(marker, "in").text = str(cut.start_frame)
        SubElement(marker, "out").text = str(cut.end_frame)
    ElementTree.indent(root)
    stream.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n')
    stream.write(ElementTree.tostring(root, encoding="utf-8") + b"\n")


def _clip(track: Element, film: FilmClip, kind: str, channel: int) -> None:
    """Put the whole film on a track: its picture, or one channel of its sound."""
    item = SubElement(track, "clipitem", id=f"{CLIP_ID}-{kind}-{channel}")
    _text(item, name=film.name, enabled="TRUE", duration=film.frames)
    _rate(item, film)
    _text(item, start=0, end=film.frames)
    SubElement(item, "in").text = "0"
    SubElement(item, "out").text = str(film.frames)
    if kind == "video":
        _file(item, film)
    else:
        SubElement(item, "file", id=FILE_ID)
        _text(SubElement(item, "sourcetrack"), mediatype="audio", trackindex=channel)
    kinds = [("video", 1), *(("audio", n) for n in range(1, film.audio_channels + 1))]
    for other, number in kinds:
        link = SubElement(item, "link")
        _text(link, linkclipref=f"{CLIP_ID}-{other}-{number}", mediatype=other, trackindex=number)
        _text(link, clipindex=1)


def _file(item: Element, film: FilmClip) -> None:
    """Describe the film's file; later clips refer to it by its identifier."""
    file = SubElement(item, "file", id=FILE_ID)
    _text(file, name=film.name, pathurl=film.url.replace("file://", "file://localhost", 1))
    _rate(file, film)
    _text(file, duration=film.frames)
    _timecode(file, film)
    media = SubElement(file, "media")
    characteristics = SubElement(SubElement(media, "video"), "samplecharacteristics")
    _rate(characteristics, film)
    _text(characteristics, width=film.width, height=film.height)
    if film.audio_channels:
        _text(SubElement(media, "audio"), channelcount=film.audio_channels)


def _rate(parent: Element, film: FilmClip) -> None:
    rate = SubElement(parent, "rate")
    ntsc = "TRUE" if film.rate.denominator == 1001 else "FALSE"
    _text(rate, timebase=timecode_base(film.rate), ntsc=ntsc)


def _timecode(parent: Element, film: FilmClip) -> None:
    """State the timecode of the first frame."""
    start = Timecode(film.first_timecode_frame, film.rate, film.drop_frame)
    timecode = SubElement(parent, "timecode")
    _rate(timecode, film)
    _text(timecode, string=start, frame=film.first_timecode_frame)
    _text(timecode, displayformat="DF" if film.drop_frame else "NDF")


def _text(parent: Element, **texts: object) -> None:
    """Append an element for each text."""
    for tag, text in texts.items():
        SubElement(parent, tag).text = str(text)
