"""The pages of a catalogue in a real browser: by keys, to the moment, and while films are run."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import insert, update

from helpers.browser import wait_until
from helpers.catalogue_people import (
    add_film,
    character_of,
    people_of,
    project_folder,
    record_finished_film,
)
from helpers.played_film import START_S, write_played_film
from helpers.review_process import running_pages
from personae.catalogue import create_catalogue, open_catalogue
from personae.catalogue.film_faces import film_digest
from personae.catalogue.people.registry import create_person
from personae.catalogue.people.statement_list import list_statements
from personae.catalogue.people.statements import say_different
from personae.catalogue.schema import characters
from personae.catalogue.schema import films as films_table
from personae.project import Project

pytestmark = pytest.mark.slow

TIMEOUT_MS = 60_000


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A film of moving patches that browsers play, with its project folder."""
    return write_played_film(tmp_path_factory.mktemp("played"))


@pytest.fixture
def folder(tmp_path, played):
    """Two films of drawn faces, and a third that can be played, whose P02 is person 1."""
    folder = tmp_path / "catalogue"
    with create_catalogue(folder) as catalogue:
        for number, cast in enumerate([(0, 1, 2), (2, 3, 4)]):
            add_film(catalogue, f"film{number}", cast)
        add_played_film(catalogue, played)
    return folder


def add_played_film(catalogue, played):
    number = record_finished_film(catalogue, str(played.film), "played")
    copied = shutil.copytree(played.project.folder, project_folder(catalogue, number))
    project = Project.open(copied)
    one = project.cast()["P02"]
    with catalogue.database.begin() as connection:
        connection.execute(
            update(films_table)
            .where(films_table.c.id == number)
            .values(indexed_digest=film_digest(project))
        )
        connection.execute(
            insert(characters).values(
                film_id=number,
                number=2,
                label="P02",
                reviewed=False,
                tracks=len(one.tracks),
                seconds=one.screen_time,
                first_s=one.first_seen,
                last_s=one.last_seen,
                anchor_track=one.tracks[0],
                person_id=create_person(connection, "Patch", "named"),
                confirmed=True,
            )
        )


@pytest.fixture
def serving(folder):
    with running_pages("catalogue", "serve", str(folder)) as running:
        yield running


@pytest.fixture
def page(browser, serving):
    """The films; the test fails if the browser complains of anything."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    opened, complaints = context.new_page(), []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(serving.url)
    yield opened
    assert not complaints
    context.close()


def test_a_click_on_a_moment_of_a_person_lands_there_in_the_player(page, folder):
    page.keyboard.press("2")
    page.wait_for_url("**/people")
    page.keyboard.press("/")
    page.keyboard.type("patch")
    page.keyboard.press("Enter")
    page.wait_for_url("**/people?q=patch")
    page.locator(".card").wait_for()
    page.keyboard.press("Escape")  # leaves the field
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/person/*")
    page.locator(".moment").first.click()
    page.wait_for_url("**/film/3/player?time=*")
    wait_until(page, f"Math.abs(stage.dataset.shown - {START_S + 2.0}) < 0.05")
    assert page.locator("#lanes input:checked").get_attribute("value") == "P02"
    wait_until(page, "document.querySelectorAll('#boxes .box').length > 0")
    page.keyboard.press("Enter")  # opens the chosen character, in the same film
    page.wait_for_url("**/film/3/character/P02")
    page.keyboard.press("0")
    page.locator("#film-3").wait_for()


def test_people_are_named_and_made_one_by_keys(page, folder):
    page.keyboard.press("2")
    page.wait_for_url("**/people")
    page.keyboard.press("j")
    page.keyboard.press("n")
    page.keyboard.type("Ophelia")
    page.keyboard.press("Enter")
    page.locator("input[value=Ophelia]").wait_for()
    page.keyboard.press("Escape")
    with open_catalogue(folder) as catalogue:
        one, other = people_of(catalogue, 1)[0], people_of(catalogue, 2)[1]
    page.focus(f"#pick-{one}")
    page.keyboard.press("x")
    page.focus(f"#pick-{other}")
    page.keyboard.press("x")
    page.keyboard.press("m")
    page.get_by_text("They are person").wait_for()
    with open_catalogue(folder) as catalogue:
        assert people_of(catalogue, 1)[0] == people_of(catalogue, 2)[1]
        assert "Ophelia" in {person.name for person in catalogue.people()}


def test_what_was_said_is_taken_back_and_said_again_by_keys(page, folder, serving):
    with open_catalogue(folder) as catalogue:
        one, other = people_of(catalogue, 1)[0], people_of(catalogue, 2)[1]
        say_different(catalogue, character_of(catalogue, 1, 0), character_of(catalogue, 2, 1))
    page.goto(f"{serving.base}/person/{one}")
    page.get_by_role("button", name="Take back").click()
    page.locator("#undo").wait_for()
    with open_catalogue(folder) as catalogue:
        assert list_statements(catalogue) == []
    page.keyboard.press("u")
    page.get_by_text("What people have said").wait_for()
    assert page.locator("#undo").count() == 0
    with open_catalogue(folder) as catalogue:
        [statement] = list_statements(catalogue)
        assert {statement.one.person_id, statement.other.person_id} == {one, other}


def test_progress_is_shown_while_a_film_is_run(page, folder):
    with open_catalogue(folder) as catalogue:
        state(catalogue, state="running", stage="scan", stage_done=10, stage_total=100)
        page.reload()
        page.locator("#film-2", has_text="scan 10").wait_for()
        state(catalogue, stage_done=60)
        page.locator("#film-2", has_text="scan 60").wait_for()
        state(catalogue, state="done")
        page.locator("#film-2 a.poster").wait_for()
        state(catalogue, state="failed", error="It is cut off.")
    page.reload()
    page.locator("#film-2", has_text="It is cut off.").wait_for()


def state(catalogue, **values):
    with catalogue.database.begin() as connection:
        connection.execute(update(films_table).where(films_table.c.id == 2).values(**values))


def test_a_narrow_window_needs_no_sideways_scrolling(page, serving):
    page.set_viewport_size({"width": 390, "height": 800})
    for path in (
        "/",
        "/people",
        "/person/1",
        "/suggestions",
        "/search",
        "/film/3/",
        "/film/3/player",
    ):
        page.goto(serving.base + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
