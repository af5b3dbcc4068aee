"""What the answer to a question says of tracks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple

from personae.project.edits.edit_batch import EditBatch
from personae.review.questions import Pair, Question, Tracks

Verb = Literal["merge", "different", "confirm", "split", "move"]


class Statement(NamedTuple):
    """One edit that an answer is made of."""

    verb: Verb

    groups: tuple[Tracks, ...]
    """Of `merge`: one person; of `different`: the first is none of the others; of `confirm`: one
    person each; of `split`: the tracks that are somebody else, and the rest of their character; of
    `move`: the tracks, the character that they are, and the rest of the one that they leave."""


def statements_of(question: Question, chosen: Collection[Pair]) -> list[Statement]:
    """Return what an answer says.

    Where two parts of a character are two people, the smaller part leaves it: what is said of the
    character is said of the larger part.

    Args:
        question: The question.
        chosen: Its pairs that are one person; the others are two, unless it follows from the chosen
            ones that they are one.
    """
    others = [pair for pair in question.pairs if pair not in chosen]
    leaving = {t for pair in others if pair.kind == "parts" for t in pair.right}
    moving = [pair for pair in chosen if pair.kind == "part" and leaving.issuperset(pair.right)]
    moved = _without(moving, leaving)
    joined = _without([one for one in chosen if one.kind != "parts" and one not in moving], leaving)
    apart = _without([one for one in others if one.kind != "parts"], leaving)
    person_of = _number_people(joined)
    apart = [sides for sides in apart if not _is_one_person(sides, person_of)]
    kept = _without([one for one in chosen if one.kind == "parts"], leaving)
    whole = {frozenset((*left, *right)): (*left, *right) for left, right in kept}
    refused = [pair for pair in others if pair.kind == "parts"]
    rest_of = {pair.right: (pair.left,) for pair in refused}
    gone = {t for _, right in moved for t in right}
    return [
        *(Statement("merge", (left, *group)) for left, group in _by_left(joined)),
        *([Statement("confirm", tuple(whole.values()))] if whole else []),
        *(Statement("different", (left, *group)) for left, group in _by_left(apart)),
        *_split(refused, gone),
        *(Statement("move", (right, left, *rest_of.get(right, ()))) for left, right in moved),
    ]


def enter_answer(batch: EditBatch, statements: Iterable[Statement]) -> None:
    """Say what an answer says.

    Raises:
        EditError: The tracks are not in the cast any more, or nothing would change.
    """
    for verb, groups in statements:
        match verb:
            case "merge":
                batch.merge(*groups)
            case "different":
                batch.different(groups[0], *groups[1:])
            case "confirm":
                batch.confirm(*groups)
            case "split":
                batch.split(None, groups[0])
            case "move":
                batch.move(groups[0], groups[1])


def _split(refused: Iterable[Pair], gone: Collection[int]) -> Iterator[Statement]:
    """Yield the splits of characters at one or several cuts; what is `gone` has moved."""
    taken = set(gone)
    for pair in sorted(refused, key=lambda one: len(one.right)):
        tracks = tuple(track for track in pair.right if track not in taken)
        taken.update(tracks)
        if tracks:
            yield Statement("split", (tracks, pair.left))


def _without(pairs: Iterable[Pair], leaving: Collection[int]) -> list[tuple[Tracks, Tracks]]:
    """Return the sides of pairs without tracks that leave; a part that leaves stays as it is."""
    found = []
    for pair in pairs:
        left = tuple(track for track in pair.left if track not in leaving)
        right = tuple(track for track in pair.right if track not in leaving)
        if pair.kind == "part":
            right = pair.right
        if left and right:
            found.append((left, right))
    return found


def _number_people(joined: Iterable[tuple[Tracks, Tracks]]) -> dict[Tracks, int]:
    """Return a number for every side; sides that chains of pairs join have the same."""
    people: dict[Tracks, int] = {}
    for number, sides in enumerate(joined):
        known = {people[side] for side in sides if side in people}
        people |= dict.fromkeys(sides, number)
        people = {side: number if one in known else one for side, one in people.items()}
    return people


def _is_one_person(sides: tuple[Tracks, Tracks], person_of: dict[Tracks, int]) -> bool:
    left, right = (person_of.get(side) for side in sides)
    return left is not None and left == right


def _by_left(pairs: Iterable[tuple[Tracks, Tracks]]) -> Iterator[tuple[Tracks, list[Tracks]]]:
    """Yield the left sides of some pairs, each with its right sides."""
    found: dict[Tracks, list[Tracks]] = defaultdict(list)
    for left, right in pairs:
        found[left].append(right)
    yield from found.items()
