"""Places the characters of films among the people of a catalogue.

A new film joins without moving what a person has confirmed. Its characters attach to people, or
found new ones; people whom nobody has confirmed may turn out to be one by what it adds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, select, update

from personae.catalogue.people.calibration import (
    NUMBERS_PER_QUERY,
    centre_characters,
    count_tracks,
    load_evidence,
)
from personae.catalogue.people.grouping import MAX_MEMBERS_COMPARED, Group, Merge, merge_groups
from personae.catalogue.people.registry import (
    create_person,
    fixed_people,
    merge_people,
    remove_unseen,
)
from personae.catalogue.schema import characters, statements
from personae.core.arrays import Float32Array

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.catalogue.people.evidence import CatalogueEvidence
    from personae.catalogue.vectors import VectorStore

CANDIDATES = 32
"""Nearest characters with which a character is compared."""


@dataclass(frozen=True)
class _Known:
    """A character in the database."""

    id: int
    film_id: int
    person_id: int | None
    confirmed: bool
    tracks: int


def link_films(catalogue: CatalogueBase, store: VectorStore, film_ids: Sequence[int]) -> None:
    """Give every character of some films its person.

    Args:
        catalogue: The catalogue.
        store: Its vectors.
        film_ids: Films whose characters and vectors are stored.
    """
    with catalogue.database.read() as connection:
        own = _read(connection, characters.c.film_id, film_ids)
    if not own:
        return
    evidence = load_evidence(catalogue, store)
    joining, candidates = _find_candidates(catalogue, store, evidence, own)
    with catalogue.database.read() as connection:
        said = _read_statements(connection)
        touched = _touched_people(connection, own, candidates, said)
        members = _read(connection, characters.c.person_id, sorted(touched))
        fixed = fixed_people(connection, sorted(touched))
    vectors = _read_vectors(store, evidence, members, joining)
    doubted = _find_doubted(evidence, own, members, vectors)
    groups, group_of, person_of_group = _make_groups(own, members, fixed, vectors, doubted)
    must = _apply_statements(groups, group_of, said)
    pairs = sorted(
        {
            (min(a, b), max(a, b))
            for one, other in candidates
            if (a := group_of.get(one)) is not None and (b := group_of.get(other)) is not None
            if a != b
        }
    )
    merges = merge_groups(groups, pairs, evidence.of_characters, must)
    _store(catalogue, groups, group_of, person_of_group, merges, own, doubted, evidence, vectors)


def _read(connection: Connection, column: object, numbers: Sequence[int]) -> list[_Known]:
    """Return the characters whose film or person is one of the numbers, by ascending number."""
    found = []
    for start in range(0, len(numbers), NUMBERS_PER_QUERY):
        part = list(numbers[start : start + NUMBERS_PER_QUERY])
        query = select(
            characters.c.id,
            characters.c.film_id,
            characters.c.person_id,
            characters.c.confirmed,
            characters.c.tracks,
        ).where(column.in_(part))  # type: ignore[attr-defined]
        found += [_Known(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: one.id)


def _find_candidates(
    catalogue: CatalogueBase,
    store: VectorStore,
    evidence: CatalogueEvidence,
    own: Sequence[_Known],
) -> tuple[dict[int, Float32Array], list[tuple[int, int]]]:
    """Return the centred vectors of characters, and pairs of theirs that may be one person."""
    rows = store.read("centre", characters=[one.id for one in own])
    if not len(rows):
        return {}, []
    # film mates are never candidates, and can be among the nearest
    matches = store.search("centre", rows.vectors, CANDIDATES + 1)
    tracks = count_tracks(
        catalogue, np.concatenate([rows.character_ids, *(match.character_ids for match in matches)])
    )
    centred = centre_characters(evidence, rows.character_ids, rows.vectors, tracks)
    pairs = []
    for number, film, query, match in zip(
        rows.character_ids.tolist(), rows.film_ids, centred, matches, strict=True
    ):
        near = centre_characters(evidence, match.character_ids, match.vectors, tracks)
        log_odds = evidence.of_characters(query[None], near)[0]
        likely = (log_odds > 0) & (match.film_ids != film)
        pairs += [(number, other) for other in match.character_ids[likely].tolist()]
    return dict(zip(rows.character_ids.tolist(), centred, strict=True)), pairs


def _read_statements(connection: Connection) -> list[tuple[str, int, int]]:
    """Return what people have said: kind, and the characters that it is about now."""
    query = select(statements.c.kind, statements.c.character_a, statements.c.character_b).where(
        statements.c.character_a.is_not(None), statements.c.character_b.is_not(None)
    )
    return [
        (kind, a, b) for kind, a, b in connection.execute(query.order_by(statements.c.id)) if a != b
    ]


def _touched_people(
    connection: Connection,
    own: Sequence[_Known],
    candidates: Iterable[tuple[int, int]],
    said: Sequence[tuple[str, int, int]],
) -> set[int]:
    """Return the people who may gain or lose characters."""
    numbers = {one.id for one in own} | {other for _, other in candidates}
    numbers |= {b for _, a, b in said if a in numbers} | {a for _, a, b in said if b in numbers}
    found = _read(connection, characters.c.id, sorted(numbers))
    return {one.person_id for one in found if one.person_id is not None}


def _read_vectors(
    store: VectorStore,
    evidence: CatalogueEvidence,
    members: Sequence[_Known],
    known: dict[int, Float32Array],
) -> dict[int, Float32Array]:
    """Return the centred vectors of people's characters, of some where there are many."""
    by_person: dict[int | None, list[int]] = defaultdict(list)
    for one in members:
        by_person[one.person_id].append(one.id)
    wanted: list[int] = []
    for numbers in by_person.values():
        places = np.linspace(0, len(numbers) - 1, min(len(numbers), MAX_MEMBERS_COMPARED)).round()
        wanted += [numbers[int(place)] for place in places if numbers[int(place)] not in known]
    rows = store.read("centre", characters=wanted)
    tracks = {one.id: one.tracks for one in members}
    centred = centre_characters(evidence, rows.character_ids, rows.vectors, tracks)
    return {**known, **dict(zip(rows.character_ids.tolist(), centred, strict=True))}


