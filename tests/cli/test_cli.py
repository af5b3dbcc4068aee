"""The command: what it prints and what it exits with; fakes take the places of the slow rooms."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from helpers.fake_stages import FAKE_STAGES
from personae.pipeline.runner import run


@pytest.fixture
def film(fake_video):
    return fake_video


@pytest.fixture
def stages():
    return FAKE_STAGES


def test_run_prints_the_cast_and_where_the_report_is(command, film):
    code, out, err = command("run", film)
    assert code == 0
    assert err == ""
    for word in ("character", "screen time", "tracks", "first seen", "confidence", "P01", "P02"):
        assert word in out
    assert str(film.with_suffix(".personae") / "report.html") in out
    assert "1 track without a character" in out


def test_run_as_json(command, film):
    code, out, _ = command("run", film, "--json")
    cast = json.loads(out)
    assert code == 0
    assert [one["label"] for one in cast["characters"]] == ["P01", "P02"]
    assert cast["unknown"] == [5]


def test_quiet_prints_nothing(command, film):
    assert command("run", film, "--quiet") == (0, "", "")


def test_progress_as_json_lines(command, film):
    code, _, err = command("run", film, "--progress", "json", "-o", film.parent / "out")
    lines = [json.loads(line) for line in err.splitlines()]
    assert code == 0
    assert {line["stage"] for line in lines} == {"scan", "encode", "adapt", "cluster", "report"}
    assert all({"stage", "done", "total"} <= set(line) for line in lines)


def test_the_bar_shows_stages_rates_and_notes(monkeypatch, capsys):
    from personae.cli.progress import progress_hook

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_hook("bar") as hook:
        hook("scan", 0, None)
        hook("scan", 50, 200, faces=7)
        hook("encode", 1, 1, cached=True)
        hook("adapt", 0, None, note="x.parquet is damaged [or missing]")
    out, err = capsys.readouterr()
    assert out == ""
    for word in (
        "scan",
        "50/200",
        "faces 7",
        "finished before",
        "x.parquet is damaged [or missing]",
    ):
        assert word in err


def parameters(folder):
    """The parameters of each stage in a project's manifest."""
    stages = json.loads((folder / "project.json").read_text())["stages"]
    return {name: record["parameters"] for name, record in stages.items()}


def test_options_reach_the_settings(command, film):
    out = film.parent / "o"
    people = ("--method", "hac", "--num-people", "2")
    command("run", film, *people, "--stride", "4", "-o", out)
    found = parameters(out)
    assert found["cluster"]["num_people"] == 2
    assert found["cluster"]["method"] == "hac"
    assert found["scan"]["stride"] == 4
    command("run", film, "--seed", "3", "--depth", "last", "-o", out)
    found = parameters(out)
    assert found["adapt"]["seed"] == 3
    assert found["adapt"]["depth"] == "last"


@pytest.mark.parametrize(
    "words",
    [
        ("--depth", "deep"),
        ("--device", "tpu"),
        ("--method", "magic"),
        ("--encoder", "magic"),
        ("--seed", "-1"),
        ("--num-people", "0"),
        ("--min-people", "0"),
        ("--min-people", "4", "--max-people", "2"),
        ("--max-people", "3", "--num-people", "5"),
        ("--max-people", "3", "--method", "finch"),
        ("--min-people", "3", "--method", "hac"),
        ("--num-people", "3", "--method", "videoclusternet-paper"),
        ("--depth", "last", "--method", "hac"),
        ("--seed", "3", "--method", "finch"),
        ("--progress", "dots"),
        ("--weights", "nowhere.safetensors"),
    ],
)
def test_an_impossible_value_is_one_sentence_and_2(command, film, words):
    code, out, err = command("run", film, *words)
    assert (code, out) == (2, "")
    assert err.startswith("personae: ")
    assert err.count("\n") == 1
    assert words[-1] in err
    assert not film.with_suffix(".personae").exists()


def test_bounds_on_the_number_of_people_reach_the_settings(command, film):
    command("run", film, "--min-people", "2", "--max-people", "5")
    found = parameters(film.with_suffix(".personae"))["cluster"]
    assert (found["min_people"], found["max_people"]) == (2, 5)


