"""Label Studio: the regions of a video task, as its JSON export holds them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from personae.core.errors import CorrectionError
from personae.corrections.corrected_file import CorrectedFile
from personae.corrections.corrected_track import CorrectedTrack, Keyframe, interpolate_keyframes
from personae.export.researchers.label_studio import REGION_PREFIX


def read_label_studio_file(path: Path, film: str, size: tuple[int, int]) -> CorrectedFile:
    """Read the newest annotation of the film's task.

    Args:
        path: Label Studio's export as JSON.
        film: Name of the film's file, by which its task is found if there are several.
        size: Width and height of the film; the file holds percentages of them.

    Raises:
        CorrectionError: The file is not of this format, or nobody has annotated the film in it.
    """
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        raise CorrectionError(f"{path} is damaged: it is no complete JSON.") from None
    tasks = content if isinstance(content, list) else [content]
    if not tasks or not all(
        isinstance(one, dict) and isinstance(one.get("data"), dict) for one in tasks
    ):
        raise CorrectionError(
            f"{path} holds no tasks of Label Studio: export the project as JSON, not JSON-MIN."
        )
    task = _find_task(path, tasks, film)
    try:
        regions = [
            one
            for one in _newest_annotation(path, task)["result"]
            if one.get("type") == "videorectangle"
        ]
        tracks = [_read_region(region, size) for region in regions]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CorrectionError(
            f"{path} is no export of a video task of Label Studio ({error})."
        ) from None
    content_hash = task["data"].get("content_hash")
    return CorrectedFile(
        tracks=tuple(one for one in tracks if len(one.positions)),
        counts_by_time=True,
        content_hash=content_hash if isinstance(content_hash, str) else None,
    )


def _find_task(path: Path, tasks: list[dict[str, Any]], film: str) -> dict[str, Any]:
    """Return the task of a film: the only one, or the one that names it."""
    if len(tasks) == 1:
        return tasks[0]
    own = [one for one in tasks if film in (one["data"].get("film"), _video_name(one))]
    if len(own) != 1:
        found = "no task" if not own else f"{len(own)} tasks"
        raise CorrectionError(f"{path} holds {found} of {film}: export that task alone.")
    return own[0]


def _video_name(task: dict[str, Any]) -> str:
    return re.split(r"[/=]", str(task["data"].get("video", "")))[-1]


def _newest_annotation(path: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Return what a person submitted last; predictions alone are nobody's correction."""
    submitted = [one for one in task.get("annotations", []) if not one.get("was_cancelled")]
    if not submitted:
        raise CorrectionError(
            f"{path} holds no submitted annotation: submit the task in Label Studio first."
        )
    newest: dict[str, Any] = max(
        submitted, key=lambda one: (str(one.get("updated_at", "")), one.get("id") or 0)
    )
    return newest


def _read_region(region: dict[str, Any], size: tuple[int, int]) -> CorrectedTrack:
    width, height = size
    keyframes = [
        Keyframe(
            position=int(one["frame"]),
            box=(
                one["x"] * width / 100,
                one["y"] * height / 100,
                one["width"] * width / 100,
                one["height"] * height / 100,
            ),
            goes_on=bool(one.get("enabled", True)),
        )
        for one in region["value"]["sequence"]
    ]
    positions, boxes = interpolate_keyframes(keyframes)
    labels = region["value"].get("labels") or []
    return CorrectedTrack(
        identity=f"region {region['id']}",
        label=str(labels[0]).strip() if labels else "",
        number=_track_number(region),
        positions=positions,
        boxes=boxes,
    )


def _track_number(region: dict[str, Any]) -> int | None:
    """Return the number that the track was exported with; None for a new region."""
    texts = (region.get("meta") or {}).get("text") or []
    named = re.match(r"track (\d+)\b", str(texts[0])) if texts else None
    found = named or re.fullmatch(REGION_PREFIX + r"(\d+)", str(region.get("id", "")))
    return int(found[1]) if found else None