def _find_doubted(
    evidence: CatalogueEvidence,
    own: Sequence[_Known],
    members: Sequence[_Known],
    vectors: dict[int, Float32Array],
) -> set[int]:
    """Return characters of a changed film that more probably are not the person that they were."""
    by_person: dict[int | None, list[int]] = defaultdict(list)
    for one in members:
        if one.id in vectors:
            by_person[one.person_id].append(one.id)
    doubted = set()
    for one in own:
        others = [other for other in by_person[one.person_id] if other != one.id]
        if one.person_id is None or one.confirmed or one.id not in vectors or not others:
            continue
        rest = np.stack([vectors[other] for other in others])
        if evidence.of_characters(vectors[one.id][None], rest).mean() < 0:
            doubted.add(one.id)
    return doubted


def _make_groups(
    own: Sequence[_Known],
    members: Sequence[_Known],
    fixed: set[int],
    vectors: dict[int, Float32Array],
    doubted: set[int],
) -> tuple[list[Group], dict[int, int], list[int | None]]:
    """Return groups, the group of each character, and the person of each group.

    Confirmed people come first, then others, then new characters: of two that merge, the first is
    kept.
    """
    by_person: dict[int, list[_Known]] = defaultdict(list)
    for one in members:
        if one.person_id is not None and one.id not in doubted:
            by_person[one.person_id].append(one)
    of_people = sorted(by_person, key=lambda person: (person not in fixed, person))
    parts: list[tuple[int | None, list[_Known]]] = [(p, by_person[p]) for p in of_people]
    parts += [(None, [one]) for one in own if one.person_id is None or one.id in doubted]
    groups: list[Group] = []
    group_of: dict[int, int] = {}
    person_of_group: list[int | None] = []
    for person, held in parts:
        compared = [vectors[one.id] for one in held if one.id in vectors]
        if not compared:
            continue
        for one in held:
            group_of[one.id] = len(groups)
        films = frozenset(one.film_id for one in held)
        groups.append(Group(np.stack(compared), films, person if person in fixed else None))
        person_of_group.append(person)
    return groups, group_of, person_of_group


def _apply_statements(
    groups: Sequence[Group], group_of: dict[int, int], said: Sequence[tuple[str, int, int]]
) -> list[tuple[int, int]]:
    """Let groups know who is somebody else, and return the pairs that are one person."""
    must = []
    for kind, one, other in said:
        a, b = group_of.get(one), group_of.get(other)
        if a is None or b is None or a == b:
            continue
        if kind == "same":
            must.append((a, b))
        else:
            groups[a].different.add(b)
            groups[b].different.add(a)
    return must


def _store(
    catalogue: CatalogueBase,
    groups: Sequence[Group],
    group_of: dict[int, int],
    person_of_group: list[int | None],
    merges: Sequence[Merge],
    own: Sequence[_Known],
    doubted: set[int],
    evidence: CatalogueEvidence,
    vectors: dict[int, Float32Array],
) -> None:
    """Write who each character is, and how sure that is."""
    kept_by = {merge.gone: merge.kept for merge in merges}

    def final(group: int) -> int:
        while group in kept_by:
            group = kept_by[group]
        return group

    with catalogue.database.begin() as connection:
        for merge in merges:
            kept, gone = person_of_group[merge.kept], person_of_group[merge.gone]
            if kept is not None and gone is not None:
                log_odds = merge.log_odds if np.isfinite(merge.log_odds) else None
                merge_people(connection, kept, gone, log_odds)
        rows = []
        for one in own:
            group = group_of.get(one.id)
            if group is None:
                continue
            kept = final(group)
            if person_of_group[kept] is None:
                person_of_group[kept] = create_person(connection)
            log_odds = _log_odds_of(evidence, vectors, one.id, groups[kept].vectors)
            rows.append({"number": one.id, "person": person_of_group[kept], "odds": log_odds})
        for row in rows:
            connection.execute(
                update(characters)
                .where(characters.c.id == row["number"])
                .values(person_id=row["person"], log_odds=row["odds"])
            )
        if doubted:
            remove_unseen(connection)


def _log_odds_of(
    evidence: CatalogueEvidence,
    vectors: dict[int, Float32Array],
    number: int,
    group: Float32Array,
) -> float | None:
    """Return the mean log-odds of a character with the others of its person; None if alone."""
    if len(group) < 2 or number not in vectors:
        return None
    own = vectors[number]
    others = group[~np.all(group == own, axis=1)]
    if not len(others):
        return None
    return float(evidence.of_characters(own[None], others).mean())
