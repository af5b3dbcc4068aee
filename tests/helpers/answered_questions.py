"""What an answer of the review queue means, for tests that do not cluster anew."""

from __future__ import annotations

from personae.project.edits import LocatedEdit, LocatedGroup
from personae.review.queue import Question

Tracks = tuple[int, ...]

ROLES = {"move": ("moved", "target"), "split": ("moved", "rest")}


def located_edit(number: int, kind: str, *groups: Tracks) -> LocatedEdit:
    """Return an edit of some groups of tracks."""
    roles = ROLES.get(kind, ("person",) * len(groups))
    located = [LocatedGroup(role, group) for role, group in zip(roles, groups, strict=True)]
    return LocatedEdit(number, kind, tuple(located))


def answer_as_edit(number: int, question: Question, is_same: bool) -> LocatedEdit:
    """Return the edit that the page enters for an answer."""
    left, right = question.left, question.right
    match question.kind, is_same:
        case "parts", True:
            return located_edit(number, "confirm", (*left, *right))
        case "parts", False:
            return located_edit(number, "split", right, left)
        case "unknown", True:
            return located_edit(number, "move", right, left)
        case "characters", True:
            return located_edit(number, "merge", left, right)
    return located_edit(number, "different", left, right)


def regroup(
    characters: list[Tracks], unknown: list[int], question: Question, is_same: bool
) -> tuple[list[Tracks], list[int]]:
    """Return the characters and the unknown tracks after an answer, without a clustering."""
    left, right = question.left, question.right
    if is_same and question.kind == "characters":
        rest = [one for one in characters if one not in (left, right)]
        return [*rest, (*left, *right)], unknown
    if is_same and question.kind == "unknown":
        rest = [one for one in characters if one != left]
        return [*rest, (*left, *right)], [one for one in unknown if one not in right]
    if not is_same and question.kind == "parts":
        rest = [one for one in characters if set(one) != {*left, *right}]
        return [*rest, left, right], unknown
    return characters, unknown
