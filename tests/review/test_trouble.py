"""Whatever goes wrong or changes meanwhile, the pages answer with a sentence and lose nothing."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import threading
import time

import pytest

from helpers.edited_film import edited_film
from helpers.page_client import HOST, ORIGIN, PORT, TOKEN, messages
from helpers.review_client import ReviewClient, review_of, shown_question
from personae.core.errors import PersonaeError
from personae.core.files import atomic_write
from personae.pipeline.runner import recluster
from personae.project import Project
from personae.project.folder import MANIFEST
from personae.review.app import make_app

UNEXPECTED = "Something has gone wrong in personae"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film") / "f.personae"
    return edited_film(folder, method="personae", characters=6, tracks_each=4, noise=0.9).folder


@pytest.fixture
def folder(film, tmp_path):
    return shutil.copytree(film, tmp_path / "f.personae")


@pytest.fixture
def client(folder):
    with review_of(folder) as opened:
        yield opened


def kinds(folder):
    return [one.edit.kind for one in Project.open(folder).edits.log()]


@pytest.mark.parametrize("back", ["http://[", "//[x", "http://a]/", "/character/" + "9" * 999])
def test_an_edit_is_entered_wherever_its_form_says_it_leads_back_to(client, folder, back):
    assert client.post("/edit", verb="ignore", track=0, back=back).status_code == 303
    assert kinds(folder) == ["ignore"]


def test_a_mistake_of_ours_is_said_on_the_page_and_logged(client, folder, monkeypatch, caplog):
    def fail(*_, **__):
        raise KeyError("a mistake of ours")

    client.edit("ignore", track=0)
    monkeypatch.setattr("personae.review.actions.clean_name", fail)
    assert UNEXPECTED in client.edit("move", track=1, to="Hamlet", back="/unknown")
    assert "a mistake of ours" in caplog.text
    assert kinds(folder) == ["ignore"]
    monkeypatch.undo()
    client.edit("move", track=1, to="Hamlet")
    assert "name" in kinds(folder)


def test_a_page_that_fails_is_a_sentence_too(folder, monkeypatch):
    with review_of(folder) as client:
        client.http = type(client.http)(
            make_app(client.app, TOKEN, HOST, PORT),
            base_url=ORIGIN,
            follow_redirects=False,
            raise_server_exceptions=False,
        )
        client.enter()
        monkeypatch.setattr(type(client.app.film), "best_crops", lambda *_: 1 / 0)
        answer = client.http.get("/")
        assert answer.status_code == 500
        assert answer.text.startswith(f"{UNEXPECTED} (ZeroDivisionError); what was saved is safe.")


def test_half_of_a_form_enters_nothing(client, folder):
    """A browser that is closed while it sends, or a connection that breaks."""
    sent = []

    async def send(message):
        sent.append(message)

    parts = iter(
        [
            {"type": "http.request", "body": b"verb=ignore&track=1", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive():
        return next(parts)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/edit",
        "query_string": b"",
        "headers": [
            (b"host", f"{HOST}:{PORT}".encode()),
            (b"origin", ORIGIN.encode()),
            (b"cookie", f"personae-review-{PORT}={TOKEN}".encode()),
        ],
    }
    asyncio.run(make_app(client.app, TOKEN, HOST, PORT)(scope, receive, send))
    assert not sent
    assert not kinds(folder)


def test_a_question_is_answered_for_the_tracks_that_were_shown(client, folder):
    """Another tab has moved the tracks meanwhile."""
    question = client.app._actions.next_question(ask_of_seen_together=False).question
    pair = question.pairs[0]
    edits = Project.open(folder).edits
    edits.different(pair.left, pair.right)
    fields = {"question": question.id, "answer": "yes", "chosen": [*range(len(question.pairs))]}
    sent = client.post("/answer", back="/queue", **fields)
    said = messages(client.get(sent.headers["location"]))
    assert "One pair is left out. That contradicts edit 1" in said
    assert len(kinds(folder)) > 1, "the other pairs are answered"
    assert not edits.compiled().contradictions
    assert edits.compiled().different_people
    edits.ignore(pair.right)
    client.cast()
    sent = client.post("/answer", back="/queue", question=question.id, answer="no")
    assert UNEXPECTED not in messages(client.get(sent.headers["location"]))


def test_one_undo_takes_back_an_answer(client, folder):
    before = client.cast()
    while shown_question(client.get("/queue")):
        asked = client.app._actions.next_question(ask_of_seen_together=False).question
        client.answer("no")
        if len(asked.pairs) > 1 and len({pair.left for pair in asked.pairs}) > 1:
            break
    entered = Project.open(folder).edits.log()
    assert entered[-1].edit.part_of is not None
    page = client.get("/")
    assert "more</span>" in page
    undone = client.app.film.state().to_undo.number
    client.edit("undo", edit=undone)
    held = [one.edit for one in Project.open(folder).edits.log() if one.holds]
    assert all(undone not in (one.id, one.part_of) for one in held)
    if len(held) == 1:
        assert client.cast() == before


def test_labels_of_a_cast_that_is_gone_are_said_to_be_gone(client):
    answer = client.post("/edit", verb="confirm", character="P77", back="/character/P77")
    said = messages(client.get(answer.headers["location"]))
    assert "There is no character 'P77': did you mean" in said
    assert "There is no character 'P77' now" in said


def test_a_page_waits_while_a_clustering_puts_its_files_in_place(client, folder):
    """Another process has dropped the record of the old table and written half of the new one."""
    manifest, table = folder / MANIFEST, folder / "characters.parquet"
    finished, rows = manifest.read_bytes(), table.read_bytes()
    project = Project.open(folder)
    project.drop_records(["cluster"])
    table.write_bytes(rows[:100])

    def finish():
        time.sleep(0.3)
        table.write_bytes(rows)
        with atomic_write(manifest) as stream:
            stream.write(finished)

    finisher = threading.Thread(target=finish)
    finisher.start()
    said = client.edit("ignore", track=0)
    finisher.join()
    assert not said
    assert kinds(folder) == ["ignore"]


def test_a_folder_that_is_gone_is_said_to_be_gone(client, folder):
    shutil.move(folder, folder.with_name("elsewhere"))
    answer = client.post("/edit", verb="ignore", track=0)
    assert answer.status_code == 303
    page = client.http.get(answer.headers["location"])
    assert "is not a project folder" in page.text


def test_tabs_and_commands_at_once_get_pages_and_sentences(folder):
    """Three tabs and a command edit one folder, which is clustered anew all the while."""
    statuses, said, failures = set(), [], []
    until = time.monotonic() + 4

    def browse(seed):
        rng = random.Random(seed)
        tab = ReviewClient(client.app).enter()
        while time.monotonic() < until:
            try:
                answer = visit(tab, rng)
            except BaseException as error:
                failures.append(repr(error))
                raise
            statuses.add(answer.status_code)
            said.append(messages(answer.text))

    def command():
        rng = random.Random(9)
        while time.monotonic() < until:
            try:
                Project.open(folder).edits.merge([rng.randrange(24)], [rng.randrange(24)])
                recluster(folder, with_report=False, wait_s=5)
            except PersonaeError:
                time.sleep(0.05)

    with review_of(folder) as client:
        threads = [threading.Thread(target=browse, args=(seed,)) for seed in range(3)]
        threads.append(threading.Thread(target=command))
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert not failures
    assert statuses == {200}
    assert not any(UNEXPECTED in one for one in said)
    assert len(kinds(folder)) > 5


def visit(tab, rng):
    """Look at a page, send an edit, or answer a question; return the page that follows."""
    label, track = f"P{rng.randrange(1, 9):02d}", rng.randrange(26)
    edits = [
        {"verb": "name", "who": label, "name": rng.choice("AB")},
        {"verb": "merge", "character": [label, f"P{rng.randrange(1, 9):02d}"]},
        {"verb": "ignore", "track": track},
        {"verb": "split", "track": [track, rng.randrange(26)]},
        {"verb": "move", "track": track, "to": rng.choice([label, "A", "C"])},
        {"verb": "accept", "track": track, "guess": f"{track}:{label}"},
        {"verb": "undo", "edit": rng.randrange(1, 20)},
        {"verb": "redo", "edit": rng.randrange(1, 20)},
    ]
    pages = ["/", "/queue", "/unknown", f"/character/{label}", "/player/faces?from=0&to=9"]
    what = rng.random()
    if what < 0.4:
        return tab.http.get(rng.choice(pages), follow_redirects=True)
    if what < 0.7:
        fields = {**rng.choice(edits), "back": rng.choice(pages[:4])}
        return tab.http.get(tab.post("/edit", **fields).headers["location"], follow_redirects=True)
    page = tab.http.get("/queue", follow_redirects=True)
    found = re.search(r'name="question" value="(\w+)"', page.text)
    if not found:
        return page
    fields = {"question": found[1], "answer": rng.choice(["yes", "no", "skip"]), "chosen": [0, 1]}
    sent = tab.post("/answer", **fields, back="/queue")
    return tab.http.get(sent.headers["location"], follow_redirects=True)
