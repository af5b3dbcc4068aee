"""Which characters and tracks an export holds: names, confidence, review and gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from personae.core.errors import SettingError

if TYPE_CHECKING:
    from personae.project import Cast, Character, Project

CONFIDENCE_DIGITS = 3
"""Decimals of confidences, in files and where they are compared with a lowest one."""

MAX_NAMED_CHOICES = 12
"""Characters that a message lists at most."""


@dataclass(frozen=True)
class Selection:
    """What to export; the default is everything.

    Raises:
        SettingError: A value is out of its range.
    """

    only: tuple[str, ...] = ()
    """Labels or names of characters; empty: all of them."""

    min_confidence: float = 0.0
    """0..1: tracks that belong to their character less surely are left out."""

    reviewed_only: bool = False
    """Leave out the characters that no person has confirmed, named or edited."""

    gap_s: float = 0.0
    """Appearances of a character at most so many seconds apart are joined, across shots too."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise SettingError(
                f"The lowest confidence is a number from 0 to 1, not {self.min_confidence:g}."
            )
        if not 0 <= self.gap_s < float("inf"):
            raise SettingError(f"A gap is a number of seconds from 0 up, not {self.gap_s:g}.")

    @property
    def is_everything(self) -> bool:
        """Return whether nothing is left out."""
        return not self.only and not self.min_confidence and not self.reviewed_only


def split_names(texts: list[str], cast: Cast) -> tuple[str, ...]:
    """Split texts such as "P01,Hamlet" at their commas, except within a name of the cast."""
    known = {name for one in cast for name in (one.label, one.name) if name}
    names: list[str] = []
    for text in texts:
        parts = [text] if text in known else text.split(",")
        names += [part.strip() for part in parts if part.strip()]
    return tuple(names)


def select_characters(cast: Cast, selection: Selection) -> list[Character]:
    """Return the selected characters in the order of the cast.

    Raises:
        SettingError: There is no character of a selected name, or none has been reviewed.
    """
    wanted = [name.casefold() for name in selection.only]
    known = {one.label.casefold() for one in cast} | {
        one.name.casefold() for one in cast if one.name
    }
    for name in selection.only:
        if name.casefold() not in known:
            raise SettingError(f"There is no character {name!r}; {_describe_choices(cast)}.")
    chosen = [
        one
        for one in cast
        if not wanted
        or one.label.casefold() in wanted
        or (one.name is not None and one.name.casefold() in wanted)
    ]
    if not selection.reviewed_only:
        return chosen
    reviewed = [one for one in chosen if one.reviewed]
    if chosen and not reviewed:
        raise SettingError(
            "No person has reviewed these characters yet: "
            "confirm or name them, or leave --reviewed-only out."
        )
    return reviewed


class Owner(NamedTuple):
    """Whom a track belongs to."""

    character: Character

    confidence: float
    """0..1: how surely."""


def select_owners(project: Project, selection: Selection) -> dict[int, Owner]:
    """Return the selected tracks of the selected characters with their owners.

    Raises:
        SettingError: There is no character of a selected name, or none has been reviewed.
        ProjectError: The clustering has not finished.
    """
    characters = {
        track: character
        for character in select_characters(project.cast(), selection)
        for track in character.tracks
    }
    assigned = project.table("characters", "track", "confidence")
    confidences = zip(
        assigned["track"].to_pylist(), assigned["confidence"].to_pylist(), strict=True
    )
    return {
        track: Owner(characters[track], confidence)
        for track, confidence in confidences
        if track in characters and round(confidence, CONFIDENCE_DIGITS) >= selection.min_confidence
    }


def check_selected(selection: Selection, found: set[str], cast: Cast) -> None:
    """Refuse a selection that leaves nothing of a character, or nothing at all.

    Args:
        selection: What was asked for.
        found: Labels of the characters of which something is left.
        cast: All characters.

    Raises:
        SettingError: Nothing is left.
    """
    missing = [one.label for one in select_characters(cast, selection) if one.label not in found]
    if selection.only and missing:
        raise SettingError(
            f"Nothing of {missing[0]} is as sure as {selection.min_confidence:g}: "
            "lower --min-confidence, or leave the character out."
        )
    if missing and not found:
        raise SettingError(
            f"No track is as sure as {selection.min_confidence:g}: lower --min-confidence."
        )


def _describe_choices(cast: Cast) -> str:
    if not len(cast):
        return "no character was found in this film"
    named = [one.label + (f" ({one.name})" if one.name else "") for one in cast]
    shown = ", ".join(named[:MAX_NAMED_CHOICES])
    more = len(named) - MAX_NAMED_CHOICES
    return f"there are {shown}" + (f" and {more} more" if more > 0 else "")
