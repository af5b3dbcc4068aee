"""The table of appearances, which every format for other programs is written from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from personae.export.film_time import FilmTime
from personae.export.selection import Selection, check_selected, select_owners

if TYPE_CHECKING:
    from personae.project import Project


class Box(NamedTuple):
    """A rectangle in pixels of the film as displayed."""

    x: float
    """Left edge."""

    y: float
    """Top edge."""

    w: float
    """Width."""

    h: float
    """Height."""


@dataclass(frozen=True)
class Appearance:
    """A stretch of the film in which a character is on screen."""

    character: str
    """Label: P01, P02, ..."""

    name: str | None
    """Name of the character, None where it has none."""

    shot: int
    """The shot in which it begins."""

    start_pts: int
    """Of its first frame."""

    end_pts: int
    """First tick after its last frame."""

    start_s: Fraction
    """Container time of its first frame in seconds, exact."""

    end_s: Fraction
    """Exclusive: container time at which the frame after the last begins."""

    first_frame: int
    """As in the tables: frames are counted as they are decoded, the first being 0."""

    end_frame: int
    """Exclusive: the frame after the last."""

    start_timecode: str | None
    """Source timecode of its first frame; None where the frame rate is variable or has none."""

    end_timecode: str | None
    """Exclusive: source timecode of the frame after the last."""

    box: Box
    """Mean of its face boxes."""

    confidence: float
    """0..1: mean confidence of its tracks, weighted by their length."""

    reviewed: bool
    """Whether a person has confirmed, named or edited the character."""

    tracks: tuple[int, ...]
    """Its tracks, in order of time."""

    @property
    def display_name(self) -> str:
        """Return the name, or the label where there is none."""
        return self.name or self.character


@dataclass(frozen=True)
class SelectedTrack:
    """A track of a selected character, with its exact times."""

    track: int
    character: str
    name: str | None
    confidence: float
    reviewed: bool
    shot: int
    start_pts: int
    end_pts: int
    """Exclusive."""
    first_frame: int
    end_frame: int
    """Exclusive."""


def list_tracks(project: Project, selection: Selection, film_time: FilmTime) -> list[SelectedTrack]:
    """Return the tracks of the selected characters in order of time.

    Args:
        project: The project.
        selection: Which characters and tracks; `gap_s` has no meaning here.
        film_time: The film's clock.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: There is no such character, or nothing of it is left.
    """
    owners = select_owners(project, selection)
    selected = []
    for row in project.table("tracks").to_pylist():
        track = row["track"]
        if track not in owners:
            continue
        owner, confidence = owners[track]
        selected.append(
            SelectedTrack(
                track=track,
                character=owner.label,
                name=owner.name,
                confidence=confidence,
                reviewed=owner.reviewed,
                shot=row["shot"],
                # a tick is far longer than the rounding error of a float of seconds
                start_pts=round(Fraction(row["start_s"]) / film_time.time_base),
                end_pts=round(Fraction(row["end_s"]) / film_time.time_base),
                first_frame=row["first_frame"],
                end_frame=row["last_frame"] + 1,
            )
        )
    check_selected(selection, {one.character for one in selected}, project.cast())
    return sorted(selected, key=lambda one: (one.start_pts, one.end_pts, one.track))


def list_appearances(
    project: Project, selection: Selection, film_time: FilmTime
) -> list[Appearance]:
    """Return the appearances of the selected characters in order of time.

    Tracks of one character that overlap or touch within a shot are one appearance. With `gap_s`,
    so are those at most that far apart, across shots too.

    Args:
        project: The project.
        selection: Which characters, how sure, and over which gaps to join.
        film_time: The film's clock.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: There is no such character, or nothing of it is left.
    """
    tracks = list_tracks(project, selection, film_time)
    max_gap = Fraction(selection.gap_s) / film_time.time_base
    groups: dict[str, list[list[SelectedTrack]]] = {}
    for track in tracks:
        own = groups.setdefault(track.character, [])
        if own and _is_continued(own[-1], track, max_gap):
            own[-1].append(track)
        else:
            own.append([track])
    boxes = _mean_boxes(project, {track.track for track in tracks})
    made = [_build_appearance(group, boxes, film_time) for own in groups.values() for group in own]
    return sorted(made, key=lambda one: (one.start_pts, one.character))


def _is_continued(group: list[SelectedTrack], track: SelectedTrack, max_gap: Fraction) -> bool:
    """Return whether a later track goes on with an appearance; the gap is in ticks."""
    gap = track.start_pts - max(one.end_pts for one in group)
    same_shot = group[-1].shot == track.shot
    return (same_shot and gap <= 0) or (max_gap > 0 and gap <= max_gap)


def _build_appearance(
    tracks: list[SelectedTrack], boxes: dict[int, tuple[Box, int]], film_time: FilmTime
) -> Appearance:
    first = tracks[0]
    start_pts, end_pts = first.start_pts, max(one.end_pts for one in tracks)
    lengths = [max(1, one.end_pts - one.start_pts) for one in tracks]
    weighted = sum(one.confidence * n for one, n in zip(tracks, lengths, strict=True))
    has_timecode = film_time.start_timecode is not None
    return Appearance(
        character=first.character,
        name=first.name,
        shot=first.shot,
        start_pts=start_pts,
        end_pts=end_pts,
        start_s=film_time.seconds(start_pts),
        end_s=film_time.seconds(end_pts),
        first_frame=first.first_frame,
        end_frame=max(one.end_frame for one in tracks),
        start_timecode=str(film_time.timecode(start_pts)) if has_timecode else None,
        end_timecode=str(film_time.timecode(end_pts)) if has_timecode else None,
        box=_mean_box(boxes[one.track] for one in tracks if one.track in boxes),
        confidence=weighted / sum(lengths),
        reviewed=first.reviewed,
        tracks=tuple(one.track for one in tracks),
    )


def _mean_boxes(project: Project, tracks: set[int]) -> dict[int, tuple[Box, int]]:
    """Return the mean box of each track, and over how many boxes."""
    faces = project.table("faces").select(["track", *Box._fields])
    sides = [(side, "mean") for side in Box._fields]
    means = faces.group_by("track", use_threads=False).aggregate([*sides, ("track", "count")])
    return {
        row["track"]: (Box(*(row[f"{side}_mean"] for side in Box._fields)), row["track_count"])
        for row in means.to_pylist()
        if row["track"] in tracks
    }


def _mean_box(boxes: Iterable[tuple[Box, int]]) -> Box:
    """Return the mean of mean boxes, weighted by how many boxes each is of."""
    found = list(boxes)
    total = sum(count for _, count in found)
    if not total:
        return Box(0.0, 0.0, 0.0, 0.0)
    return Box(*(sum(box[side] * count for box, count in found) / total for side in range(4)))
