"""The runner with fakes for the slow rooms: what runs when, what is kept, what is refused."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from helpers import fake_stages
from helpers.fake_stages import FAKE_STAGES, FakeAdaptStage, FakeClusterStage, FakeEncoder
from personae.core import schema
from personae.core.errors import PersonaeError, ProjectError, SettingError
from personae.pipeline import runner
from personae.pipeline.settings import Settings
from personae.pipeline.stages import DEFAULT_STAGES, ScanStage
from personae.project import Project
from personae.project.lock import locked
from personae.project.manifest import STAGES
from personae.project.tables import STAGE_OF_TABLE

run = partial(runner.run, stages=FAKE_STAGES)


@pytest.fixture
def film(fake_video):
    return fake_video


def take_calls(calls):
    """The stages that have run since the last look."""
    stages = {name for name in STAGES if calls[name]}
    calls.clear()
    return stages


def test_the_default_stages_are_those_of_the_manifest():
    assert tuple(stage.name for stage in DEFAULT_STAGES) == STAGES


def test_a_run_leaves_every_table_and_the_report(film):
    project = run(film)
    assert project.folder == film.with_suffix(".personae")
    for name in STAGE_OF_TABLE:
        assert project.table(name).schema.equals(getattr(schema, name.upper())), name
    assert {state.condition for state in project.states()} == {"finished"}
    assert project.report.exists()
    assert not [
        path for path in project.folder.iterdir() if path.name.endswith((".part", ".checkpoint"))
    ]


def test_no_stage_runs_twice(film, stage_calls):
    run(film)
    assert take_calls(stage_calls) == set(STAGES)
    run(film)
    assert take_calls(stage_calls) == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"num_people": 3}, {"cluster", "report"}),
        ({"method": "videoclusternet-paper"}, {"adapt", "cluster", "report"}),
        (
            {"method": "videoclusternet-paper", "cross_track_pairs": "cues"},
            {"cluster", "report"},
        ),
        ({"method": "hac"}, {"cluster", "report"}),
        ({"depth": "last"}, {"adapt", "cluster", "report"}),
        ({"seed": 1}, {"adapt", "cluster", "report"}),
        ({"stride": 2}, {"scan", "encode", "adapt", "cluster", "report"}),
        ({"device": "cpu"}, set()),
    ],
)
def test_a_changed_setting_runs_only_what_depends_on_it(film, stage_calls, change, expected):
    run(film)
    take_calls(stage_calls)
    run(film, settings=Settings.from_flat(**change))
    assert take_calls(stage_calls) == expected


def test_a_raised_version_runs_the_stage_again(film, stage_calls, monkeypatch):
    run(film)
    take_calls(stage_calls)
    monkeypatch.setattr(FakeClusterStage, "version", FakeClusterStage.version + 1)
    run(film)
    assert take_calls(stage_calls) == {"cluster", "report"}


def test_the_adaptation_is_given_what_all_cues_measure(film, monkeypatch):
    """Pairs to train on are found by clothes and shot threads, too."""
    given = []
    adapt = FakeAdaptStage.adapt

    def spy(stage, context, tracks, checkpoint):
        given.append(tracks)
        return adapt(stage, context, tracks, checkpoint)

    monkeypatch.setattr(FakeAdaptStage, "adapt", spy)
    run(film)
    (tracks,) = given
    expected = Project.open(film.with_suffix(".personae")).track_set()
    for name in ("boxes", "thumbnails", "clothes", "times_s"):
        np.testing.assert_array_equal(getattr(tracks.crops, name), getattr(expected.crops, name))
        assert len(getattr(tracks.crops, name)) == tracks.n_crops


def test_methods_without_adaptation_skip_it_and_keep_it_for_later(film, stage_calls):
    project = run(film, settings=Settings.from_flat(method="hac"))
    assert take_calls(stage_calls) == {"scan", "encode", "cluster", "report"}
    assert project.state("adapt").condition == "not needed"
    run(film)
    assert take_calls(stage_calls) == {"adapt", "cluster", "report"}
    run(film, settings=Settings.from_flat(method="hac"))
    take_calls(stage_calls)
    run(film)
    assert take_calls(stage_calls) == {"cluster", "report"}


def test_a_stage_made_from_an_earlier_scan_is_stale_and_says_so(film, monkeypatch):
    run(film)
    monkeypatch.setattr(FakeEncoder, "encode", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(film, settings=Settings.from_flat(stride=2))
    project = Project.open(film.with_suffix(".personae"))
    states = {state.stage: state for state in project.states()}
    assert states["scan"].condition == "finished"
    assert states["cluster"].condition == "stale"
    assert "personae run" in states["cluster"].why
    with pytest.raises(ProjectError, match="earlier"):
        project.cast()


def test_an_interrupted_run_keeps_what_is_finished(film, stage_calls, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(FakeEncoder, "encode", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(film)
    assert take_calls(stage_calls) == {"scan"}
    project = Project.open(film.with_suffix(".personae"))
    assert project.table("tracks").num_rows == fake_stages.TRACKS
    with pytest.raises(ProjectError, match="cluster"):
        project.cast()
    run(film)
    assert take_calls(stage_calls) == {"encode", "adapt", "cluster", "report"}


def _interrupt(*_args, **_named):
    raise KeyboardInterrupt


def test_a_moved_or_renamed_film_is_the_same_film(film, stage_calls):
    folder = run(film).folder
    take_calls(stage_calls)
    moved = film.with_name("renamed.mkv")
    film.rename(moved)
    project = run(moved, folder)
    assert take_calls(stage_calls) == set()
    assert project.source.path == str(moved)


def test_a_folder_of_another_film_is_refused_and_left_alone(film):
    folder = run(film).folder
    other = film.with_name("b.mp4")
    other.write_bytes(b"another film")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(ProjectError, match="another film"):
        run(other, folder)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_folder_with_other_things_in_it_is_refused(film, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-mother.txt").write_text("Dear")
    with pytest.raises(ProjectError, match=r"to-mother\.txt"):
        run(film, tmp_path / "letters")


@pytest.mark.parametrize("harm", ["truncated", "garbage", "gone", "empty"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tracks.parquet", {"scan"}),
        ("crops.parquet", {"scan"}),
        ("embeddings.safetensors", {"encode"}),
        ("adapt/iteration-1.safetensors", {"adapt"}),
        ("characters.parquet", {"cluster"}),
        ("review.json", {"cluster"}),
        ("report.html", {"report"}),
    ],
)
def test_damage_is_found_and_only_that_stage_runs_again(film, stage_calls, name, expected, harm):
    project = run(film)
    take_calls(stage_calls)
    path = project.folder / name
    data = path.read_bytes()
    changed = {
        "truncated": data[: len(data) // 2],
        "garbage": bytes(len(data)),
        "empty": b"",
    }
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(changed[harm])
    stage = next(iter(expected))
    opened = Project.open(project.folder)
    assert opened.state(stage).condition == "damaged"
    assert name.split("/")[-1] in opened.state(stage).why
    notes = []
    run(film, hook=lambda stage, done, total, **facts: notes.append(facts.get("note")))
    assert take_calls(stage_calls) == expected
    assert any(note and name.split("/")[-1] in note for note in notes)
    assert path.read_bytes() == data


def test_leftovers_of_a_killed_run_are_removed(film, stage_calls):
    folder = run(film).folder
    (folder / ".tracks.parquet.part").write_bytes(b"half")
    (folder / ".adapt.part").mkdir()
    (folder / "adapt-0123456789abcdef.checkpoint").mkdir()
    run(film)
    assert not list(folder.glob("*.part"))
    run(film, settings=Settings.from_flat(seed=1))
    assert not list(folder.glob("*.checkpoint"))  # of other settings


def test_seconds_of_a_stage_are_rounded_to_milliseconds(film, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock) * 1.23456)
    record = run(film).manifest.stages["scan"]
    assert record.seconds == 1.235


def test_two_runs_on_one_folder_exclude_each_other(film):
    folder = run(film).folder
    with locked(folder), pytest.raises(ProjectError, match="Another run"):
        run(film)
    run(film)


def test_the_report_can_be_rewritten(film, stage_calls):
    folder = run(film).folder
    take_calls(stage_calls)
    (folder / "report.html").unlink()
    assert runner.rewrite_report(folder, FAKE_STAGES) == folder / "report.html"
    assert take_calls(stage_calls) == {"report"}
    run(film)
    assert take_calls(stage_calls) == set()


def test_a_film_in_a_folder_that_cannot_be_written_gets_its_project_here(
    film, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert run(film).folder == Path("a.personae")
    shutil.rmtree("a.personae")


@pytest.mark.parametrize("given", [{"method": "magic"}, {"encoder": "magic"}])
def test_unknown_names_are_refused_before_anything_runs(film, stage_calls, given):
    with pytest.raises(PersonaeError, match="'magic'; there are: "):
        run(film, settings=Settings.from_flat(**given))
    assert not film.with_suffix(".personae").exists()
    assert take_calls(stage_calls) == set()


@pytest.mark.parametrize(
    ("method", "hint"),
    [
        ("videoclusternet-paper", "num_people"),
        ("videoclusternet-paper", "min_people"),
        ("videoclusternet-paper", "max_people"),
        ("hac", "min_people"),
        ("finch", "max_people"),
    ],
)
def test_a_hint_that_the_method_cannot_honour_is_refused_before_anything_runs(
    film, stage_calls, method, hint
):
    with pytest.raises(SettingError, match=rf"{method}.*{hint}") as caught:
        run(film, settings=Settings.from_flat(method=method, **{hint: 2}))
    assert "\n" not in str(caught.value)
    assert not film.with_suffix(".personae").exists()
    assert take_calls(stage_calls) == set()


def test_stages_are_logged_and_nothing_is_printed(film, caplog, capfd):
    with caplog.at_level(logging.INFO, logger="personae.pipeline"):
        run(film)
        run(film)
    lines = [record.getMessage() for record in caplog.records]
    for stage in STAGES:
        assert f"{stage}: started" in lines
        assert any(line.startswith(f"{stage}: finished in ") for line in lines)
        assert f"{stage}: finished before" in lines
    assert {record.levelno for record in caplog.records} == {logging.INFO}
    assert capfd.readouterr() == ("", "")


def test_without_a_handler_of_the_application_no_log_is_printed():
    handlers = logging.getLogger("personae").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


def test_warnings_of_the_scan_are_logged_as_warnings(film, caplog, monkeypatch):
    scan = fake_stages.scan_film

    def damaged(hook, crop_sink):
        found = scan(hook, crop_sink)
        return fake_stages.FakeScan(**{**vars(found), "warnings": ("a frame is broken",)})

    monkeypatch.setattr(fake_stages, "scan_film", damaged)
    project = run(film)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in warnings] == ["scan: a frame is broken"]
    assert warnings[0].name == "personae.pipeline.runner"
    assert project.manifest.stages["scan"].warnings == ["a frame is broken"]


def test_a_missing_gpu_is_refused_before_anything_runs(film, monkeypatch):
    def refuse(_wish):
        raise SettingError("No usable CUDA GPU was found.")

    monkeypatch.setattr("personae.core.compute.select_device", refuse)
    ScanStage().check_settings(Settings.from_flat(device="auto"))
    with pytest.raises(SettingError, match="CUDA"):
        run(film, settings=Settings.from_flat(device="cuda"))
    assert not film.with_suffix(".personae").exists()
