"""The run that learns from corrections: its progress, stop and failure, and the cast meanwhile."""

from __future__ import annotations

import re
import sys
import time

import pytest

from helpers.edited_film import edited_film
from helpers.page_client import ORIGIN, messages
from helpers.review_client import ReviewClient, review_of
from personae.core.errors import SettingError
from personae.project import Project
from personae.project.lock import locked
from personae.review import learning as learning_module
from personae.review.learning import FAILED, LearningRun, learning_command
from personae.review.server import ReviewServer

MAX_WAIT_S = 30.0

HEAD = """
import json, os, signal, subprocess, sys, time
from pathlib import Path
folder = Path({folder!r})
def tell(stage, done, total, **facts):
    line = dict(stage=stage, done=done, total=total, **facts)
    print(json.dumps(line), file=sys.stderr, flush=True)
def wait_for(name):
    while not (folder.parent / name).exists():
        time.sleep(0.01)
"""

LOCKED = """
from personae.project.lock import locked
with locked(folder):
    tell("scan", 1, 1, cached=True)
    tell("adapt", 3, 10)
    (folder.parent / "pid").write_text(str(os.getpid()))
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path):
    return edited_film(tmp_path / "f.personae", method="personae").folder


def stand_in(folder, script):
    """Return what stands for `personae run` in these tests."""
    return lambda: [sys.executable, "-c", HEAD.format(folder=str(folder)) + script]


def wait_until(true):
    deadline = time.monotonic() + MAX_WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def seen(run):
    return [(one.stage, one.done, one.total, one.was_finished) for one in run.learning.stages]


def test_progress_is_known_stage_by_stage(folder):
    ended = []
    run = LearningRun(
        stand_in(
            folder,
            """
tell("scan", 1, 1, cached=True)
print("a warning of a library", file=sys.stderr, flush=True)
tell("adapt", 2, 10, loss=0.5)
wait_for("go")
tell("adapt", 10, 10)
tell("cluster", 0, None)
""",
        ),
        lambda: ended.append(True),
    )
    assert run.learning.phase == "idle"
    run.start()
    wait_until(lambda: len(run.learning.stages) == 2)
    assert run.learning.phase == "running"
    assert seen(run) == [("scan", 1, 1, True), ("adapt", 2, 10, False)]
    (folder.parent / "go").touch()
    assert run.wait(MAX_WAIT_S)
    assert run.learning.phase == "finished"
    assert seen(run)[1:] == [("adapt", 10, 10, False), ("cluster", 0, None, False)]
    wait_until(lambda: ended)


def test_a_run_that_is_stopped_frees_the_folder_and_leaves_the_cast(folder):
    before = Project.open(folder).cast().as_dict()
    run = LearningRun(stand_in(folder, LOCKED))
    run.start()
    wait_until(lambda: (folder.parent / "pid").exists())
    run.stop()
    assert run.learning.phase == "stopped"
    with locked(folder):
        assert Project.open(folder).cast().as_dict() == before
    run.start()  # it can be started again
    wait_until(lambda: run.learning.stages)
    run.stop()


@pytest.mark.parametrize(
    "number", ["signal.SIGINT, signal.SIG_IGN", "signal.SIGUSR1, signal.SIG_IGN"]
)
def test_a_run_that_does_not_listen_is_killed_with_all_that_it_has_started(
    folder, monkeypatch, number
):
    monkeypatch.setattr(learning_module, "STOP_WAIT_S", 0.5)
    run = LearningRun(
        stand_in(
            folder,
            f"""
