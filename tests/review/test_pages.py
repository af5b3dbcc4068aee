"""The pages show the cast, and what is done on them becomes edits of it."""

from __future__ import annotations

import re
import threading

import pytest

from helpers.edited_film import edited_film
from helpers.page_client import messages
from helpers.review_client import ReviewClient, review_of
from personae.project import Project

UNKNOWN = (12, 13)


@pytest.fixture
def client(tmp_path):
    """Four characters of three tracks each, and two tracks of nobody."""
    folder = edited_film(tmp_path / "f.personae", method="personae").folder
    with review_of(folder, names=["Hamlet", "Ophelia", "Polonius"]) as opened:
        yield opened


def label_of(client, track):
    cast = Project.open(client.app.film.folder).cast()
    return next((one.label for one in cast if track in one.tracks), None)


def log(client):
    return [entry.edit.kind for entry in Project.open(client.app.film.folder).edits.log()]


def test_the_cast_is_shown_by_screen_time_with_pictures_and_names_to_choose_from(client):
    page = client.get("/")
    labels = re.findall(r'id="pick-(P\d+)"', page)
    cast = Project.open(client.app.film.folder).cast()
    assert labels == [one.label for one in cast]
    assert page.count('class="card"') == len(cast) == 4
    for crop in re.findall(r'src="(/crop/[^"]+)"', page)[:3]:
        assert client.http.get(crop).content.startswith(b"\xff\xd8")
    assert '<option value="Ophelia">' in page


def test_a_name_is_saved_found_and_taken_away(client):
    client.edit("name", who="P01", name=" Hamlet ")
    assert "Hamlet" in client.cast()
    assert 'value="Hamlet"' in client.get("/?q=haml")
    assert client.get("/?q=haml").count('class="card"') == 1
    assert "Nobody is called &lt;x&gt;" in client.get("/?q=<x>")
    client.edit("name", who="P01", name="")
    assert "Hamlet" not in client.cast()


def test_saving_a_name_that_did_not_change_enters_nothing(client):
    client.edit("name", who="P01", name="")
    client.edit("name", who="P01", name="Hamlet")
    client.edit("name", who="P01", name="Hamlet")
    assert log(client) == ["name"]


def test_characters_are_merged_and_the_first_keeps_its_name(client):
    before = client.cast()
    client.edit("name", who="P02", name="Ophelia")
    client.edit("merge", character=["P02", "P04"])
    assert client.cast()["Ophelia"] == before["P02"] | before["P04"]


def test_a_merge_is_undone_and_redone_by_the_buttons_that_say_so(client):
    before = client.cast()
    client.edit("merge", character=["P01", "P03"])
    page = client.get("/")
    assert "P01 and P03 are one person" in page
    number = re.search(r'value="undo">.*?name="edit" value="(\d+)"', page, re.DOTALL)[1]
    client.edit("undo", edit=number)
    assert client.cast() == before
    assert "Undone" not in client.get("/")  # a message is shown once
    client.edit("redo", edit=number)
    assert len(client.cast()) == 3


def test_an_ignored_character_leaves_the_cast(client):
    client.edit("ignore", character="P04")
    assert "P04" not in client.cast()
    assert "left out of the cast" in client.get("/unknown")


def test_the_least_certain_tracks_of_a_character_come_first(client):
    page = client.get("/character/P01")
    tracks = [int(one) for one in re.findall(r'id="pick-(\d+)"', page)]
    shown = client.app.film.state().tracks
    certain = [shown[track].confidence for track in tracks]
    assert certain == sorted(certain)
    assert set(tracks) == client.cast()["P01"]


def test_selected_tracks_are_split_off_moved_and_ignored(client):
    one, other = client.cast()["P01"], client.cast()["P02"]
    first, second, third = sorted(one)
    client.edit("split", track=[first])
    assert label_of(client, first) not in (None, label_of(client, second))
    client.edit("move", track=[second], to=label_of(client, min(other)))
    assert label_of(client, second) == label_of(client, min(other))
    client.edit("ignore", track=[third])
    assert label_of(client, third) is None


def test_tracks_given_to_a_name_that_nobody_has_become_a_character(client):
    first, *rest = sorted(client.cast()["P01"])
    client.edit("move", track=[first], to="Polonius")
    assert client.cast()["Polonius"] == {first}
    assert label_of(client, rest[0]) != label_of(client, first)
    client.edit("move", track=[rest[0]], to="Polonius")
    assert client.cast()["Polonius"] == {first, rest[0]}


def test_the_proposed_split_is_that_of_two_people_in_one_character(client):
    before = client.cast()
    client.edit("merge", character=["P01", "P02"])
    page = client.get("/character/" + label_of(client, min(before["P01"])))
    assert "Are these two people?" not in page  # a person has said that they are one
    client.edit("undo", edit=1)
    merged = edited_film_of_one_mixed_character(client)
    with review_of(merged) as mixed:
        page = mixed.get("/character/P01")
        proposed = re.search(r'name="track" value="([\d,]+)"', page)[1]
        tracks = {int(one) for one in proposed.split(",")}
        assert tracks in ({0, 1, 2}, {3, 4, 5})
        mixed.edit("split", track=proposed)
        assert {0, 1, 2} in mixed.cast().values()
        assert {3, 4, 5} in mixed.cast().values()
        assert "Are these two people?" not in mixed.get("/character/P01")


