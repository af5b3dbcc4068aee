"""The project folder with stand-ins for the slow rooms: what runs when, what is kept, what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import fake_rooms
from personae.core import schema
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.errors import PersonaeError, ProjectError, SettingError
from personae.pipeline.runner import run, write_report_anew
from personae.pipeline.settings import Settings
from personae.pipeline.status import states, status_as_dict
from personae.project import Project
from personae.project.cast import TrackSpan, appearances, screen_time
from personae.project.lock import locked
from personae.project.tables import STAGE_OF_TABLE, write_table


@pytest.fixture
def film(pretend_film):
    return pretend_film


def ran(calls):
    """The stages that ran since the last look."""
    stages = {name for name in ("scan", "embed", "adapt", "cluster", "report") if calls[name]}
    calls.clear()
    return stages


def test_a_run_leaves_every_table_and_the_cast(film):
    project = run(film)
    assert project.folder == film.with_suffix(".personae")
    for name in STAGE_OF_TABLE:
        assert project.table(name).schema.equals(getattr(schema, name.upper())), name
    assert {state.condition for state in project.states()} == {"finished"}
    assert project.report.exists()
    assert not [
        path for path in project.folder.iterdir() if path.name.endswith((".part", ".checkpoint"))
    ]


def test_characters_are_named_by_falling_screen_time(film):
    cast = run(film).cast()
    assert [one.label for one in cast] == ["P01", "P02"]
    times = [one.screen_time for one in cast]
    assert times == sorted(times, reverse=True)
    assert cast.unknown == (5,)  # it has no crops
    known = sorted(track for one in cast for track in one.tracks)
    assert known == [0, 1, 2, 3, 4]
    assert cast["P01"].label == "P01"
    with pytest.raises(KeyError):
        cast["P99"]
    json.dumps(cast.as_dict())


def test_overlapping_tracks_count_once_within_a_shot_only():
    spans = [
        TrackSpan(0, 0, 1.0, 3.0, 1.0),
        TrackSpan(1, 0, 2.0, 4.0, 1.0),
        TrackSpan(2, 1, 4.0, 5.0, 1.0),
        TrackSpan(3, 1, 7.0, 8.0, 1.0),
    ]
    assert appearances(spans) == ((1.0, 4.0, 0), (4.0, 5.0, 1), (7.0, 8.0, 1))
    assert screen_time(spans) == pytest.approx(5.0)


def test_the_track_set_numbers_only_tracks_with_crops(film):
    tracks = run(film).track_set()
    assert tracks.n_tracks == 5
    assert tracks.track_ids.tolist() == [0, 1, 2, 3, 4]
    assert tracks.cannot_link.tolist() == [
        [0, 1]
    ]  # the other link is with a track that has no crops
    assert tracks.cannot_link_frames.tolist() == [5]
    assert tracks.embeddings.shape == (15, 3)
    assert tracks.crops[0].shape == (160, 160, 3)
    red, blue = tracks.crops[4], tracks.crops[-1]
    assert red[..., 0].mean() > 150 > 50 > red[..., 2].mean()  # RGB
    assert blue[..., 2].mean() > 150
    assert len(tracks.crops[2:7]) == 5
    np.testing.assert_array_equal(tracks.crops[2:7][1], tracks.crops[3])
    with pytest.raises(IndexError):
        tracks.crops[15]


def test_crops_have_the_place_time_and_picture_of_their_faces(film):
    project = run(film)
    tracks, faces = project.track_set(), project.table("faces").to_pylist()
    of_crop = {face["crop"]: face for face in faces if face["crop"] >= 0}
    assert len(of_crop) == tracks.n_crops
    crops = project.table("crops", "crop", "time_s").to_pylist()
    for place, time, crop in zip(tracks.place, tracks.time_s, crops, strict=True):
        np.testing.assert_allclose(place, [of_crop[crop["crop"]][name] for name in "xywh"])
        assert time == pytest.approx(crop["time_s"], abs=1e-4)
    assert tracks.picture.shape == (15, *THUMBNAIL_SHAPE)
    assert tracks.picture[:, 3, 5, 1].tolist() == list(range(15))
    assert project.track_set(placed=False).place is project.track_set(placed=False).picture is None


def test_checks_name_the_tables_tracks(film):
    checks = run(film).checks
    assert checks == [{"kind": "merge", "tracks": [0, 2], "probability": 0.5, "text": "the same?"}]


def test_nothing_runs_twice(film, fakes):
    run(film)
    assert ran(fakes) == {"scan", "embed", "adapt", "cluster", "report"}
    run(film)
    assert ran(fakes) == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"num_people": 3}, {"cluster", "report"}),
        ({"method": "videoclusternet-paper"}, {"cluster", "report"}),
        ({"method": "hac"}, {"cluster", "report"}),
        ({"depth": "last"}, {"adapt", "cluster", "report"}),
        ({"seed": 1}, {"adapt", "cluster", "report"}),
        ({"stride": 2}, {"scan", "embed", "adapt", "cluster", "report"}),
        ({"device": "cpu"}, set()),
    ],
)
def test_a_changed_setting_runs_only_what_depends_on_it(film, fakes, change, expected):
    run(film)
    ran(fakes)
    run(film, settings=Settings.of(**change))
    assert ran(fakes) == expected


def test_a_raised_version_runs_the_stage_again(film, fakes, monkeypatch):
    from personae.pipeline.stages import Cluster

    project = run(film)
    ran(fakes)
    assert {state.condition for state in states(project)} == {"finished"}
    monkeypatch.setattr(Cluster, "version", Cluster.version + 1)
    state = next(state for state in states(project) if state.stage == "cluster")
    assert state.condition == "stale"
    assert "differently" in state.why
    run(film)
    assert ran(fakes) == {"cluster", "report"}


def test_methods_without_adaptation_skip_it_and_adaptation_is_kept_for_later(film, fakes):
    project = run(film, settings=Settings.of(method="hac"))
    assert ran(fakes) == {"scan", "embed", "cluster", "report"}
    assert project.state("adapt").condition == "not needed"
    run(film)
    assert ran(fakes) == {"adapt", "cluster", "report"}
    run(film, settings=Settings.of(method="hac"))
    ran(fakes)
    run(film)
    assert ran(fakes) == {"cluster", "report"}


def test_a_stage_made_from_an_earlier_scan_is_stale_and_says_so(film, fakes, monkeypatch):
    run(film)
    monkeypatch.setattr(fake_rooms.FakeEncoder, "embed", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(film, settings=Settings.of(stride=2))
    project = Project.open(film.with_suffix(".personae"))
    states = {state.stage: state for state in project.states()}
    assert states["scan"].condition == "finished"
    assert states["cluster"].condition == "stale"
    assert "personae run" in states["cluster"].why
    with pytest.raises(ProjectError, match="earlier"):
        project.cast()


def test_an_interrupted_run_keeps_what_is_finished(film, fakes, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fake_rooms.FakeEncoder, "embed", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(film)
    assert ran(fakes) == {"scan"}
    project = Project.open(film.with_suffix(".personae"))
    assert project.table("tracks").num_rows == fake_rooms.TRACKS
    with pytest.raises(ProjectError, match="cluster"):
        project.cast()
    run(film)
    assert ran(fakes) == {"embed", "adapt", "cluster", "report"}


def _interrupt(*_args, **_named):
    raise KeyboardInterrupt


def test_a_moved_or_renamed_film_is_the_same_film(film, fakes):
    folder = run(film).folder
    ran(fakes)
    moved = film.with_name("renamed.mkv")
    film.rename(moved)
    project = run(moved, folder)
    assert ran(fakes) == set()
    assert project.source.path == str(moved)


def test_a_folder_of_another_film_is_refused_and_left_alone(film, fakes):
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
        ("embeddings.safetensors", {"embed"}),
        ("adapt/iteration-1.safetensors", {"adapt"}),
        ("characters.parquet", {"cluster"}),
        ("checks.json", {"cluster"}),
        ("report.html", {"report"}),
    ],
)
def test_damage_is_found_and_only_that_stage_runs_again(film, fakes, name, expected, harm):
    project = run(film)
    ran(fakes)
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
    assert ran(fakes) == expected
    assert any(note and name.split("/")[-1] in note for note in notes)
    assert path.read_bytes() == data


@pytest.mark.parametrize("table", list(STAGE_OF_TABLE))
def test_a_damaged_table_is_one_sentence_for_who_reads_it(film, table):
    folder = run(film).folder
    (folder / f"{table}.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(ProjectError, match=rf"{table}\.parquet is damaged.*personae run"):
        Project.open(folder).table(table)


@pytest.mark.parametrize("columns", [[], ["track", "width"]])
def test_a_table_of_another_version_is_one_sentence_for_who_reads_it(film, columns):
    folder = run(film).folder
    path, manifest = folder / "crops.parquet", json.loads((folder / "project.json").read_text())
    pq.write_table(pq.ParquetFile(path).read(use_threads=False).drop_columns(["picture"]), path)
    mark = {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    manifest["stages"]["scan"]["files"]["crops.parquet"] = mark
    (folder / "project.json").write_text(json.dumps(manifest))
    with pytest.raises(
        ProjectError, match=r"crops\.parquet was written by another version.*personae run"
    ):
        Project.open(folder).table("crops", *columns)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": 1}', '{"format": 1, "created": 7}']
)
def test_a_damaged_manifest_is_refused(film, text):
    folder = run(film).folder
    (folder / "project.json").write_text(text)
    with pytest.raises(ProjectError, match=r"project\.json is damaged"):
        Project.open(folder)
    with pytest.raises(ProjectError, match=r"project\.json is damaged"):
        run(film)
    (folder / "project.json").unlink()  # as the sentence advises
    run(film)


def test_a_folder_of_another_format_is_refused(film):
    folder = run(film).folder
    manifest = json.loads((folder / "project.json").read_text())
    (folder / "project.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(ProjectError, match="format 99"):
        Project.open(folder)


@pytest.mark.parametrize("place", ["nowhere", "a.mp4"])
def test_what_is_no_project_is_refused(film, tmp_path, place):
    with pytest.raises(ProjectError, match="not a project folder"):
        Project.open(tmp_path / place)


def test_two_runs_on_one_folder_do_not_meet(film):
    folder = run(film).folder
    with locked(folder), pytest.raises(ProjectError, match="Another run"):
        run(film)
    run(film)


def test_the_report_can_be_written_anew(film, fakes):
    folder = run(film).folder
    ran(fakes)
    (folder / "report.html").unlink()
    assert write_report_anew(folder) == folder / "report.html"
    assert ran(fakes) == {"report"}
    run(film)
    assert ran(fakes) == set()


def test_status_as_plain_data(film):
    found = status_as_dict(run(film))
    json.dumps(found)
    assert found["film"] == str(film)
    assert found["film_present"]
    assert [stage["state"] for stage in found["stages"]] == ["finished"] * 5
    shutil.move(film, film.with_name("b.mp4"))
    assert not status_as_dict(Project.open(film.with_suffix(".personae")))["film_present"]


def test_a_film_in_a_folder_that_cannot_be_written_gets_its_project_here(
    film, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert run(film).folder == Path("a.personae")
    shutil.rmtree("a.personae")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"depth": "deep"}, "depth cannot be 'deep': .*'head', 'last' or 'full'"),
        ({"seed": -1}, "seed cannot be -1"),
        ({"stride": 0}, "stride cannot be 0"),
        ({"num_people": 0}, "num_people cannot be 0"),
        ({"device": "tpu"}, "device cannot be 'tpu'.*'auto', 'cpu' or 'cuda'"),
        ({"dept": "head"}, "did you mean 'depth'"),
    ],
)
def test_impossible_settings_are_one_sentence(given, expected):
    with pytest.raises(SettingError, match=expected) as caught:
        Settings.of(**given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{"method": "magic"}, {"encoder": "magic"}])
def test_unknown_names_are_refused_before_anything_runs(film, given):
    with pytest.raises(PersonaeError, match="'magic'; there are: "):
        run(film, settings=Settings.of(**given))
    assert not film.with_suffix(".personae").exists()


def test_a_table_with_other_columns_is_never_written(film, tmp_path):
    shots = run(film).table("shots")
    with open(tmp_path / "x", "wb") as stream, pytest.raises(ValueError, match="columns"):
        write_table("shots", shots.drop_columns(["start_s"]), stream)
