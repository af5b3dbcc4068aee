"""The verbs init, add, run and status: what they print, and what they exit with."""

from __future__ import annotations

import json
import time

import pytest

from helpers.catalogue_stages import OBEDIENT_STAGES


@pytest.fixture
def stages():
    return OBEDIENT_STAGES


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "catalogue"


@pytest.fixture
def write_films(tmp_path):
    def write(*words):
        (tmp_path / "films").mkdir()
        paths = [tmp_path / f"films/film{number}.mp4" for number in range(len(words))]
        for path, text in zip(paths, words, strict=True):
            path.write_text(f"film {text}")
        return paths

    return write


@pytest.fixture
def catalogue_command(command):
    return lambda *words: command("catalogue", *words)


def test_from_films_to_their_casts(catalogue_command, folder, write_films, tmp_path):
    code, out, err = catalogue_command("init", folder)
    assert (code, err) == (0, "")
    assert out == f"{folder} is a new catalogue: add films to it.\n"
    films = write_films("a", "odd", "c")
    code, out, err = catalogue_command("add", folder, tmp_path / "films")
    assert (code, out, err) == (0, "3 films added.\n", "")
    code, out, _ = catalogue_command("add", folder, films[0])
    assert (code, out) == (
        0,
        f"0 films added.\n{films[0]} is in the catalogue already, as film 1.\n",
    )
    code, out, err = catalogue_command("run", folder, "--in-process")
    assert code == 1, "a film failed"
    assert "Films: 2 done, 1 failed.\n" in out
    assert "film1 failed: A mistake of personae, please report it: ZeroDivisionError" in out
    code, out, _ = catalogue_command("status", folder)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split()[:4] == ["1", "film0", "done", "in"]
    assert "failed: A mistake" in lines[1]
    assert lines[-1] == "Films: 2 done, 1 failed."
    films[1].write_text("film healed")
    assert catalogue_command("run", folder, "--in-process", "--quiet")[0] == 1, "not tried again"
    code, _, err = catalogue_command("run", folder, "--in-process", "--retry", "--quiet")
    assert code == 0, err
    films = json.loads(catalogue_command("status", folder, "--json")[1])["films"]
    assert [film["state"] for film in films] == ["done", "done", "done"]


def test_progress_as_json_lines(catalogue_command, folder, write_films):
    catalogue_command("init", folder)
    catalogue_command("add", folder, *write_films("a", "b"))
    code, _, err = catalogue_command("run", folder, "--in-process", "--progress", "json")
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert code == 0
    assert lines[-1] == {"films": {"waiting": 0, "running": 0, "done": 2, "failed": 0}}
    films = [line for line in lines if "film" in line]
    assert {line["state"] for line in films} <= {"running", "done"}
    assert all({"film", "name", "stage", "done", "total"} <= set(line) for line in films)


def test_a_list_of_films(catalogue_command, folder, write_films, tmp_path):
    catalogue_command("init", folder)
    (tmp_path / "list.txt").write_text("\n".join(map(str, write_films("a", "b"))))
    assert catalogue_command("add", folder, "--list", tmp_path / "list.txt")[1] == (
        "2 films added.\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "{tmp}/nowhere"], "is not a catalogue"),
        (["run", "{tmp}/catalogue", "--pieces", "0"], "'0': it should be 'auto', or 1 or more"),
        (["run", "{tmp}/catalogue", "--pieces", "many"], "'many': it should be 'auto', or 1"),
        (["run", "{tmp}/catalogue", "--workers", "0"], "must be at least 1, not 0"),
        (["status", "{tmp}/nowhere"], "is not a catalogue"),
        (["add", "{tmp}/catalogue"], "There is nothing to add"),
        (["add", "{tmp}/catalogue", "{tmp}/empty"], "There is no film in the folder"),
        (["add", "{tmp}/catalogue", "{tmp}/gone.mp4"], "There is no file"),
        (["add", "{tmp}/catalogue", "--list", "{tmp}/gone.txt"], "cannot be read"),
        (["init", "{tmp}/catalogue"], "is a catalogue already"),
        (["init", "{tmp}/c", "--keep-biometrics", "soon"], "is no time: write it like 90d"),
        (["init", "{tmp}/c", "--method", "magic"], "magic"),
        (["init", "{tmp}/c", "--database", "films.db"], "is no address of a database"),
        (["run", "{tmp}/catalogue", "--workers", "0"], "must be at least 1"),
        (["run", "{tmp}/catalogue", "--device", "abacus"], "device cannot be"),
        (["run", "{tmp}/catalogue", "--progress", "dance"], "progress cannot be"),
    ],
)
def test_mistakes_are_one_sentence(catalogue_command, folder, tmp_path, words, sentence):
    catalogue_command("init", folder)
    (tmp_path / "empty").mkdir()
    code, _, err = catalogue_command(*(word.format(tmp=tmp_path) for word in words))
    assert code == 2
    assert sentence in err
    assert len(err.strip().splitlines()) == 1


def test_a_retention_period_is_kept_in_days(catalogue_command, folder):
    catalogue_command("init", folder, "--keep-biometrics", "12w", "--depth", "head")
    config = json.loads((folder / "catalogue.json").read_text())
    assert config["keep_biometrics_days"] == 84
    assert config["settings"] == {"depth": "head"}


def test_the_bars_name_films_stages_and_failures(monkeypatch, capsys):
    from personae.catalogue.films import Film
    from personae.cli.catalogue.progress import catalogue_hook

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "140")
    counts = {"waiting": 1, "running": 1, "done": 0, "failed": 0}
    film = Film(1, "/a.mp4", "A long night", "/a", "running", stage="scan", stage_done=3)
    with catalogue_hook("bar") as hook:
        hook(counts, [film])
        time.sleep(0.3)  # the bars are drawn ten times a second
        hook(
            {**counts, "running": 0, "failed": 1},
            [Film(1, "/a", "A long night", "/a", "failed", "Broken.")],
        )
    shown = capsys.readouterr().err
    for words in ("A long night", "scan", "all films", "1 failed", "A long night: Broken."):
        assert words in shown


def test_a_run_with_a_catalogue_needs_a_finished_film_of_it(command, folder, write_films, tmp_path):
    (film,) = write_films("a")
    code, out, err = command("run", film, "--with", folder)
    assert (code, out) == (2, "")
    assert "is not a catalogue" in err
    command("catalogue", "init", folder)
    code, out, err = command("run", film, "--with", folder)
    assert (code, out) == (2, "")
    assert err == (
        f"personae: {folder} has no finished film to start from: run its films with `personae "
        "catalogue run` first.\n"
    )
    assert not film.with_suffix(".personae").exists()
