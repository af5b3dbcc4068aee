"""`personae edit`: what it enters and prints, and how it refuses."""

from __future__ import annotations

import json

import pytest

from helpers.fake_stages import FAKE_STAGES
from personae.pipeline.stages import ClusterStage
from personae.project import Project
from personae.project.lock import locked

STAGES = tuple(ClusterStage() if stage.name == "cluster" else stage for stage in FAKE_STAGES)
"""The real clustering, of the mean colours that the fake encoder makes."""


@pytest.fixture
def stages():
    return STAGES


@pytest.fixture
def edit(command, fake_video):
    """Run `personae edit FOLDER ...` on a film whose blue tracks 0, 2, 4 and red 1, 3 are two."""
    folder = fake_video.with_suffix(".personae")
    assert command("run", fake_video, "--method", "hac", "-q") == (0, "", "")

    def run_edit(*words):
        return command("edit", folder, *words)

    run_edit.folder = folder
    return run_edit


def groups(folder):
    return {one.name or one.label: set(one.tracks) for one in Project.open(folder).cast()}


def test_the_film_has_two_characters(edit):
    assert sorted(groups(edit.folder).values(), key=min) == [{0, 2, 4}, {1, 3}]


def blue(folder):
    return next(one.label for one in Project.open(folder).cast() if 0 in one.tracks)


def test_a_name_is_in_the_cast_the_json_and_the_report_at_once(edit, command):
    code, out, err = edit("name", blue(edit.folder), "Hamlet")
    assert (code, err) == (0, "")
    assert "Edit 1 is saved." in out
    assert "Hamlet" in out
    assert groups(edit.folder)["Hamlet"] == {0, 2, 4}
    assert command("status", edit.folder, "--json")[0] == 0
    _, exported, _ = command("export", "characters", edit.folder, "-f", "json")
    rows = {row["name"]: row["reviewed"] for row in json.loads(exported)["characters"]}
    assert rows == {"Hamlet": True, None: False}


def test_an_edit_runs_the_clustering_and_the_report_and_nothing_before(edit):
    from helpers.fake_stages import calls

    before = dict(calls)
    edit("split", blue(edit.folder), "--tracks", "4")
    assert {name for name in calls if calls[name] != before.get(name, 0)} == {"report"}
    assert {4} in groups(edit.folder).values()


def test_every_verb_does_what_it_says(edit):
    first = blue(edit.folder)
    other = next(one.label for one in Project.open(edit.folder).cast() if one.label != first)
    assert edit("merge", other, first)[0] == 0
    assert groups(edit.folder) == {other: {0, 1, 2, 3, 4}}
    assert edit("undo")[0] == 0
    assert groups(edit.folder) == {first: {0, 2, 4}, other: {1, 3}}
    assert edit("redo")[0] == 0
    assert edit("undo", "1")[0] == 0
    assert edit("split", first, "--tracks", "2,4")[0] == 0
    assert {2, 4} in groups(edit.folder).values()
    assert edit("move", "2", other)[0] == 0
    assert groups(edit.folder)[other] == {1, 2, 3}
    assert edit("different", "0", "4")[0] == 0
    assert edit("same", "4", "5")[0] == 0
    assert {4, 5} in groups(edit.folder).values()
    assert edit("ignore", other)[0] == 0
    assert Project.open(edit.folder).cast().ignored == (1, 2, 3)
    assert edit("confirm", "4,5")[0] == 0
    assert edit("name", "4,5", "Ann", "--by", "me")[0] == 0
    assert groups(edit.folder)["Ann"] == {4, 5}
    assert edit("name", "Ann")[0] == 0
    assert "Ann" not in groups(edit.folder)


