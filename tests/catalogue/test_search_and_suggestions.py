"""Photos and names across films: matches with odds, as suggestions; nothing is a fact by itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.catalogue_people import (
    add_film,
    character_of,
    people_of,
    person_vector,
    project_folder,
    unit,
)
from personae.catalogue.accepting import accept
from personae.catalogue.audit import list_searches
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.indexing import refresh_index
from personae.catalogue.people.gallery import add_photos
from personae.catalogue.people.statements import say_same
from personae.catalogue.photo_face import PhotoFace, PhotoReader
from personae.catalogue.search import find_photo
from personae.catalogue.suggestions import list_suggestions, refuse
from personae.cli.app import app
from personae.core.errors import CatalogueError, EditError
from personae.project import Project


@dataclass
class KnownFaces(PhotoReader):
    """Reads photos whose words say who is on them: `person 3`, or `nobody`."""

    def read(self, path: Path) -> PhotoFace:
        content = path.read_bytes()
        words = content.decode().split()
        if words[0] != "person":
            raise CatalogueError(f"{path} shows no face.")
        return PhotoFace(
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            ending=path.suffix,
            vector=unit(person_vector(int(words[1]))),
        )


READER = KnownFaces()


@pytest.fixture
def films(on_sqlite: Catalogue) -> list[int]:
    casts = [(0, 1, 2), (2, 3, 4), (0, 4, 5)]
    return [add_film(on_sqlite, f"film{n}", cast) for n, cast in enumerate(casts)]


def write_photo(folder: Path, words: str) -> Path:
    path = folder / f"{words.replace(' ', '-')}.jpg"
    path.write_text(words)
    return path


def test_a_picture_finds_the_films_and_moments_of_its_person(
    on_sqlite: Catalogue, films: list[int], tmp_path: Path
) -> None:
    photo = write_photo(tmp_path, "person 2")
    found = find_photo(on_sqlite, photo, who="me", reader=READER)
    likely = [one for one in found if one.probability > 0.5]
    assert [one.film_id for one in likely] == [films[0], films[1]] or [
        one.film_id for one in likely
    ] == [films[1], films[0]]
    assert all(one.person_id == people_of(on_sqlite, films[0])[2] for one in likely)
    for one in likely:
        project = Project.open(project_folder(on_sqlite, one.film_id))
        own = project.cast()[one.label]
        assert one.moments
        for moment in one.moments:
            assert any(a.start_s <= moment.time_s < a.end_s for a in own.appearances)
    assert found == sorted(found, key=lambda one: -one.log_odds)


def test_searches_by_picture_are_logged_by_hash_and_not_by_picture(
    on_sqlite: Catalogue, films: list[int], tmp_path: Path
) -> None:
    photo = write_photo(tmp_path, "person 2")
    found = find_photo(on_sqlite, photo, who="me", reader=READER)
    [logged] = list_searches(on_sqlite)
    assert logged.who == "me"
    assert logged.photo_sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert [row["character_id"] for row in logged.results] == [o.character_id for o in found]


def test_a_catalogue_without_films_says_so(on_sqlite: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no characters yet"):
        find_photo(on_sqlite, write_photo(tmp_path, "person 2"), reader=READER)


def test_photos_of_a_person_suggest_and_never_state(
    on_sqlite: Catalogue, films: list[int], tmp_path: Path
) -> None:
    result = add_photos(on_sqlite, "Hamlet", [write_photo(tmp_path, "person 0")], READER)
    assert (result.added, result.suggested) == (1, 2)
    made = [one for one in list_suggestions(on_sqlite) if one.kind == "photo"]
    assert {one.film_id for one in made} == {films[0], films[2]}
    assert all(one.log_odds is not None and one.log_odds > 0 for one in made)
    assert all(
        one.name is None
        for film in films
        for one in Project.open(project_folder(on_sqlite, film)).cast()
    )
    assert {one.certainty for one in on_sqlite.who("hamlet")} == {"suggested"}


def test_accepting_writes_the_name_as_an_edit_of_the_film(
    on_sqlite: Catalogue, films: list[int], tmp_path: Path
) -> None:
    add_photos(on_sqlite, "Hamlet", [write_photo(tmp_path, "person 0")], READER)
    made = [one for one in list_suggestions(on_sqlite) if one.kind == "photo"]
    first = next(one for one in made if one.film_id == films[0])
    accept(on_sqlite, first.id, "me")
    project = Project.open(project_folder(on_sqlite, films[0]))
    assert project.cast()["Hamlet"].tracks == (0, 1, 2) or 0 in project.cast()["Hamlet"].tracks
    assert [entry.edit.who for entry in project.edits.log()] == ["me"]
    appearing = {one.film_id: one.certainty for one in on_sqlite.who("Hamlet")}
    assert appearing[films[0]] == "confirmed"
    assert appearing[films[2]] in ("found", "suggested")
    assert first.id not in {one.id for one in list_suggestions(on_sqlite)}


def test_a_refused_suggestion_is_never_made_again(
    on_sqlite: Catalogue, films: list[int], tmp_path: Path
) -> None:
    photo = write_photo(tmp_path, "person 0")
    add_photos(on_sqlite, "Hamlet", [photo], READER)
    for one in list_suggestions(on_sqlite):
        refuse(on_sqlite, one.id)
    again = write_photo(tmp_path, "person 0 again")
    add_photos(on_sqlite, "Hamlet", [photo, again], READER)
    assert list_suggestions(on_sqlite) == []


def test_a_photo_that_cannot_be_used_is_refused_and_the_others_are_added(
    on_sqlite: Catalogue, films: list[int], tmp_path: Path
) -> None:
    good, bad = write_photo(tmp_path, "person 0"), write_photo(tmp_path, "nobody")
    result = add_photos(on_sqlite, "Hamlet", [good, bad], READER)
    assert (result.added, len(result.refused)) == (1, 1)
    assert add_photos(on_sqlite, "Hamlet", [good], READER).known == 1
    with pytest.raises(CatalogueError, match="shows no face"):
        add_photos(on_sqlite, "Ophelia", [bad], READER)
    with pytest.raises(CatalogueError, match="no file"):
        add_photos(on_sqlite, "Ophelia", [tmp_path / "missing.jpg"], READER)
    with pytest.raises(EditError):
        add_photos(on_sqlite, "P01", [good], READER)


def test_a_name_given_in_one_film_is_suggested_in_the_others(
    on_sqlite: Catalogue, films: list[int]
) -> None:
    project = Project.open(project_folder(on_sqlite, films[0]))
    label = next(one.label for one in project.cast() if 6 in one.tracks)  # person 2
    project.edits.name(label, "Ophelia")
    assert refresh_index(on_sqlite) == []
    made = {one.kind: one for one in list_suggestions(on_sqlite)}
    assert made["name"].character_id == character_of(on_sqlite, films[1], 0)
    assert made["person"].person_id == people_of(on_sqlite, films[0])[2]
    accept(on_sqlite, made["person"].id)
    accept(on_sqlite, made["name"].id)
    assert Project.open(project_folder(on_sqlite, films[1])).cast()["Ophelia"]
    assert [one.name for one in on_sqlite.people() if one.name] == ["Ophelia"]
    assert {one.certainty for one in on_sqlite.who("ophelia")} == {"confirmed"}


def test_one_name_in_two_films_suggests_that_they_are_one_person(
    on_sqlite: Catalogue, films: list[int]
) -> None:
    for film, track in ((films[0], 0), (films[1], 3)):
        project = Project.open(project_folder(on_sqlite, film))
        label = next(one.label for one in project.cast() if track in one.tracks)
        project.edits.name(label, "Horatio")
    refresh_index(on_sqlite)
    [same] = [one for one in list_suggestions(on_sqlite) if one.kind == "same"]
    accept(on_sqlite, same.id)
    assert people_of(on_sqlite, films[0])[0] == people_of(on_sqlite, films[1])[1]


def test_one_person_in_one_film_is_suggested_to_the_film_as_a_merge(
    on_sqlite: Catalogue, films: list[int]
) -> None:
    one, other = (character_of(on_sqlite, films[0], place) for place in (0, 1))
    say_same(on_sqlite, one, other)
    [merge] = [s for s in list_suggestions(on_sqlite) if s.kind == "merge"]
    accept(on_sqlite, merge.id)
    assert len(Project.open(project_folder(on_sqlite, films[0])).cast()) == 2
    assert len(set(people_of(on_sqlite, films[0]).values())) == 2


def test_who_gives_exact_appearances(on_sqlite: Catalogue, films: list[int]) -> None:
    on_sqlite.name_person(f"{films[0]}:P01", "Hamlet")
    one = next(o for o in on_sqlite.who("Hamlet") if o.film_id == films[0])
    own = Project.open(project_folder(on_sqlite, films[0])).cast()["P01"]
    assert [(float(a.start_s), float(a.end_s)) for a in one.appearances] == [
        (a.start_s, a.end_s) for a in own.appearances
    ]
    assert one.seconds == own.screen_time
    with pytest.raises(CatalogueError, match="nobody called"):
        on_sqlite.who("Fortinbras")


def test_the_verbs_print_text_and_json(on_sqlite: Catalogue, films: list[int]) -> None:
    folder = on_sqlite.location.folder
    runner = CliRunner()

    def call(*words: str) -> str:
        result = runner.invoke(app, ["catalogue", *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    call("people", "name", folder, f"{films[0]}:P01", "Hamlet")
    listed = json.loads(call("people", folder, "--format", "json"))
    assert "Hamlet" in [one["name"] for one in listed]
    assert "Hamlet" in call("people", folder)
    rows = json.loads(call("who", folder, "hamlet", "--format", "json"))
    assert rows[0]["appearances"][0]["start_exact"]
    assert "film0: P01" in call("who", folder, "Hamlet")
    call("people", "same", folder, f"{films[0]}:P02", "film1:P03")
    assert json.loads(call("people", "suggestions", folder, "--format", "json"))
    receipt = json.loads(call("forget", folder, "Hamlet", "--yes"))
    assert receipt["counts"]["characters"] >= 1
    assert "Hamlet" not in call("people", folder)
    call("forget", folder, "--film", "film1", "--yes")
