"""Who is who across films: found without names, kept when films join, and law when it is said."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from helpers.catalogue_people import add_film, character_of, people_of, project_folder
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.indexing import index_film, refresh_index
from personae.catalogue.people.registry import list_people
from personae.catalogue.people.statements import say_different, say_same
from personae.catalogue.schema import characters, films, person_merges
from personae.core.errors import CatalogueError
from personae.project import Project

People = dict[int, int]


def partition(found: list[People], casts: list[tuple[int, ...]]) -> set[frozenset[int]]:
    """Return which true people each person of the catalogue holds."""
    held: dict[int, set[int]] = {}
    for of_film, cast in zip(found, casts, strict=True):
        for place, person in of_film.items():
            held.setdefault(person, set()).add(cast[place])
    return {frozenset(one) for one in held.values()}


def test_the_characters_of_several_films_become_people(on_sqlite: Catalogue) -> None:
    casts = [(0, 1, 2, 3), (2, 3, 4, 5), (0, 5, 6, 7), (9, 1, 10, 2)]
    numbers = [add_film(on_sqlite, f"film{n}", cast) for n, cast in enumerate(casts)]
    found = [people_of(on_sqlite, number) for number in numbers]
    assert partition(found, casts) == {frozenset([p]) for cast in casts for p in cast}
    assert len({p for one in found for p in one.values()}) == len({p for c in casts for p in c})


def test_all_of_it_works_on_postgresql(catalogue: Catalogue) -> None:
    first, second = add_film(catalogue, "one", (0, 1)), add_film(catalogue, "two", (1, 2))
    assert people_of(catalogue, first)[1] == people_of(catalogue, second)[0]
    catalogue.name_person("1:P01", "Hamlet")
    assert {one.film for one in catalogue.who("hamlet")} >= {"one"}
    catalogue.forget_film(first)
    assert [film.id for film in catalogue.films()] == [second]


def test_indexing_a_film_again_changes_nothing(on_sqlite: Catalogue) -> None:
    number = add_film(on_sqlite, "film", (0, 1, 2))
    before = people_of(on_sqlite, number)
    assert not index_film(on_sqlite, number)
    with on_sqlite.database.begin() as connection:
        connection.execute(update(films).values(indexed_digest=None))
    assert index_film(on_sqlite, number)
    assert people_of(on_sqlite, number) == before


def test_a_new_film_moves_nobody_whom_a_person_has_confirmed(on_sqlite: Catalogue) -> None:
    first, second = add_film(on_sqlite, "one", (0, 1)), add_film(on_sqlite, "two", (2, 3))
    # nonsense, and yet the user's word
    person = say_same(
        on_sqlite, character_of(on_sqlite, first, 0), character_of(on_sqlite, second, 0)
    )
    for name, cast in (("three", (0, 1, 5)), ("four", (2, 3, 6)), ("five", (0, 2, 7))):
        add_film(on_sqlite, name, cast)
    assert people_of(on_sqlite, first)[0] == people_of(on_sqlite, second)[0] == person


def test_what_was_said_to_be_one_person_stays_one(on_sqlite: Catalogue) -> None:
    first, second = add_film(on_sqlite, "one", (0, 1)), add_film(on_sqlite, "two", (2, 3))
    assert people_of(on_sqlite, first)[0] != people_of(on_sqlite, second)[0]
    say_same(on_sqlite, character_of(on_sqlite, first, 0), character_of(on_sqlite, second, 0))
    with on_sqlite.database.begin() as connection:
        connection.execute(update(films).values(indexed_digest=None))
    assert refresh_index(on_sqlite) == []
    assert people_of(on_sqlite, first)[0] == people_of(on_sqlite, second)[0]


def test_what_was_said_to_be_two_people_stays_two(on_sqlite: Catalogue) -> None:
    first, second = add_film(on_sqlite, "one", (0, 1)), add_film(on_sqlite, "two", (0, 3))
    assert people_of(on_sqlite, first)[0] == people_of(on_sqlite, second)[0]
    say_different(on_sqlite, character_of(on_sqlite, first, 0), character_of(on_sqlite, second, 0))
    assert people_of(on_sqlite, first)[0] != people_of(on_sqlite, second)[0]
    third = add_film(on_sqlite, "three", (0, 4))
    apart = people_of(on_sqlite, first)[0], people_of(on_sqlite, second)[0]
    assert apart[0] != apart[1]
    assert people_of(on_sqlite, third)[0] in apart


def test_a_contradiction_is_refused_in_one_sentence(on_sqlite: Catalogue) -> None:
    first, second = add_film(on_sqlite, "one", (0, 1)), add_film(on_sqlite, "two", (0, 3))
    pair = character_of(on_sqlite, first, 0), character_of(on_sqlite, second, 0)
    say_different(on_sqlite, *pair)
    with pytest.raises(CatalogueError, match="two people"):
        say_same(on_sqlite, *pair)


def test_a_statement_that_a_refusal_names_can_be_retracted(on_sqlite: Catalogue) -> None:
    first, second = add_film(on_sqlite, "one", (0, 1)), add_film(on_sqlite, "two", (0, 3))
    pair = character_of(on_sqlite, first, 0), character_of(on_sqlite, second, 0)
    say_different(on_sqlite, *pair)
    with pytest.raises(CatalogueError) as refused:
        say_same(on_sqlite, *pair)
    said = re.match(
        r"Statement (\d+) says .*`personae catalogue people retract`", str(refused.value)
    )
    on_sqlite.retract(int(said[1]))
    say_same(on_sqlite, *pair)
    assert people_of(on_sqlite, first)[0] == people_of(on_sqlite, second)[0]
    with pytest.raises(CatalogueError, match="no statement"):
        on_sqlite.retract(int(said[1]))


def test_numbers_of_people_are_never_used_again(on_sqlite: Catalogue) -> None:
    first = add_film(on_sqlite, "one", (0, 1))
    used = set(people_of(on_sqlite, first).values())
    on_sqlite.forget_film(first)
    assert list_people(on_sqlite) == []
    second = add_film(on_sqlite, "two", (0, 1))
    assert not used & set(people_of(on_sqlite, second).values())


def test_people_who_turn_out_to_be_one_are_merged_and_logged(on_sqlite: Catalogue) -> None:
    first, second = add_film(on_sqlite, "one", (0, 1)), add_film(on_sqlite, "two", (0, 3))
    one, other = character_of(on_sqlite, first, 0), character_of(on_sqlite, second, 0)
    # as though the evidence had not sufficed when the second film came
    with on_sqlite.database.begin() as connection:
        from personae.catalogue.people.registry import create_person

        person = create_person(connection)
        connection.execute(
            update(characters).where(characters.c.id == other).values(person_id=person)
        )
    before = people_of(on_sqlite, first)[0]
    add_film(on_sqlite, "three", (0, 5))
    assert people_of(on_sqlite, first)[0] == people_of(on_sqlite, second)[0] == before
    with on_sqlite.database.read() as connection:
        merges = connection.execute(select(person_merges)).all()
    assert [(row.kept, row.gone) for row in merges] == [(before, person)]
    assert one != other


def test_the_people_do_not_depend_on_the_run(
    on_sqlite: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from personae.catalogue import create_catalogue

    casts = [(0, 1, 2), (2, 3, 4), (0, 4, 5)]
    with create_catalogue(tmp_path_factory.mktemp("again") / "catalogue") as again:
        found = []
        for catalogue in (on_sqlite, again):
            numbers = [add_film(catalogue, f"film{n}", cast) for n, cast in enumerate(casts)]
            found.append([people_of(catalogue, number) for number in numbers])
    assert found[0] == found[1]


def test_a_split_in_a_film_makes_another_person(on_sqlite: Catalogue) -> None:
    add_film(on_sqlite, "one", (0, 1, 2))
    number = add_film(on_sqlite, "two", (0, 3, 4))
    person = people_of(on_sqlite, number)[0]
    project = Project.open(project_folder(on_sqlite, number))
    label = next(one.label for one in project.cast() if 0 in one.tracks)
    project.edits.split(label, [2])
    from personae.pipeline.runner import recluster

    recluster(project.folder, with_report=False)
    assert refresh_index(on_sqlite) == []
    with on_sqlite.database.read() as connection:
        rows = connection.execute(
            select(characters.c.tracks, characters.c.person_id).where(
                characters.c.film_id == number
            )
        ).all()
    assert sorted(row.tracks for row in rows) == [1, 2, 3, 3]
    assert len({row.person_id for row in rows}) == 4
    assert person in {row.person_id for row in rows}


def test_a_film_of_another_face_network_is_refused(
    on_sqlite: Catalogue, write_films: Callable[..., object]
) -> None:
    add_film(on_sqlite, "one", (0, 1))
    number = add_film(on_sqlite, "two", (0, 2), index=False)
    project = Project.open(project_folder(on_sqlite, number))
    encode = project.manifest.stages["encode"]
    other = encode.model_copy(update={"weights": {"dlib-resnet-128": "0" * 64}})
    project.add_record("encode", other)
    with pytest.raises(CatalogueError, match="another face network"):
        index_film(on_sqlite, number)
