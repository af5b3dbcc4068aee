"""CVAT for video 1.1: the tracks of an XML file, or of the archive that CVAT exports."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from personae.core.errors import CorrectionError
from personae.corrections.corrected_file import CorrectedFile
from personae.corrections.corrected_track import CorrectedTrack, Keyframe, interpolate_keyframes
from personae.export.researchers.cvat import ANNOTATIONS_FILE, TRACK_ATTRIBUTE


def read_cvat_file(path: Path) -> CorrectedFile:
    """Read the tracks of a file; shapes of single frames are counted and left out.

    Raises:
        CorrectionError: The file is not of this format.
    """
    tracks: list[CorrectedTrack] = []
    lone_boxes = 0
    size: tuple[int, int] | None = None
    try:
        with _open_annotations(path) as stream:
            for _, element in ElementTree.iterparse(stream):
                if element.tag == "track":
                    tracks += _read_track(element)
                    element.clear()
                elif element.tag == "image":
                    lone_boxes += len(element.findall("box"))
                    element.clear()
                elif element.tag == "original_size":
                    size = (int(_text(element, "width")), int(_text(element, "height")))
    except ElementTree.ParseError as error:
        raise CorrectionError(f"{path} is damaged: its XML ends or breaks off ({error}).") from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CorrectionError(
            f"{path} is no CVAT for video 1.1 file ({error}): export the task as that."
        ) from None
    if not tracks and lone_boxes:
        raise CorrectionError(
            f"{path} is CVAT for images, whose boxes belong to no track: "
            "export the task as CVAT for video 1.1."
        )
    return CorrectedFile(tuple(tracks), size=size, boxes_without_track=lone_boxes)


@contextmanager
def _open_annotations(path: Path) -> Iterator[IO[bytes]]:
    """Open the XML, from within the archive if it is one."""
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if Path(name).name == ANNOTATIONS_FILE]
        if not names:
            raise CorrectionError(
                f"{path} holds no {ANNOTATIONS_FILE}: export the task as CVAT for video 1.1."
            )
        with archive.open(names[0]) as inner:
            yield inner


def _read_track(element: ElementTree.Element) -> Iterator[CorrectedTrack]:
    """Yield the track of an element, unless it holds no boxes."""
    keyframes = [
        Keyframe(
            position=int(box.attrib["frame"]),
            box=_box(box),
            goes_on=box.get("outside") != "1",
        )
        for box in element.findall("box")
    ]
    outside = {one.position for one in keyframes if not one.goes_on}
    positions, boxes = interpolate_keyframes(keyframes)
    visible = [row for row, position in enumerate(positions) if int(position) not in outside]
    if visible:
        yield CorrectedTrack(
            identity=f"track {element.attrib['id']}",
            label=element.attrib["label"].strip(),
            number=_track_number(element),
            positions=positions[visible],
            boxes=boxes[visible],
        )


def _box(element: ElementTree.Element) -> tuple[float, float, float, float]:
    left, top, right, bottom = (
        float(element.attrib[side]) for side in ("xtl", "ytl", "xbr", "ybr")
    )
    return left, top, right - left, bottom - top


def _track_number(element: ElementTree.Element) -> int | None:
    """Return the number that the track was exported with; None for a new track."""
    for attribute in element.iter("attribute"):
        text = (attribute.text or "").strip()
        if attribute.get("name") == TRACK_ATTRIBUTE and text.isdecimal():
            return int(text)
    return None


def _text(element: ElementTree.Element, name: str) -> str:
    found = element.findtext(name)
    if found is None:
        raise ValueError(f"{element.tag} has no {name}")
    return found
