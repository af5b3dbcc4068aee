"""What an answer of the review queue means, where nothing is clustered anew."""

from __future__ import annotations

from collections.abc import Sequence

from personae.project.edits import LocatedEdit, LocatedGroup
from personae.review.answers import Statement, statements_of
from personae.review.questions import Pair, Question

Tracks = tuple[int, ...]

ROLES = {"move": ("moved", "target", "rest"), "split": ("moved", "rest")}


def located_edit(number: int, kind: str, *groups: Tracks) -> LocatedEdit:
    """Return an edit of some groups of tracks."""
    roles = ROLES.get(kind, ("person",) * len(groups))[: len(groups)]
    located = [LocatedGroup(role, group) for role, group in zip(roles, groups, strict=True)]
    return LocatedEdit(number, kind, tuple(located))


def answer_as_edits(number: int, question: Question, chosen: Sequence[Pair]) -> list[LocatedEdit]:
    """Return the edits that the page enters for an answer, numbered from `number` on."""
    said = enumerate(statements_of(question, chosen), number)
    return [located_edit(place, verb, *groups) for place, (verb, groups) in said]


def regroup(
    characters: list[Tracks], unknown: list[int], question: Question, chosen: Sequence[Pair]
) -> tuple[list[Tracks], list[int]]:
    """Return the characters and the unknown tracks after an answer, without a clustering."""
    groups = list(characters)
    for said in statements_of(question, chosen):
        groups = _regroup(groups, said)
    held = {track for group in groups for track in group}
    return groups, [one for one in unknown if one not in held]


def _regroup(groups: list[Tracks], said: Statement) -> list[Tracks]:
    if said.verb == "merge":
        named = {track for group in said.groups for track in group}
        joined = [group for group in groups if not named.isdisjoint(group)]
        new = (track for group in said.groups for track in group)
        whole = dict.fromkeys([*(track for group in joined for track in group), *new])
        return [*(group for group in groups if group not in joined), tuple(whole)]
    if said.verb in ("split", "move"):
        moved, others = said.groups[:2]
        left = [tuple(track for track in group if track not in moved) for group in groups]
        left = [group for group in left if group]
        if said.verb == "split":
            return [*left, moved]
        return [(*group, *moved) if others[0] in group else group for group in left]
    return groups
