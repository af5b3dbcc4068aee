"""`personae review` as a process: its address, its end, its warnings, and what a kill loses."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import time

import httpx2
import pytest

from helpers.edited_film import edited_film
from helpers.review_process import running_review
from personae.core.errors import EditError, ProjectError, SettingError
from personae.project import Project
from personae.project.edits import CastList
from personae.review import ReviewServer


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return edited_film(tmp_path_factory.mktemp("film") / "f.personae").folder


@pytest.fixture
def folder(film, tmp_path):
    return shutil.copytree(film, tmp_path / "f.personae")


def browse(review):
    client = httpx2.Client(base_url=review.base, follow_redirects=True)
    assert client.get(review.url).status_code == 200
    return client


def post(client, **fields):
    origin = str(client.base_url).rstrip("/")
    return client.post("/edit", data=fields, headers={"origin": origin})


def test_a_killed_review_loses_nothing_and_the_next_one_goes_on(folder):
    with running_review(folder) as review:
        client = browse(review)
        for number in (1, 2):
            assert post(client, verb="name", who=f"P0{number}", name=f"Guard {number}").is_success
        review.process.kill()
    assert {"Guard 1", "Guard 2"} <= {one.name for one in Project.open(folder).cast()}
    # killed between an edit and its clustering
    Project.open(folder).edits.merge("P01", "P02")
    with running_review(folder) as review:
        client = browse(review)
        while "Clustering anew" in client.get("/status").text:
            time.sleep(0.1)
        assert post(client, verb="name", who="P01", name="Guard").is_success
        review.process.send_signal(signal.SIGINT)
        assert review.process.wait(60) == 0
    project = Project.open(folder)
    assert len(project.cast()["Guard"].tracks) == 6
    assert "Guard" in project.report.read_text()


def test_the_address_is_of_this_machine_and_needs_its_token(folder):
    with running_review(folder) as review:
        assert review.base.startswith("http://127.0.0.1:")
        assert httpx2.get(review.base).status_code == 403
        answer = browse(review).get("/")
        assert "server" not in answer.headers


def test_other_machines_are_warned_of(folder, monkeypatch, capsys):
    from personae.cli import main

    monkeypatch.setattr("sys.argv", ["personae", "review", str(folder), "--host", "0.0.0.0"])
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    out, err = capsys.readouterr()
    assert "warning: other machines can reach 0.0.0.0" in err
    assert opened == [re.search(r"http://\S+", out)[0]]


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    with pytest.raises(ProjectError, match="is not a project folder"):
        ReviewServer(tmp_path)


def test_a_film_that_is_not_clustered_is_refused(folder):
    manifest = json.loads((folder / "project.json").read_text())
    del manifest["stages"]["cluster"]
    (folder / "project.json").write_text(json.dumps(manifest))
    with pytest.raises(ProjectError, match="cluster stage"):
        ReviewServer(folder)


@pytest.mark.parametrize("host", ["256.1.1.1", "no such host"])
def test_an_address_that_cannot_be_listened_on_is_refused_in_a_sentence(folder, host):
    with pytest.raises(SettingError, match="name others with --host"):
        ReviewServer(folder, host=host)


def test_a_port_that_is_taken_is_refused_in_a_sentence(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"port {port}"):
            ReviewServer(folder, port=port)


def test_names_to_choose_from_come_from_a_file(folder, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("# the play\nHamlet\nOphelia\n")
    with running_review(folder, "--cast", str(names)) as review:
        assert '<option value="Ophelia">' in browse(review).get("/").text
    with pytest.raises(EditError, match="There is no file"):
        CastList.read(tmp_path / "none.txt")