@pytest.mark.parametrize("words", [("--stride", "x"), ("--no-such-option",)])
def test_a_word_that_cannot_be_read_is_2(command, film, words):
    code, _, err = command("run", film, *words)
    assert code == 2
    assert words[0] in err
    assert "Traceback" not in err


def test_status_for_people_and_machines(command, film):
    command("run", film, "-q")
    folder = film.with_suffix(".personae")
    code, out, _ = command("status", folder)
    assert code == 0
    assert out.count("finished") == 5
    (folder / "characters.parquet").write_bytes(b"")
    code, out, _ = command("status", folder, "--json")
    stages = {stage["stage"]: stage for stage in json.loads(out)["stages"]}
    assert code == 0
    assert stages["cluster"]["state"] == "damaged"
    assert "characters.parquet" in stages["cluster"]["why"]


@pytest.mark.parametrize("what", ["faces", "characters", "tracks"])
def test_export_to_stdout_and_to_a_file(film, what, tmp_path):
    folder = run(film, stages=FAKE_STAGES).folder
    wanted = [sys.executable, "-m", "personae.cli", "export", what, str(folder)]
    printed = subprocess.run([*wanted, "-f", "csv"], capture_output=True, check=True).stdout
    subprocess.run([*wanted, "-f", "csv", "-o", str(tmp_path / "x.csv")], check=True)
    assert (tmp_path / "x.csv").read_bytes() == printed
    assert printed.count(b"\n") > 1


@pytest.mark.parametrize(
    "words", [("faces", "-f", "xlsx"), ("people",), ("faces", "-o", "{film}/x.csv")]
)
def test_an_impossible_export_is_one_sentence_and_2(command, film, words):
    command("run", film, "-q")
    what, *rest = (word.format(film=film) for word in words)
    code, _, err = command("export", what, film.with_suffix(".personae"), *rest)
    assert code == 2
    assert err.count("\n") == 1


def test_an_export_into_a_closed_pipe_has_no_traceback(film):
    folder = run(film, stages=FAKE_STAGES).folder
    line = f"{sys.executable} -m personae.cli export faces {folder} | true"
    done = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_report_prints_where_it_is(command, film):
    command("run", film, "-q")
    report = film.with_suffix(".personae") / "report.html"
    report.unlink()
    assert command("report", film.with_suffix(".personae")) == (0, f"{report}\n", "")
    assert report.exists()


@pytest.mark.parametrize("verb", ["status", "report"])
def test_what_is_no_project_is_one_sentence_and_2(command, tmp_path, verb):
    code, _, err = command(verb, tmp_path)
    assert code == 2
    assert "not a project folder" in err
    assert err.count("\n") == 1


def test_models_are_listed_and_verified(command):
    code, out, _ = command("models", "--json")
    models = json.loads(out)
    assert code == 0
    assert {one["role"] for one in models if one["shipped"]} == {"detector", "encoder"}
    assert all(one["licence"] and not one["problem"] for one in models)
    assert all(one["present"] for one in models if one["shipped"])
    code, out, _ = command("models")
    assert code == 0
    assert all(one["name"] in out for one in models)


def test_an_altered_weight_fails_models(command, monkeypatch, tmp_path):
    from personae.weights import WeightFile

    (tmp_path / "w").write_bytes(b"other")
    monkeypatch.setattr(WeightFile, "path", lambda _: tmp_path / "w")
    code, out, _ = command("models")
    assert code == 1
    assert "altered" in out


def test_nothing_is_fetched_before_its_licence_is_accepted(command, monkeypatch, tmp_path):
    monkeypatch.setenv("PERSONAE_WEIGHTS", str(tmp_path / "cache"))
    code, out, err = command("models", "--fetch", "arcface-r50")
    assert (code, out) == (2, "")
    assert "licence" in err
    assert err.count("\n") == 1
    code, _, err = command("models", "--fetch", "magic")
    assert code == 2
    assert "'magic'" in err
    assert not (tmp_path / "cache").exists()


def test_version(command):
    from importlib.metadata import version

    assert command("--version") == (0, f"personae {version('personae')}\n", "")
