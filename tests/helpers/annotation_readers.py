"""CVAT's and Label Studio's own rules for which box a video shows in a frame, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Box = tuple[float, float, float, float]


def cvat_boxes(annotations: Path) -> dict[tuple[str, str], dict[int, Box]]:
    """Return what CVAT shows after importing a file: boxes by frame, of each label and track.

    Of a track CVAT keeps the keyframes alone. It interpolates between them, hides the track from a
    keyframe that is outside to the next, and shows the last one until the end of the task.
    """
    root = ElementTree.parse(annotations).getroot()
    end = int(root.findtext("meta/task/stop_frame") or 0)
    shown = {}
    for track in root.iter("track"):
        keys = sorted(
            (
                (int(box.attrib["frame"]), box.attrib["outside"] == "1", _corners(box))
                for box in track.findall("box")
                if box.attrib["keyframe"] == "1"
            ),
            key=lambda key: key[0],
        )
        boxes: dict[int, Box] = {}
        for (first, outside, box), following in zip(keys, [*keys[1:], None], strict=True):
            stop = end + 1 if following is None else following[0]
            for frame in range(first, stop):
                if not outside:
                    goal = box if following is None else following[2]
                    boxes[frame] = _between(box, goal, (frame - first) / max(1, stop - first))
        number = track.findtext("box/attribute[@name='track']") or ""
        shown[track.attrib["label"], number] = boxes
    return shown


def label_studio_boxes(region: dict[str, Any]) -> dict[int, Box]:
    """Return the boxes in percent, by frame, that Label Studio shows of a region.

    Between two keyframes it interpolates; after a keyframe that is not enabled the region is gone
    until the next one; after the last enabled one it stays until the end of the video.
    """
    value = region["value"]
    keys = sorted(value["sequence"], key=lambda key: key["frame"])
    boxes: dict[int, Box] = {}
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        box = (key["x"], key["y"], key["width"], key["height"])
        stop = value["framesCount"] + 1 if following is None else following["frame"]
        for frame in range(key["frame"], stop if key["enabled"] else key["frame"] + 1):
            goal = box
            if following is not None:
                goal = tuple(following[side] for side in ("x", "y", "width", "height"))
            boxes[frame] = _between(box, goal, (frame - key["frame"]) / max(1, stop - key["frame"]))
    return boxes


def _corners(box: ElementTree.Element) -> Box:
    left, top, right, bottom = (float(box.attrib[side]) for side in ("xtl", "ytl", "xbr", "ybr"))
    return left, top, right - left, bottom - top


def _between(one: Box, other: Box, share: float) -> Box:
    left, top, width, height = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return left, top, width, height
