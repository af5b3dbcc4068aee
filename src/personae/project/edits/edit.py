"""An edit: one thing that a person has said about tracks, as a line of `edits.jsonl` holds it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["name", "merge", "split", "move", "ignore", "confirm", "different", "undo", "redo"]

Role = Literal["person", "moved", "rest", "target"]


class TrackMark(BaseModel):
    """A track, described so that it is found again in a new scan."""

    model_config = ConfigDict(frozen=True)

    track: int
    """Its number in the scan that the edit was made on."""

    start_s: float
    """Time of its first frame."""

    end_s: float
    """Time of the frame after its last."""

    boxes: tuple[tuple[float, float, float, float, float], ...]
    """Some of its face boxes: time in seconds; left, top, width and height in pixels."""


class TrackGroup(BaseModel):
    """Tracks that an edit names together."""

    model_config = ConfigDict(frozen=True)

    role: Role
    """`person`: tracks of one person; `moved`: those that change their character; `rest`: those
    that stay behind; `target`: those that the moved ones join."""

    label: str | None = None
    """The character that held them when the edit was made, for people to read."""

    tracks: tuple[TrackMark, ...]
    """The most typical of the person first."""


class Edit(BaseModel):
    """One thing that a person has said; it is never changed or removed, only undone by another."""

    model_config = ConfigDict(frozen=True)

    id: int
    """1, 2, ... in the order of the file."""

    time: str
    """When it was made: ISO 8601, UTC."""

    software: str
    """Version of personae."""

    kind: Kind

    who: str | None = None
    """Who made it, where that was given."""

    scan: str = ""
    """Digest of the scan that the tracks' numbers are of."""

    groups: tuple[TrackGroup, ...] = ()
    """The tracks that it is about; empty for `undo` and `redo`."""

    name: str | None = None
    """Of a `name`: the name; None takes it away."""

    part_of: int | None = None
    """The first of the edits that it was entered together with; undoing that one undoes all."""

    of: int | None = None
    """Of `undo` and `redo`: the edit that no longer holds, or holds again."""

    @property
    def is_reversal(self) -> bool:
        """Whether it is about another edit and not about tracks."""
        return self.kind in ("undo", "redo")

    def marks(self) -> list[TrackMark]:
        """Return all tracks that it names, group by group."""
        return [mark for group in self.groups for mark in group.tracks]
