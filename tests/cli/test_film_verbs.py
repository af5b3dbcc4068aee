"""`personae reel` and `personae blur`: what they print, write and exit with."""

from __future__ import annotations

import json
import re

import pytest

from helpers.patch_film import Patch, decode, patch_film

FIRST = Patch(0, 40, (30, 60), (2, 0), seen=((10, 30),), label="P01")
SECOND = Patch(0, 40, (220, 120), seen=((0, 40),), label="P02")


@pytest.fixture
def folder(tmp_path):
    return patch_film(tmp_path, (FIRST, SECOND), ((0, 40),)).project.folder


def test_reel_writes_a_film_and_says_how_fast(command, folder, tmp_path):
    out = tmp_path / "first.mp4"
    code, printed, err = command("reel", folder, "P01", "-o", out)
    assert (code, err) == (0, "")
    first_line = rf"{re.escape(str(out))}: 20 frames, 0:00:00.800, made in [\d.]+ s"
    assert re.match(first_line + r" \([\d.]+ of its length\)\.\n", printed)
    assert "The film has no sound" in printed
    assert len(decode(out)) == 20


def test_reel_of_two_together_as_json_progress(command, folder, tmp_path):
    words = ("--together", "P01,P02", "-o", tmp_path / "r.mkv", "--progress", "json", "-q")
    code, printed, err = command("reel", folder, *words)
    assert (code, printed, err) == (0, "", "")
    code, _, err = command("reel", folder, *words[:-1])
    assert code == 0
    lines = [json.loads(line) for line in err.splitlines()]
    assert lines[-1]["stage"] == "reel"
    assert lines[-1]["done"] == lines[-1]["total"] == 20


def test_blur_writes_a_copy_and_lists_what_was_not_followed(command, folder, tmp_path):
    out = tmp_path / "copy.mp4"
    code, printed, err = command("blur", folder, "--only", "P01", "-o", out, "--hold", "0.2")
    assert (code, err) == (0, "")
    assert printed.startswith(f"{out}: 40 frames, 0:00:01.600, made in ")
    assert "2 stretches where a hidden face was not followed" in printed
    assert f"{tmp_path / 'copy.unfollowed.csv'} lists all" in printed
    assert "0:00:00.000 to 0:00:00.400  P01: no face was found yet in this shot\n" in printed
    assert "0:00:01.200 to 0:00:01.600  P01: no face was found any more in this shot\n" in printed
    assert len((tmp_path / "copy.unfollowed.csv").read_text().splitlines()) == 3


def test_blur_says_when_every_face_was_followed(command, folder, tmp_path):
    words = ("--only", "P02", "-o", tmp_path / "copy.mp4")
    assert "Every hidden face was followed from cut to cut." in command("blur", folder, *words)[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("reel",), "Name one character, or several with --together P01,P02."),
        (("reel", "P01", "--together", "P01,P02"), "Name one character, or several"),
        (("reel", "Hamlet"), "There is no character 'Hamlet'; there are P02, P01."),
        (("blur", "--all-but", "Hamlet"), "There is no character 'Hamlet'; there are P02, P01."),
        (("blur", "--style", "smudge"), "There is no style 'smudge'"),
        (
            ("reel", "P01", "--film", "nowhere.mp4"),
            "There is no film at nowhere.mp4: say with --film where",
        ),
        (("reel", "P01", "--progress", "loud"), "progress cannot be 'loud'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(command, folder, tmp_path, words, sentence):
    verb, *rest = words
    code, printed, err = command(verb, folder, *rest, "-o", tmp_path / "out.mp4")
    assert (code, printed) == (2, "")
    assert err.startswith(f"personae: {sentence}")
    assert err.count("\n") == 1
    assert not (tmp_path / "out.mp4").exists()


def test_a_moved_film_is_asked_for(command, folder, tmp_path):
    film = tmp_path / "film.mp4"
    film.rename(tmp_path / "moved.mp4")
    code, _, err = command("blur", folder, "-o", tmp_path / "out.mp4")
    assert code == 2
    assert "say where it is with --film" in err
    words = ("--film", tmp_path / "moved.mp4", "-o", tmp_path / "out.mp4")
    assert command("blur", folder, *words)[0] == 0


def test_an_interrupted_film_is_130_and_leaves_no_file(command, folder, tmp_path, monkeypatch):
    import personae.cli.progress as progress

    def interrupt(stage, done, total, **facts):
        raise KeyboardInterrupt

    monkeypatch.setattr(progress, "silent_hook", interrupt)
    code, _, err = command("blur", folder, "-o", tmp_path / "out.mp4", "-q")
    assert (code, err) == (130, "personae: interrupted; no film was written.\n")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_options_have_the_defaults_of_the_settings():
    import typer

    from personae.cli.app import app
    from personae.film_export import BlurSettings, ReelSettings

    verbs = typer.main.get_command(app).commands
    given = {
        verb: {one.name: one.default for one in verbs[verb].params} for verb in ("reel", "blur")
    }
    reel, blur = ReelSettings(), BlurSettings()
    assert (given["reel"]["handles"], given["reel"]["gap"]) == (reel.handle_s, reel.max_gap_s)
    assert given["reel"]["crf"] == reel.crf == given["blur"]["crf"] == blur.crf
    assert (given["blur"]["pad"], given["blur"]["hold"]) == (blur.padding, blur.hold_s)
    assert (given["blur"]["style"], given["blur"]["shape"]) == (blur.style, blur.shape)
    assert given["blur"]["min_confidence"] == blur.people.min_confidence