signal.signal({number})
sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(folder.parent / "pids").write_text(f"{{os.getpid()}} {{sleeper.pid}}")
tell("scan", 0, 1)
time.sleep(600)
""",
        )
    )
    run.start()
    wait_until(lambda: run.learning.stages)
    pids = [int(one) for one in (folder.parent / "pids").read_text().split()]
    run.stop()
    assert run.learning.phase == "stopped"
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("sys.exit('personae: There is no file film.mp4.')", "There is no file film.mp4."),
        ("raise ValueError('inside')", FAILED),
        ("os.kill(os.getpid(), signal.SIGKILL)", FAILED),
    ],
)
def test_a_run_that_fails_says_why_in_one_sentence(folder, script, sentence):
    run = LearningRun(stand_in(folder, script))
    run.start()
    assert run.wait(MAX_WAIT_S)
    assert (run.learning.phase, run.learning.failure) == ("failed", sentence)
    run.dismiss()
    assert run.learning.phase == "idle"


def test_a_command_that_is_not_there_is_said_in_a_sentence(folder):
    with review_of(folder, learn=lambda: [str(folder / "nothing")]) as client:
        client.edit("name", who="P01", name="Hamlet")
        answer = client.post("/learn", do="start", back="/")
        assert "cannot be started" in messages(client.get(answer.headers["location"]))


def test_only_one_run_goes_on_at_a_time(folder):
    run = LearningRun(stand_in(folder, LOCKED))
    run.start()
    wait_until(lambda: (folder.parent / "pid").exists())
    first = (folder.parent / "pid").read_text()
    run.start()
    assert seen(run)[-1][0] == "adapt"
    assert (folder.parent / "pid").read_text() == first
    run.stop()
    run.stop()  # nothing happens


def test_the_page_starts_shows_and_stops_a_run(folder):
    with review_of(folder, learn=stand_in(folder, LOCKED)) as client:
        assert 'id="learn"' not in client.get("/")  # there is nothing to learn from
        client.edit("merge", character=["P01", "P02"])
        assert 'id="learn"' in client.get("/")
        assert client.post("/learn", do="start", back="/unknown").headers["location"] == "/unknown"
        wait_until(lambda: (folder.parent / "pid").exists())
        page = client.get("/queue")
        assert "Learning from your corrections" in page
        assert re.search(r'<progress aria-label="[^"]*adapt" max="10" value="3">', page)
        assert "finished before" in page
        assert 'hx-get="/learning"' in client.get("/learning")
        assert 'id="learn"' not in client.get("/")
        client.post("/learn", do="stop", back="/")
        page = client.get("/learning")
        assert "Stopped: the cast is the old one" in page
        assert "hx-get" not in page
        client.post("/learn", do="dismiss", back="/")
        assert "Stopped" not in client.get("/")


def test_edits_made_during_a_run_are_saved_at_once_and_count_when_it_has_ended(folder):
    with review_of(folder, learn=stand_in(folder, LOCKED)) as client:
        before = client.cast()
        client.post("/learn", do="start", back="/")
        wait_until(lambda: (folder.parent / "pid").exists())
        started = time.monotonic()
        client.edit("merge", character=["P01", "P02"])
        assert time.monotonic() - started < MAX_WAIT_S / 2  # it waits for nobody
        assert len(Project.open(folder).edits.log()) == 1
        assert client.cast() == before
        client.post("/learn", do="stop", back="/")
        wait_until(lambda: before["P01"] | before["P02"] in client.cast().values())


def test_a_run_cannot_be_started_from_elsewhere(folder):
    with review_of(folder, learn=stand_in(folder, LOCKED)) as client:
        stranger = ReviewClient(client.app)
        assert stranger.post("/learn", do="start").status_code == 403
        assert client.http.post("/learn", data={"do": "start"}).status_code == 403
        assert client.http.get("/learn?do=start").status_code == 405
        assert (
            client.http.post("/learn", data={"do": "dance"}, headers={"origin": ORIGIN}).headers[
                "location"
            ]
            == "/"
        )
        assert client.app.learning.learning.phase == "idle"


def test_without_its_film_a_run_is_refused_in_a_sentence(folder):
    with review_of(folder) as client:
        answer = client.post("/learn", do="start", back="/")
        assert "is no longer at" in messages(client.get(answer.headers["location"]))


def test_a_run_ends_with_the_review(folder, monkeypatch):
    server = ReviewServer(folder)
    server.review.learning._command = stand_in(folder, LOCKED)

    def serve(self, sockets):
        server.review.learning.start()
        wait_until(lambda: (folder.parent / "pid").exists())
        raise KeyboardInterrupt

    monkeypatch.setattr("uvicorn.Server.run", serve)
    server.run()
    assert not is_alive(int((folder.parent / "pid").read_text()))


def test_a_run_has_the_settings_that_the_folder_was_made_with(folder, tmp_path):
    project = Project.open(folder)
    shipped = {
        "mobilefacenet-192": next(
            iter(Project.open(folder).manifest.stages["scan"].weights.values())
        )
    }
    records = {
        "scan": {"stride": 5, "detection_size": 960},
        "encode": {"encoder": "mobilefacenet-192"},
        "adapt": {"depth": "head", "seed": 7, "iterations": 5},
        "cluster": {"method": "personae", "num_people": None, "max_people": 9},
    }
    for stage, parameters in records.items():
        record = project.manifest.stages[stage].model_copy(
            update={"parameters": parameters, "weights": shipped if stage == "encode" else {}}
        )
        project.add_record(stage, record)
    command = learning_command(project, tmp_path / "film.mp4")
    assert command[1:6] == ["-m", "personae.cli", "run", str(tmp_path / "film.mp4"), "-o"]
    assert command[6:] == [
        str(folder), "--learn-edits", "--progress", "json",
        "--stride", "5", "--encoder", "mobilefacenet-192", "--depth", "head", "--seed", "7",
        "--method", "personae", "--max-people", "9",
    ]  # fmt: skip
    own = project.manifest.stages["encode"].model_copy(update={"weights": {"x": "f" * 64}})
    project.add_record("encode", own)
    with pytest.raises(SettingError, match="weight file of your own"):
        learning_command(project, tmp_path / "film.mp4")


def test_the_settings_of_a_run_are_options_of_the_command():
    from typer.testing import CliRunner

    from personae.cli.app import app

    help_text = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"}).output
    settings = [name for names in learning_module.SETTINGS.values() for name in names]
    wanted = {"--learn-edits", "--progress", *(f"--{one.replace('_', '-')}" for one in settings)}
    assert wanted <= set(re.findall(r"--[a-z-]+", help_text))
