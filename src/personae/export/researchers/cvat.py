"""CVAT for video 1.1: a folder with the annotations, and the labels that the task needs first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import numpy as np

from personae.core.arrays import Float64Array
from personae.export.export_format import ExportRequest
from personae.export.researchers.face_tracks import (
    IGNORED,
    UNKNOWN,
    FaceTrack,
    FilmTracks,
    load_film_tracks,
)
from personae.export.researchers.frame_numbers import describe_frame_numbers

ANNOTATIONS_FILE = "annotations.xml"
"""To be uploaded as *CVAT for video 1.1*."""

LABELS_FILE = "labels.json"
"""To be pasted into the *Raw* tab of a new task's labels."""

TRACK_ATTRIBUTE = "track"
"""Attribute with the track's number in the project: CVAT numbers tracks anew when it exports."""

CONFIDENCE_ATTRIBUTE = "confidence"
"""Attribute with how surely the track belongs to its character, 0 to 1."""


def write_cvat(request: ExportRequest, folder: Path) -> None:
    """Write the selected face tracks with keyframes and outside flags, and the labels.

    Every character of the cast is a label, so that a track can be given to any of them.

    Source:
        CVAT's manual, *CVAT for video 1.1* and *Raw* labels.
    """
    film = load_film_tracks(request)
    labels = [*film.labels.values(), UNKNOWN, IGNORED]
    description = json.dumps([_raw_label(label) for label in labels], ensure_ascii=False, indent=1)
    (folder / LABELS_FILE).write_text(description + "\n", encoding="utf-8")
    with open(folder / ANNOTATIONS_FILE, "wb") as stream:
        xml = _XmlWriter(stream)
        xml.startDocument()
        with xml.element("annotations"):
            xml.leaf("version", "1.1")
            _write_meta(xml, film, labels, describe_frame_numbers(request.time))
            for identity, track in enumerate(film.tracks):
                _write_track(xml, identity, track, film.source.frames)


class _XmlWriter(XMLGenerator):
    """Writes elements one by one, each on a line of its own; memory does not grow with the film."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream, encoding="utf-8", short_empty_elements=True)
        self._depth = 0

    @contextmanager
    def element(self, tag: str, /, **attributes: object) -> Iterator[None]:
        """Write what the block writes as the content of an element."""
        self._indent()
        self.startElement(tag, _attributes(attributes))
        self._depth += 1
        yield
        self._depth -= 1
        self._indent()
        self.endElement(tag)

    def leaf(self, tag: str, text: object, /, **attributes: object) -> None:
        """Write an element that holds text only."""
        self._indent()
        self.startElement(tag, _attributes(attributes))
        self.characters(str(text))
        self.endElement(tag)

    def _indent(self) -> None:
        self.ignorableWhitespace("\n" + "  " * self._depth)


def _attributes(values: Mapping[str, object]) -> AttributesImpl[str]:
    return AttributesImpl({name: str(value) for name, value in values.items()})


def _raw_label(name: str) -> dict[str, object]:
    """Return a label as the *Raw* tab takes it."""
    return {
        "name": name,
        "type": "rectangle",
        "attributes": [
            {
                "name": attribute,
                "mutable": False,
                "input_type": "text",
                "default_value": "",
                "values": [""],
            }
            for attribute in (TRACK_ATTRIBUTE, CONFIDENCE_ATTRIBUTE)
        ],
    }


def _write_meta(xml: _XmlWriter, film: FilmTracks, labels: list[str], frame_numbers: str) -> None:
    """Write what the task is about."""
    source = film.source
    with xml.element("meta"):
        with xml.element("task"):
            xml.leaf("name", film.stem)
            xml.leaf("size", source.frames)
            xml.leaf("mode", "interpolation")
            xml.leaf("start_frame", 0)
            xml.leaf("stop_frame", source.frames - 1)
            with xml.element("labels"):
                for name in labels:
                    with xml.element("label"):
                        xml.leaf("name", name)
                        xml.leaf("type", "rectangle")
                        with xml.element("attributes"):
                            for attribute in (TRACK_ATTRIBUTE, CONFIDENCE_ATTRIBUTE):
                                with xml.element("attribute"):
                                    xml.leaf("name", attribute)
                                    xml.leaf("mutable", "False")
                                    xml.leaf("input_type", "text")
                                    xml.leaf("default_value", "")
                                    xml.leaf("values", "")
            with xml.element("original_size"):
                xml.leaf("width", source.width)
                xml.leaf("height", source.height)
        xml.leaf("source", film.file_name)
        xml.leaf("frame_numbers", frame_numbers)


def _write_track(xml: _XmlWriter, identity: int, track: FaceTrack, n_frames: int) -> None:
    """Write the boxes of a track; after each run of them the track is outside."""
    keyframes = track.keyframes()
    with xml.element("track", id=identity, label=track.label, source="auto"):
        for run in track.runs():
            for row in range(run.start, run.stop):
                _write_box(xml, track, int(track.frames[row]), track.boxes[row], keyframes[row])
            following = int(track.frames[run.stop - 1]) + 1
            if following < n_frames:
                _write_box(xml, track, following, track.boxes[run.stop - 1], outside=True)


def _write_box(
    xml: _XmlWriter,
    track: FaceTrack,
    frame: int,
    box: Float64Array,
    keyframe: np.bool_ | bool = True,
    outside: bool = False,
) -> None:
    x, y, w, h = box.tolist()
    with xml.element(
        "box",
        frame=frame,
        outside=int(outside),
        occluded=0,
        keyframe=int(keyframe),
        xtl=f"{x:.2f}",
        ytl=f"{y:.2f}",
        xbr=f"{x + w:.2f}",
        ybr=f"{y + h:.2f}",
        z_order=0,
    ):
        xml.leaf("attribute", track.number, name=TRACK_ATTRIBUTE)
        xml.leaf("attribute", f"{track.confidence:.3f}", name=CONFIDENCE_ATTRIBUTE)
