"""The pages of a catalogue: films, people across them, suggestions, search, the films' reviews."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update
from typer.testing import CliRunner

from helpers.catalogue_client import CatalogueClient, links, pages_of
from helpers.catalogue_people import add_film, people_of, person_vector, project_folder, unit
from helpers.page_client import PORT, TOKEN, messages
from personae.catalogue.audit import list_searches
from personae.catalogue.catalogue import Catalogue
from personae.catalogue.films import list_films
from personae.catalogue.forgetting import forget_film
from personae.catalogue.people.statement_list import list_statements
from personae.catalogue.photo_face import PhotoFace, PhotoReader
from personae.catalogue.schema import films as films_table
from personae.catalogue.suggestions import list_suggestions
from personae.catalogue.web.open_films import MAX_OPEN_FILMS
from personae.catalogue.web.photo_search import MAX_PHOTO_BYTES
from personae.cli.app import app as command
from personae.core.errors import CatalogueError
from personae.project import Project


class OnePerson(PhotoReader):
    """Takes every wide photo for one of person 2, and finds nobody on a high one."""

    def read(self, path: Path) -> PhotoFace:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            if image.height > image.width:
                raise CatalogueError(f"{path} shows no face that is large enough.")
        return PhotoFace(
            hashlib.sha256(content).hexdigest(), content, ".png", unit(person_vector(2))
        )


def picture(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height)).save(made, "PNG")
    return made.getvalue()


@pytest.fixture
def films(on_sqlite: Catalogue) -> list[int]:
    casts = [(0, 1, 2), (2, 3, 4)]
    return [add_film(on_sqlite, f"film{n}", cast) for n, cast in enumerate(casts)]


@pytest.fixture
def client(on_sqlite: Catalogue, films: list[int]):
    with pages_of(on_sqlite, by="me", photo_reader=OnePerson(on_sqlite)) as opened:
        yield opened


def set_film(catalogue: Catalogue, film_id: int, **values: object) -> None:
    with catalogue.database.begin() as connection:
        connection.execute(update(films_table).where(films_table.c.id == film_id).values(**values))


def test_films_have_posters_and_lead_to_their_review(client, films):
    page = client.get("/")
    for film in films:
        assert f'href="/film/{film}/"' in page
        posters = links(page, f"/face/{film}/")
        assert len(posters) == 3
        answer = client.http.get(posters[0])
        assert answer.content.startswith(b"\xff\xd8")
        assert answer.headers["cache-control"] == "no-store"


def test_a_failed_film_shows_its_sentence_and_a_running_one_its_progress(client, on_sqlite, films):
    set_film(on_sqlite, films[0], state="failed", error="The <film> is cut off.")
    set_film(on_sqlite, films[1], state="running", stage="scan", stage_done=30, stage_total=120)
    page = client.get("/")
    assert "The &lt;film&gt; is cut off." in page
    assert "scan 25" in page
    assert f'hx-get="/progress?films={films[1]}"' in page
    set_film(on_sqlite, films[1], state="done")
    part = client.get(f"/progress?films={films[1]}")
    assert f'id="film-{films[1]}" hx-swap-oob="true"' in part
    assert f'href="/film/{films[1]}/"' in part
    assert "hx-get" not in part


def test_people_are_listed_with_their_films_and_found_by_name(client, on_sqlite, films):
    person = people_of(on_sqlite, films[0])[2]
    assert people_of(on_sqlite, films[1])[0] == person
    client.edit("name", person=person, name="Ophelia", back="/people")
    page = client.get("/people?q=oph")
    assert links(page, "/person/") == [f"/person/{person}"]
    assert "2 films" in page.replace("\u00a0", " ")
    assert "Nobody is called Hamlet" in client.get("/people?q=Hamlet")


def test_a_person_lists_the_films_and_every_moment_leads_to_the_player(client, on_sqlite, films):
    person = people_of(on_sqlite, films[0])[2]
    page = client.get(f"/person/{person}")
    for film in films:
        moments = links(page, f"/film/{film}/player?time=")
        assert moments
        assert "no longer at" in client.get(moments[0])  # the player says that the film is missing


def test_two_people_become_one_and_a_character_leaves(client, on_sqlite, films):
    one, other = people_of(on_sqlite, films[0])[0], people_of(on_sqlite, films[1])[1]
    said = client.edit("same", person=[one, other], back="/people")
    assert "They are person" in said
    joined = people_of(on_sqlite, films[0])[0]
    assert people_of(on_sqlite, films[1])[1] == joined
    page = client.get(f"/person/{joined}")
    picks = [int(text.partition('"')[0]) for text in page.split('name="character" value="')[1:]]
    assert len(picks) == 2
    assert "Somebody has to stay" in client.edit(
        "leave", person=joined, character=picks, back=f"/person/{joined}"
    )
    # it was said that they are one person: who says otherwise is told so
    assert "one person" in client.edit(
        "leave", person=joined, character=picks[1], back=f"/person/{joined}"
    )


def test_two_that_are_different_are_not_made_one(client, on_sqlite, films):
    one, other = people_of(on_sqlite, films[0])[0], people_of(on_sqlite, films[1])[1]
    assert "different people" in client.edit("different", person=[one, other], back="/people")
    assert "two people" in client.edit("same", person=[one, other], back="/people")
    assert people_of(on_sqlite, films[1])[1] != people_of(on_sqlite, films[0])[0]


def test_what_was_said_is_listed_can_be_taken_back_and_that_undone(client, on_sqlite, films):
    one, other = people_of(on_sqlite, films[0])[0], people_of(on_sqlite, films[1])[1]
    client.edit("different", person=[one, other], back="/people")
    for person in (one, other):
        page = client.get(f"/person/{person}")
        assert "What people have said" in page
        assert "are two people" in page
        assert "(me)" in page
    [statement] = list_statements(on_sqlite)
    back = f"/person/{one}"
    client.edit("retract", statement=statement.id, back=back)
    assert list_statements(on_sqlite) == []
    page = client.get(back)
    assert f"Taken back: {statement.text}" in page
    assert "What people have said" not in page
    client.edit("restore", statement=statement.id, back=back)
    assert "Taken back" not in client.get(back)
    [restored] = list_statements(on_sqlite)
    assert (restored.kind, restored.text, restored.who) == ("different", statement.text, "me")
    assert restored.id != statement.id
    # there is one undo: of what was taken back last
    assert "cannot be undone" in client.edit("restore", statement=statement.id, back=back)
    assert "no statement" in client.edit("retract", statement=statement.id, back=back)


def test_what_was_taken_back_is_not_said_again_against_what_was_said_since(
    client, on_sqlite, films
):
    one, other = people_of(on_sqlite, films[0])[0], people_of(on_sqlite, films[1])[1]
    client.edit("different", person=[one, other], back="/people")
    [statement] = list_statements(on_sqlite)
    back = f"/person/{one}"
    client.edit("retract", statement=statement.id, back=back)
    client.edit("same", person=[one, other], back="/people")
    assert "one person" in client.edit("restore", statement=statement.id, back=back)
    assert [said.kind for said in list_statements(on_sqlite)] == ["same"]


def test_who_was_taken_for_somebody_leaves(client, on_sqlite, films):
    person = people_of(on_sqlite, films[0])[2]
    page = client.get(f"/person/{person}")
    picks = [int(text.partition('"')[0]) for text in page.split('name="character" value="')[1:]]
    client.edit("leave", person=person, character=picks[1], back=f"/person/{person}")
    assert people_of(on_sqlite, films[0])[2] != people_of(on_sqlite, films[1])[0]


def test_suggestions_are_accepted_and_refused(client, on_sqlite, films):
    person = people_of(on_sqlite, films[0])[2]
    client.edit("name", person=person, name="Ophelia", back="/people")
    page = client.get("/suggestions")
    first, second = list_suggestions(on_sqlite)
    assert first.text.split(",")[0] in page
    client.edit("accept", suggestion=first.id, back="/suggestions")
    client.edit("refuse", suggestion=second.id, back="/suggestions")
    assert list_suggestions(on_sqlite) == []
    assert "Nothing is suggested" in client.get("/suggestions")
    film = next(one for one in films if one == first.film_id)
    named = [one.name for one in Project.open(project_folder(on_sqlite, film)).cast()]
    assert "Ophelia" in named
    assert "no open suggestion" in client.edit("accept", suggestion=first.id, back="/suggestions")


def test_a_photo_finds_films_and_moments_and_is_logged_but_not_kept(client, on_sqlite, films):
    photo = picture(20, 10)
    page = client.find(photo).text
    person = people_of(on_sqlite, films[0])[2]
    likely, _, others = page.partition("less likely")
    assert links(likely, "/person/") == [f"/person/{person}"]
    assert others
    assert links(likely, f"/film/{films[0]}/player?time=")
    logged = list_searches(on_sqlite)
    assert [(one.who, one.photo_sha256) for one in logged] == [
        ("me", hashlib.sha256(photo).hexdigest())
    ]
    folder = Path(on_sqlite.location.folder)
    kept = [path for path in folder.rglob("*") if path.is_file() and photo in path.read_bytes()]
    assert kept == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no picture", "photo.jpg is no picture"),
        (b"", "Choose a photo first"),
        (picture(10, 20), "photo.jpg shows no face"),
        (b"\0" * (MAX_PHOTO_BYTES + 1), "photo.jpg is larger than 12 MB"),
    ],
)
def test_a_photo_that_cannot_be_searched_is_refused_in_a_sentence(
    client, on_sqlite, content, sentence
):
    answer = client.find(content)
    assert answer.status_code == 400
    assert sentence in messages(answer.text)
    assert list_searches(on_sqlite) == []


def test_bodies_are_bounded(client):
    assert client.find(b"\0" * (MAX_PHOTO_BYTES + 100_000)).status_code == 413
    assert client.post("/edit", verb="x" * 300_000).status_code == 413
    assert client.post("/film/1/edit", verb="x" * 300_000).status_code == 413


def test_a_film_is_reviewed_below_its_number_and_its_names_reach_the_people(
    client, on_sqlite, films
):
    base = f"/film/{films[1]}"
    page = client.get(f"{base}/")
    outside = [one for one in links(page, "/") if not one.startswith(base)]
    assert outside == ["/"]  # back to all films
    label = links(page, f"{base}/character/")[0].rpartition("/")[2]
    sent = client.post(f"{base}/edit", verb="name", who=label, name="Hamlet", back="/unknown")
    assert sent.headers["location"] == f"{base}/unknown"
    for path in ("/queue", "/unknown", "/player", f"/character/{label}", "/static/review.js"):
        assert client.http.get(base + path).status_code == 200
    picture_address = links(page, f"{base}/crop/")[0]
    assert client.http.get(picture_address).content.startswith(b"\xff\xd8")
    assert links(client.get("/people?q=hamlet"), "/person/")


def test_only_the_last_few_films_stay_open(on_sqlite):
    numbers = [add_film(on_sqlite, f"f{n}", (0, 1), index=False) for n in range(3)]
    assert MAX_OPEN_FILMS >= 2
    with pages_of(on_sqlite) as client:
        client.app.films._max_open = 2
        for number in numbers:
            client.get(f"/film/{number}/")
            client.app.films.wait(number, 60)
        client.get(f"/film/{numbers[2]}/unknown")
        assert client.app.films.numbers() == numbers[1:]


def test_a_film_that_is_not_done_or_was_forgotten_is_refused_in_a_sentence(
    client, on_sqlite, films
):
    client.get(f"/film/{films[0]}/")
    forget_film(on_sqlite, films[0])
    answer = client.http.get(f"/film/{films[0]}/")
    assert (answer.status_code, answer.text.partition(" in ")[0]) == (
        400,
        f"There is no film {films[0]}",
    )
    assert client.app.films.numbers() == []
    set_film(on_sqlite, films[1], state="waiting")
    answer = client.http.get(f"/film/{films[1]}/")
    assert answer.status_code == 400
    assert "has not been run yet" in answer.text
    assert [film.id for film in list_films(on_sqlite)] == [films[1]]


def test_a_person_that_is_gone_leads_back_to_the_people(client):
    assert "There is no person 999 now" in messages(client.get("/person/999"))


def test_nothing_is_shown_without_the_token_and_nothing_changed_from_elsewhere(
    client, on_sqlite, films
):
    stranger = CatalogueClient(client.app)
    for path in ("/", "/people", f"/film/{films[0]}/", f"/face/{films[0]}/0.jpg", "/search"):
        answer = stranger.http.get(path)
        assert answer.status_code == 403
        assert "`personae catalogue serve`" in answer.text
    fields = {"verb": "name", "person": people_of(on_sqlite, films[0])[0], "name": "Mallory"}
    for path in ("/edit", "/search", f"/film/{films[0]}/edit"):
        for headers in ({}, {"origin": "http://example.org"}):
            assert client.http.post(path, data=fields, headers=headers).status_code == 403
    assert client.http.get("/", headers={"host": f"example.org:{PORT}"}).status_code == 421
    page = client.http.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    entered = stranger.http.get(f"/people?token={TOKEN}")
    assert "samesite=strict" in entered.headers["set-cookie"].lower()


def test_values_are_escaped(client, on_sqlite, films):
    person = people_of(on_sqlite, films[0])[0]
    client.edit("name", person=person, name='<b>"x"', back="/people")
    for path in ("/people", f"/person/{person}", "/suggestions"):
        assert '<b>"x' not in client.get(path)


def test_the_command_refuses_what_cannot_be_served_in_a_sentence(on_sqlite, tmp_path):
    runner = CliRunner()
    words = ["catalogue", "serve", "--no-browser"]
    nowhere = runner.invoke(command, [*words, str(tmp_path / "nowhere")])
    assert "is not a catalogue" in str(nowhere.exception)
    folder = on_sqlite.location.folder
    wrong = runner.invoke(command, [*words, folder, "--host", "256.1.1.1"])
    assert "name others with --host" in str(wrong.exception)
