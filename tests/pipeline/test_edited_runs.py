"""Edited projects clustered anew: edits hold in every run, numbers stay, nothing else runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.edited_film import edited_film, held
from helpers.paths import TESTS
from personae.core.errors import EditError, ProjectError
from personae.pipeline.runner import recluster
from personae.pipeline.status import judge_stages
from personae.project import Project
from personae.project.edits.journal import EDITS
from personae.project.lock import locked

METHODS = ("personae", "hac", "finch", "videoclusternet-paper")


def labels(project):
    return {row["track"]: row["character"] for row in project.table("characters").to_pylist()}


@pytest.fixture
def film(tmp_path):
    """Four characters of three tracks each, and two of one track, 12 and 13."""
    return edited_film(tmp_path / "f.personae")


def label_of(project, track):
    return labels(project)[track]


@pytest.mark.parametrize("method", METHODS)
def test_edits_hold_by_every_method(tmp_path, method):
    film = edited_film(tmp_path / "f.personae", method=method)
    film.edits.merge(0, 5)
    film.edits.merge([1, 2, 4])
    film.edits.ignore(9, 13)
    film.edits.different(0, 6)
    film.edits.name([12], "Guard")
    again = recluster(film.folder, with_report=False)
    said, found = again.edits.compiled(), labels(again)
    assert held(found, said.same_person, said.different_people)
    assert found[9] is found[13] is None
    assert set(again.cast().ignored) == {9, 13}
    assert 12 in again.cast()["Guard"].tracks
    assert again.manifest.stages["cluster"].parameters == {
        **film.manifest.stages["cluster"].parameters
    }


@pytest.fixture(scope="module", params=METHODS)
def shared_film(request, tmp_path_factory):
    return edited_film(tmp_path_factory.mktemp("f") / "f.personae", method=request.param)


@settings(max_examples=75, deadline=None)
@given(data=st.data())
def test_edits_hold_after_any_sequence_of_edits_kills_and_runs(shared_film, data):
    folder = shared_film.folder
    (folder / EDITS).unlink(missing_ok=True)
    recluster(folder, with_report=False)
    tracks = st.lists(st.integers(0, 13), min_size=1, max_size=3, unique=True)
    person = st.one_of(tracks, st.integers(0, 13))
    for _ in range(data.draw(st.integers(1, 4))):
        project = Project.open(folder)
        known = [one.label for one in project.cast()] or ["P01"]
        verb = data.draw(st.sampled_from(["merge", "different", "move", "ignore", "undo", "name"]))
        words = {"ignore": [person], "undo": [], "name": [person, st.sampled_from(["Ann", "Bob"])]}
        drawn = [data.draw(word) for word in words.get(verb, [person, person])]
        drawn = [known[word % len(known)] if isinstance(word, int) else word for word in drawn]
        try:
            getattr(project.edits, verb)(*drawn)
        except EditError:
            continue
        if data.draw(st.integers(0, 4)) == 0:  # the process was killed while it wrote the edit
            whole = (folder / EDITS).read_bytes()
            start = whole.rfind(b"\n", 0, -1) + 1
            (folder / EDITS).write_bytes(whole[: data.draw(st.integers(start, len(whole)))])
        if data.draw(st.booleans()):
            project = recluster(folder, with_report=False)
            said, found = project.edits.compiled(), labels(project)
            assert held(found, said.same_person, said.different_people)
            assert all(found[track] is None for track in said.ignored)
            for group in said.founders:
                assert any(found[track] is not None for track in group)


def test_a_new_run_takes_the_edits_into_account_and_repeats_nothing_before(film):
    before = {name: record.digest for name, record in film.manifest.stages.items()}
    film.edits.merge(label_of(film, 0), label_of(film, 3))
    again = recluster(film.folder)
    after = {name: record.digest for name, record in again.manifest.stages.items()}
    assert {name for name in before if before[name] != after[name]} == {"cluster"}
    assert "report" in after
    assert again.manifest.stages["cluster"].inputs.keys() == {"edits"}
    assert "Redone" not in again.report.read_text()


def test_nothing_runs_where_nothing_was_edited(film):
    marker = (film.folder / "project.json").stat().st_mtime_ns
    recluster(film.folder, with_report=False)
    assert (film.folder / "project.json").stat().st_mtime_ns == marker


def test_an_undone_edit_leaves_the_cast_as_it_was(film):
    before = labels(film)
    film.edits.merge(label_of(film, 0), label_of(film, 3))
    merged = recluster(film.folder, with_report=False)
    assert label_of(merged, 3) == before[0]
    merged.edits.undo()
    assert labels(recluster(film.folder, with_report=False)) == before


def test_numbers_are_kept_and_not_given_away(film):
    one, other = label_of(film, 0), label_of(film, 3)
    film.edits.merge(other, one)
    merged = recluster(film.folder, with_report=False)
    assert label_of(merged, 0) == label_of(merged, 3) == other
    merged.edits.split(None, [6])
    again = recluster(film.folder, with_report=False)
    assert label_of(again, 6) not in labels(film).values()
    assert label_of(again, 7) == label_of(film, 7)
    again.edits.undo(1)
    restored = recluster(film.folder, with_report=False)
    assert (label_of(restored, 0), label_of(restored, 3)) == (one, other)
    numbers = restored.table("numbers").to_pylist()
    assert {row["character"] for row in numbers if row["current"]} == {
        label for label in labels(restored).values() if label
    }


def test_without_edits_numbers_go_by_screen_time_whatever_they_were(film, tmp_path):
    other = edited_film(tmp_path / "g.personae", noise=3.0)
    before = other.folder / "numbers.parquet"
    before.write_bytes((film.folder / "numbers.parquet").read_bytes())
    (other.folder / "characters.parquet").unlink()
    again = recluster(other.folder, with_report=False)
    times = {one.label: one.screen_time for one in again.cast()}
    assert list(times) == sorted(times)
    assert list(times.values()) == sorted(times.values(), reverse=True)


@pytest.mark.parametrize("damage", [b"", b"no table", None])
def test_a_damaged_memory_of_numbers_is_no_obstacle(film, damage):
    path = film.folder / "numbers.parquet"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    film.edits.merge(0, 3)
    again = recluster(film.folder, with_report=False)
    assert label_of(again, 0) == label_of(again, 3)


def test_the_state_says_that_the_cast_was_edited_since(film):
    film.edits.name("P01", "Ann")
    states = {state.stage: state for state in judge_stages(Project.open(film.folder))}
    assert states["cluster"].condition == "stale"
    assert "edited since" in states["cluster"].why
    recluster(film.folder, with_report=False)
    states = {state.stage: state for state in judge_stages(Project.open(film.folder))}
    assert states["cluster"].condition == "finished"


def test_what_cannot_be_honoured_is_a_warning_of_the_run(film):
    with (film.folder / EDITS).open("ab") as stream:
        stream.write(b"half a li")
    film.edits.name("P01", "Ann")
    again = recluster(film.folder, with_report=False)
    [warning] = again.manifest.stages["cluster"].warnings
    assert "cannot be read and is set aside" in warning


def test_ignored_tracks_take_no_part_in_the_clustering(tmp_path, monkeypatch):
    film = edited_film(tmp_path / "f.personae", method="videoclusternet-paper")
    from personae.adapt.result import Adaptation, Iteration

    crops = film.table("crops", "track")["track"].to_numpy()
    iteration = Iteration(
        embeddings=np.arange(len(crops), dtype=np.float32)[:, None],
        centre=np.zeros(1, np.float32),
        quality=np.arange(14, dtype=np.float32),
        matches=np.array([(0, 1), (1, 2), (3, 0)], np.int32),
    )
    adaptation = Adaptation((iteration, iteration), 0.1, 0.04)
    film.edits.ignore(1)
    from personae.pipeline.edited_tracks import edit_tracks, select_adaptation

    tracks = edit_tracks(film.track_set(), film.edits.compiled())
    assert tracks.track_ids.tolist() == [0, *range(2, 14)]
    found = select_adaptation(adaptation, film, tracks).iterations
    assert len(found) == 2
    assert len(found[:1]) == 1
    assert found[-1].quality.tolist() == [0, *range(2, 14)]
    assert found[0].embeddings[:, 0].tolist() == np.flatnonzero(crops != 1).tolist()
    assert found[0].matches.tolist() == [[2, 0]]
    everybody = edit_tracks(film.track_set(), type(film.edits.compiled())())
    assert select_adaptation(adaptation, film, everybody) is adaptation


def test_another_run_is_waited_for_as_long_as_asked(film):
    with locked(film.folder):
        with pytest.raises(ProjectError, match="Another run"):
            recluster(film.folder, wait_s=0.05)
        waiting = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from personae.pipeline.runner import recluster; "
                "recluster(sys.argv[1], with_report=False, wait_s=60)",
                str(film.folder),
            ]
        )
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=1)
    assert waiting.wait() == 0


KILLED = """
import os, signal, sys
from helpers.crash_points import Countdown
from personae.pipeline.runner import recluster
countdown = Countdown(int(sys.argv[2]))
countdown.watch()
recluster(sys.argv[1], countdown.hook, with_report=False)
"""


def test_a_clustering_killed_anywhere_ends_as_an_uninterrupted_one(film, tmp_path):
    film.edits.merge(label_of(film, 3), label_of(film, 0))
    film.edits.split(None, [6])
    whole = tmp_path / "whole.personae"
    shutil.copytree(film.folder, whole)
    expected = labels(recluster(whole, with_report=False))
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    for point in range(1, 40, 4):
        folder = tmp_path / f"killed-{point}.personae"
        shutil.copytree(film.folder, folder)
        command = [sys.executable, "-c", KILLED, str(folder), str(point)]
        code = subprocess.run(command, env=environment, capture_output=True).returncode
        assert code in (0, -signal.SIGKILL)
        again = recluster(folder, with_report=False)
        assert labels(again) == expected
        if code == 0:
            break
    else:
        pytest.fail("the sweep did not reach the end of the run")
