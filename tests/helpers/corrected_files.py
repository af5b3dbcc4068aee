"""Corrections as a person makes them in CVAT and in Label Studio, and exports them again."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from personae.export import Selection, write_export
from personae.export.researchers.cvat import ANNOTATIONS_FILE
from personae.export.researchers.label_studio import TASKS_FILE
from personae.project import Project

EVERYTHING = Selection()


def correct_in_cvat(
    project: Project,
    out: Path,
    labels: Mapping[int, str],
    *,
    selection: Selection = EVERYTHING,
    without: Sequence[int] = (),
    keeps_numbers: bool = True,
) -> ElementTree.ElementTree:
    """Export to CVAT, give tracks other labels there, and export again.

    CVAT numbers tracks anew in another order, and drops what it does not know of the header.

    Args:
        project: The project.
        out: Where CVAT's file is written; an archive if it ends in ``.zip``.
        labels: Track -> its new label.
        selection: What is exported from the project.
        without: Tracks that are deleted in CVAT.
        keeps_numbers: Whether the attribute with the track's number is still there.

    Returns:
        The content of the file, to be changed further and written with `write_cvat`.
    """
    folder = out.with_suffix(".export")
    write_export(project, "faces", "cvat", folder, selection)
    tree = ElementTree.parse(folder / ANNOTATIONS_FILE)
    root = tree.getroot()
    meta = root.find("meta")
    assert meta is not None
    meta.remove(meta.find("frame_numbers"))
    tracks = root.findall("track")
    for track in tracks:
        root.remove(track)
        number = int(track.findtext("box/attribute[@name='track']") or -1)
        track.set("label", labels.get(number, track.attrib["label"]))
        if not keeps_numbers:
            for box in track.findall("box"):
                for attribute in box.findall("attribute"):
                    box.remove(attribute)
        if number in without:
            tracks = [one for one in tracks if one is not track]
    for identity, track in enumerate(reversed(tracks)):
        track.set("id", str(identity))
        root.append(track)
    write_cvat(tree, out)
    return tree


def write_cvat(tree: ElementTree.ElementTree, out: Path) -> None:
    """Write CVAT's file, or its archive if the name ends in ``.zip``."""
    if out.suffix == ".zip":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(ANNOTATIONS_FILE, ElementTree.tostring(tree.getroot()))
    else:
        tree.write(out)


def correct_in_label_studio(
    project: Project,
    out: Path,
    labels: Mapping[int, str],
    *,
    selection: Selection = EVERYTHING,
    without: Sequence[int] = (),
) -> list[dict]:
    """Export to Label Studio, give tracks other labels there, submit, and export as JSON.

    Returns:
        The tasks, to be changed further and written again.
    """
    folder = out.with_suffix(".export")
    write_export(project, "faces", "labelstudio", folder, selection)
    [task] = json.loads((folder / TASKS_FILE).read_text(encoding="utf-8"))
    regions = []
    for region in task["predictions"][0]["result"]:
        number = int(region["id"].removeprefix("track-"))
        if number in labels:
            region["value"]["labels"] = [labels[number]]
        if number not in without:
            regions.append({**region, "origin": "manual"})
    older = {"id": 1, "result": [], "updated_at": "2026-01-01T00:00:00Z", "was_cancelled": False}
    newest = {"id": 2, "result": regions, "updated_at": "2026-01-02T00:00:00Z"}
    skipped = {"id": 3, "result": [], "updated_at": "2026-01-03T00:00:00Z", "was_cancelled": True}
    tasks = [{**task, "id": 7, "annotations": [older, newest, skipped]}]
    out.write_text(json.dumps(tasks), encoding="utf-8")
    return tasks