def test_the_log_tells_who_said_what(edit):
    code, out, _ = edit("log")
    assert (code, out) == (0, "No edit has been made.\n")
    edit("name", "P01", "Hamlet", "--by", "ann")
    edit("undo")
    code, out, _ = edit("log")
    assert code == 0
    for word in ("P01 is 'Hamlet'", "ann", "undone"):
        assert word in out
    found = json.loads(edit("log", "--json")[1])
    assert [(one["kind"], one["holds"]) for one in found["edits"]] == [
        ("name", False),
        ("undo", True),
    ]
    assert found["problems"] == []


def test_an_edit_can_be_left_to_the_next_run(edit, command, fake_video):
    before = (edit.folder / "characters.parquet").read_bytes()
    code, out, _ = edit("split", blue(edit.folder), "--tracks", "4", "--no-run")
    assert (code, out) == (0, "Edit 1 is saved.\n")
    assert (edit.folder / "characters.parquet").read_bytes() == before
    status = json.loads(command("status", edit.folder, "--json")[1])["stages"]
    states = {one["stage"]: one for one in status}
    assert states["cluster"]["state"] == "stale"
    assert "edited since" in states["cluster"]["why"]
    assert command("run", fake_video, "--method", "hac", "-q")[0] == 0
    assert {4} in groups(edit.folder).values()


def test_a_cast_list_corrects_case_and_refuses_other_names(edit, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("Hamlet\nOphelia\n")
    assert edit("name", "P01", "ophelia", "--cast", names)[0] == 0
    assert "Ophelia" in groups(edit.folder)
    code, out, err = edit("name", "P02", "Hamlett", "--cast", names)
    assert (code, out) == (2, "")
    assert err == "personae: 'Hamlett' is not in the cast list: did you mean 'Hamlet'?\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("name", "P09", "Ann"), "There is no character 'P09'"),
        (("merge", "P01", "77"), "There is no track 77"),
        (("merge", "P01"), "name two or more"),
        (("split", "P01", "--tracks", "x"), "'x' are no track numbers"),
        (("split", "P01", "--tracks", "5"), "does not hold track 5"),
        (("undo",), "There is no edit to undo"),
        (("redo",), "There is no edit to redo"),
        (("undo", "4"), "There is no edit 4"),
        (("name", "P01", "P7"), "cannot be a name"),
        (("name", "P01", "Ann", "--cast", "nowhere.txt"), "There is no file nowhere.txt"),
    ],
)
def test_a_mistake_is_one_sentence_and_2(edit, words, sentence):
    code, out, err = edit(*words)
    assert (code, out) == (2, "")
    assert err.startswith("personae: ")
    assert err.count("\n") == 1
    assert sentence in err
    assert Project.open(edit.folder).edits.log() == []


def test_a_contradiction_is_one_sentence_and_2(edit):
    edit("same", "0", "2")
    edit("same", "2", "4")
    code, out, err = edit("different", "0", "4")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    for part in ("edit 1 (", "edit 2 (", "tracks 0 and 4 would be one person and two"):
        assert part in err
    assert len(Project.open(edit.folder).edits.log()) == 2


def test_a_folder_that_is_no_project_is_2(command, tmp_path):
    code, _, err = command("edit", tmp_path, "undo")
    assert code == 2
    assert "is not a project folder" in err


def test_an_edit_is_kept_while_another_run_works_in_the_folder(edit, monkeypatch):
    monkeypatch.setattr("personae.cli.edit.WAIT_S", 0.1)
    with locked(edit.folder):
        code, out, err = edit("name", "P01", "Hamlet")
    assert code == 2
    assert out == "Edit 1 is saved.\n"
    assert err.startswith("personae: The edit is saved, but the cast is the old one: Another run")
    assert "Hamlet" in groups(edit.folder)


def test_problems_are_told_after_an_edit(edit):
    with (edit.folder / "edits.jsonl").open("ab") as stream:
        stream.write(b'{"half')
    code, _, err = edit("name", "P01", "Hamlet")
    assert code == 0
    assert "Line 1 of" in err
    assert "is set aside" in err
