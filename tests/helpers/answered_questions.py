"""What an answer of the review queue means, for tests that do not cluster anew."""

from __future__ import annotations

from collections.abc import Sequence

from personae.project.edits import LocatedEdit, LocatedGroup
from personae.review.queue import Pair, Question

Tracks = tuple[int, ...]

ROLES = {"move": ("moved", "target"), "split": ("moved", "rest")}


def located_edit(number: int, kind: str, *groups: Tracks) -> LocatedEdit:
    """Return an edit of some groups of tracks."""
    roles = ROLES.get(kind, ("person",) * len(groups))
    located = [LocatedGroup(role, group) for role, group in zip(roles, groups, strict=True)]
    return LocatedEdit(number, kind, tuple(located))


def answer_as_edits(number: int, question: Question, chosen: Sequence[Pair]) -> list[LocatedEdit]:
    """Return the edits that the page enters for an answer, numbered from `number` on."""
    others = [pair for pair in question.pairs if pair not in chosen]
    if question.kind == "parts":
        entered = [("confirm", *((*pair.left, *pair.right) for pair in chosen))] if chosen else []
        entered += [("split", pair.right, pair.left) for pair in others]
    else:
        entered = [("merge", *groups) for groups in _by_left(chosen)]
        entered += [("different", *groups) for groups in _by_left(others)]
    return [located_edit(number + place, *edit) for place, edit in enumerate(entered)]


def _by_left(pairs: Sequence[Pair]) -> list[list[Tracks]]:
    found: dict[Tracks, list[Tracks]] = {}
    for pair in pairs:
        found.setdefault(pair.left, [pair.left]).append(pair.right)
    return list(found.values())


def regroup(
    characters: list[Tracks], unknown: list[int], question: Question, chosen: Sequence[Pair]
) -> tuple[list[Tracks], list[int]]:
    """Return the characters and the unknown tracks after an answer, without a clustering."""
    groups = list(characters)
    for pair in question.pairs:
        if question.kind == "parts" and pair not in chosen:
            whole = next(one for one in groups if set(one) == {*pair.left, *pair.right})
            groups = [one for one in groups if one is not whole] + [pair.left, pair.right]
        elif question.kind != "parts" and pair in chosen:
            sides = [
                next((one for one in groups if side[0] in one), side)
                for side in (pair.left, pair.right)
            ]
            if sides[0] != sides[1]:
                groups = [one for one in groups if one not in sides] + [(*sides[0], *sides[1])]
    moved = {track for pair in chosen for track in pair.right}
    return groups, [one for one in unknown if one not in moved]
