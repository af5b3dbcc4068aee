"""Which moments show a character best: sharp, frontal, large, sure, and apart in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float64Array
from personae.core.errors import SettingError
from personae.export.appearances import Box
from personae.export.selection import (
    Selection,
    check_selected,
    select_characters,
    select_owners,
)

if TYPE_CHECKING:
    from personae.project import Project
    from personae.project.manifest import Source

MIN_GAP_S = 2.0
"""Least time between two stills of a character."""

MIN_QUALITY_SHARE = 0.1
"""Stills that are worse than this share of the character's best are left out."""

PROFILE_SHARE = 0.1
"""What a face in profile counts beside a frontal one."""

DOUBTFUL_SCORE = 0.5
"""Score of the detector at which a face counts for nothing."""

CROP_COLUMNS = ("track", "frame", "time_s", "width", "sharpness", "score", "frontality")
"""Columns of the table of crops that the choice is made from."""


@dataclass(frozen=True)
class StillChoice:
    """A moment that shows a character well."""

    character: str
    """Label: P01, P02, ..."""

    name: str | None
    """Name of the character, None where it has none."""

    track: int
    shot: int
    frame: int
    pts: int

    time_s: float
    """Seconds from the container's zero."""

    box: Box
    """Of the face in its frame."""

    quality: float
    """0..1; see `rate_crops`."""


def choose_stills(project: Project, selection: Selection, per_character: int) -> list[StillChoice]:
    """Choose the best stills of each selected character.

    Every shot gives one before any gives two, and no two are closer than `MIN_GAP_S`. Tracks of
    poor quality give some only where a character has no others.

    Args:
        project: The project.
        selection: Which characters, and how sure their tracks must be.
        per_character: Stills of each character at most.

    Returns:
        By character in the order of the cast, then by falling quality.

    Raises:
        SettingError: There is no such character, nothing of it is left, or the number is below 1.
        ProjectError: The clustering has not finished.
    """
    if per_character < 1:
        raise SettingError(f"The stills of each character are 1 or more, not {per_character}.")
    cast = project.cast()
    characters = select_characters(cast, selection)
    candidates = _list_candidates(project, selection)
    check_selected(selection, {one.character for one in candidates}, cast)
    tracks = project.table("tracks")
    statuses = zip(tracks["track"].to_pylist(), tracks["status"].to_pylist(), strict=True)
    kept = {track for track, status in statuses if status == "kept"}
    chosen: list[StillChoice] = []
    for character in characters:
        own = [one for one in candidates if one.character == character.label]
        own = [one for one in own if one.track in kept] or own
        own.sort(key=lambda one: (-one.quality, one.frame, one.track))
        good = [one for one in own if one.quality >= MIN_QUALITY_SHARE * own[0].quality]
        chosen += spread_out(good, per_character)
    return chosen


def rate_crops(
    sharpness: Float64Array,
    widths: Float64Array,
    frontality: Float64Array,
    scores: Float64Array,
    inside: Float64Array,
) -> Float64Array:
    """Return how well each of n faces can be seen.

    The product of five shares. Sharpness and width have no upper limit; each counts by half where
    it is the film's median. A low score is of something that is hardly a face, and counts squared.

    Args:
        sharpness: (n,) variance of the Laplacian of the aligned crop.
        widths: (n,) of the face box in pixels of the film.
        frontality: (n,) 0 profile .. 1 frontal.
        scores: (n,) 0..1 of the detector.
        inside: (n,) 0..1 share of the box that lies within the picture.

    Returns:
        (n,) in 0..1.
    """
    sure = np.clip((scores - DOUBTFUL_SCORE) / (1 - DOUBTFUL_SCORE), 0, 1) ** 2
    turned = PROFILE_SHARE + (1 - PROFILE_SHARE) * frontality
    return _compare_to_median(sharpness) * _compare_to_median(widths) * turned * sure * inside


def spread_out(candidates: Sequence[StillChoice], count: int) -> list[StillChoice]:
    """Choose up to `count` candidates of one character that are apart in time.

    Args:
        candidates: By falling quality.
        count: How many at most.

    Returns:
        By falling quality.
    """
    chosen: list[StillChoice] = []
    for may_share_shot in (False, True):
        for one in candidates:
            shots = {other.shot for other in chosen}
            apart = all(abs(one.time_s - other.time_s) >= MIN_GAP_S for other in chosen)
            if len(chosen) < count and apart and (may_share_shot or one.shot not in shots):
                chosen.append(one)
    return sorted(chosen, key=lambda one: (-one.quality, one.frame))


def _compare_to_median(values: Float64Array) -> Float64Array:
    """Return 0 at 0, a half at the median, and up to 1 above."""
    if not len(values):
        return values
    return values / np.maximum(values + np.median(values), np.finfo(np.float64).tiny)


def _list_candidates(project: Project, selection: Selection) -> list[StillChoice]:
    """Return all crops of selected characters, rated against all crops of the film."""
    owners = select_owners(project, selection)
    crops = project.table("crops", *CROP_COLUMNS).to_pylist()
    wanted = {(row["track"], row["frame"]) for row in crops}
    columns = ("track", "frame", "pts", "shot", *Box._fields)
    by_place = {
        (row["track"], row["frame"]): row
        for row in project.table("faces", *columns).to_pylist()
        if (row["track"], row["frame"]) in wanted
    }
    faces = [by_place[row["track"], row["frame"]] for row in crops]
    boxes = [Box(*(face[side] for side in Box._fields)) for face in faces]

    def column(name: str) -> Float64Array:
        return np.array([row[name] for row in crops], dtype=np.float64)

    inside = np.array([_share_inside(box, project.source) for box in boxes], dtype=np.float64)
    quality = rate_crops(
        column("sharpness"), column("width"), column("frontality"), column("score"), inside
    )
    return [
        StillChoice(
            character=owners[row["track"]].character.label,
            name=owners[row["track"]].character.name,
            track=row["track"],
            shot=face["shot"],
            frame=row["frame"],
            pts=face["pts"],
            time_s=row["time_s"],
            box=box,
            quality=float(rating) * owners[row["track"]].confidence,
        )
        for row, face, box, rating in zip(crops, faces, boxes, quality, strict=True)
        if row["track"] in owners
    ]


def _share_inside(box: Box, source: Source) -> float:
    """Return the share of a box that lies within the picture."""
    width = min(box.x + box.w, source.width) - max(box.x, 0.0)
    height = min(box.y + box.h, source.height) - max(box.y, 0.0)
    return max(0.0, width) * max(0.0, height) / max(box.w * box.h, np.finfo(np.float64).tiny)