def edited_film_of_one_mixed_character(client):
    """Two people whom a hint makes one character."""
    folder = client.app.film.folder.parent / "mixed.personae"
    project = edited_film(folder, characters=2, unknown=0)
    record = project.manifest.stages["cluster"]
    parameters = {**record.parameters, "num_people": 1}
    project.add_record(
        "cluster", record.model_copy(update={"parameters": parameters, "digest": "x"})
    )
    return folder


def test_the_guesses_that_a_page_shows_can_be_accepted_in_bulk(client):
    """Those that were shown: guesses may change meanwhile, as when the evidence is measured."""
    assert set(client.app.film.state().guesses) == set(UNKNOWN)
    shown = re.findall(r'name="guess" value="(\d+):(P\d+)"', client.get("/unknown"))
    assert {int(track) for track, _ in shown} == set(UNKNOWN)
    said = client.edit("accept", track=list(UNKNOWN))
    assert "No selected track has a guess." in said
    client.edit("accept", track=list(UNKNOWN), guess=[f"{track}:P01" for track, _ in shown])
    assert {label_of(client, track) for track in UNKNOWN} == {"P01"}
    assert "Every track is somebody" in client.get("/unknown")


def test_two_browsers_see_each_others_edits(client):
    other = ReviewClient(client.app).enter()
    client.edit("name", who="P01", name="Hamlet")
    assert 'value="Hamlet"' in other.get("/")
    other.edit("merge", character=["P01", "P02"])
    said = client.edit("merge", character=["P02", "P03"])
    assert "There is no character 'P02'" in said
    assert "There is no character" in messages(client.get("/character/P02"))


def test_edits_of_many_browsers_at_once_are_all_kept(client):
    failed = []

    def name(number):
        try:
            ReviewClient(client.app).enter().edit("name", who=f"P0{number}", name=f"Guard {number}")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=name, args=(number,)) for number in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert set(client.cast()) == {"Guard 1", "Guard 2", "Guard 3", "Guard 4"}


def test_an_edit_from_the_command_is_seen_at_once(client):
    Project.open(client.app.film.folder).edits.name("P01", "Gertrude")
    assert 'value="Gertrude"' in client.get("/")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"verb": "dance"}, "There is no verb 'dance'."),
        ({"verb": "merge", "character": ["P01"]}, "name two or more"),
        ({"verb": "merge", "character": ["P01", "P99"]}, "There is no character 'P99'"),
        ({"verb": "name", "who": "P01", "name": "P07"}, "cannot be a name"),
        ({"verb": "name", "who": "P01", "name": "\x00"}, "cannot be shown"),
        ({"verb": "split", "track": "x"}, "'x' is no number."),
        ({"verb": "split", "track": "0"}, ""),
        ({"verb": "split", "track": "12"}, "nobody to split them from"),
        ({"verb": "split", "track": "9999"}, "There is no track 9999"),
        ({"verb": "move", "track": "0"}, "Say who they are"),
        ({"verb": "move", "to": "P01"}, "Nothing is selected."),
        ({"verb": "accept", "track": "0"}, "No selected track has a guess."),
        ({"verb": "ignore"}, "Nothing is selected."),
        ({"verb": "undo", "edit": "0"}, "There is no edit 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(client, fields, sentence):
    entered = log(client)
    said = client.edit(fields.pop("verb"), **fields)
    assert sentence in said
    assert (log(client) == entered) == bool(sentence)


def test_a_contradiction_is_said_and_not_entered(client):
    one, other = (min(client.cast()[label]) for label in ("P01", "P02"))
    Project.open(client.app.film.folder).edits.different("P01", "P02")
    said = client.edit("merge", character=[label_of(client, one), label_of(client, other)])
    assert "contradicts edit 1" in said
    assert log(client) == ["different"]


@pytest.mark.parametrize("address", ["/?page=x", "/?page=-1", "/unknown?page=" + "9" * 40])
def test_a_bad_address_is_answered_in_one_sentence(client, address):
    answer = client.http.get(address)
    assert (answer.status_code, answer.text.count(".")) == (400, 1)


def test_a_list_has_pages(client, monkeypatch):
    monkeypatch.setattr("personae.review.pages.CHARACTERS_PER_PAGE", 3)
    first, second = client.get("/"), client.get("/?page=2")
    assert first.count('class="card"') == 3
    assert second.count('class="card"') == 1
    assert 'href="/?page=2">Next page' in first
    assert 'href="/?page=1">Previous page' in second


def test_everything_to_press_has_a_name_for_screen_readers(client):
    for page in ("/", "/queue", "/unknown", "/character/P01"):
        text = client.get(page)
        for field in re.findall(r"<(?:input|meter)\b[^>]*>", text):
            assert 'type="hidden"' in field or "aria-label=" in field, field
        for image in re.findall(r"<img\b[^>]*>", text):
            assert "alt=" in image
        for name, inner in re.findall(r"<button\b([^>]*)>(.*?)</button>", text, re.DOTALL):
            assert re.sub(r"<[^>]*>", "", inner).strip() or "aria-label" in name
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
