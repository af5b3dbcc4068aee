"""Edits in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from personae.project.edits.edit import Edit, TrackGroup

MAX_TRACKS_SHOWN = 6
"""Track numbers that are listed before the rest is counted."""


def describe_edit(edit: Edit) -> str:
    """Return what an edit says, as half a sentence."""
    people = [_who(group) for group in edit.groups if group.role == "person"]
    moved = [group for group in edit.groups if group.role == "moved"]
    target = [_who(group) for group in edit.groups if group.role == "target"]
    match edit.kind:
        case "name" if edit.name is None:
            return f"{_and(people)} has no name"
        case "name":
            return f"{_and(people)} is {edit.name!r}"
        case "merge":
            return f"{_and(people)} are one person"
        case "confirm":
            return f"{_and(people)} is right" if len(people) == 1 else f"{_and(people)} are right"
        case "different" if len(people) > 2:
            return f"{people[0]} is none of {_and(people[1:])}"
        case "different":
            return f"{_and(people)} are different people"
        case "ignore":
            return f"{_and(people)} left out of the cast"
        case "split":
            return f"{_moved(moved)} somebody else"
        case "move":
            return f"{_moved(moved)} moved to {_and(target)}"
        case "undo":
            return f"edit {edit.of} undone"
        case "redo":
            return f"edit {edit.of} holds again"


def describe_with_parts(edit: Edit, edits: Iterable[Edit]) -> str:
    """Return what an edit says, and how many of `edits` were entered together with it."""
    more = sum(one.part_of == edit.id for one in edits)
    return describe_edit(edit) + (f"; and {more} more" if more else "")


def describe_moment(edit: Edit, edits: Iterable[Edit] = ()) -> str:
    """Return the number of an edit with its time and what it says; see `describe_with_parts`."""
    text = describe_with_parts(edit, edits)
    return f"edit {edit.id} ({edit.time[:16].replace('T', ' ')}, {text})"


def list_tracks(tracks: Sequence[int]) -> str:
    """Return track numbers in words, long lists shortened."""
    numbers = sorted(tracks)
    shown = ", ".join(map(str, numbers[:MAX_TRACKS_SHOWN]))
    more = len(numbers) - MAX_TRACKS_SHOWN
    word = "track" if len(numbers) == 1 else "tracks"
    return f"{word} {shown}" + (f" and {more} more" if more > 0 else "")


def _moved(groups: Iterable[TrackGroup]) -> str:
    parts = []
    for group in groups:
        tracks = list_tracks([mark.track for mark in group.tracks])
        parts.append(f"{tracks} of {group.label}" if group.label else tracks)
    return _and(parts)


def _who(group: TrackGroup) -> str:
    """Return the label of a whole character, otherwise its tracks."""
    if group.label is not None:
        return group.label
    return list_tracks([mark.track for mark in group.tracks])


def _and(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
