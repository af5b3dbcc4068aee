"""Reading a project folder: what is given, and what is refused in one sentence."""

from __future__ import annotations

import hashlib
import json

import pyarrow.parquet as pq
import pytest

from helpers.fake_stages import FAKE_STAGES
from personae.core.errors import ProjectError
from personae.pipeline import runner
from personae.pipeline.settings import Settings
from personae.project import Project
from personae.project.folder import create_project
from personae.project.manifest import FORMAT, StageRecord
from personae.project.tables import STAGE_OF_TABLE, read_table, write_table


@pytest.fixture
def project(fake_video):
    """The finished folder of a film, made by fakes."""
    return runner.run(fake_video, stages=FAKE_STAGES)


def test_review_items_name_the_tables_tracks(project):
    assert project.review_items == [
        {"kind": "merge", "tracks": [0, 2], "probability": 0.5, "text": "the same?"}
    ]


@pytest.mark.parametrize("table", list(STAGE_OF_TABLE))
def test_a_damaged_table_is_one_sentence_for_the_reader(project, table):
    (project.folder / f"{table}.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(ProjectError, match=rf"{table}\.parquet is damaged.*personae run"):
        Project.open(project.folder).table(table)


@pytest.mark.parametrize("columns", [[], ["track", "width"]])
def test_a_table_of_another_version_is_one_sentence_for_the_reader(project, columns):
    folder = project.folder
    path, manifest = folder / "crops.parquet", json.loads((folder / "project.json").read_text())
    pq.write_table(pq.ParquetFile(path).read(use_threads=False).drop_columns(["thumbnail"]), path)
    mark = {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    manifest["stages"]["scan"]["files"]["crops.parquet"] = mark
    (folder / "project.json").write_text(json.dumps(manifest))
    with pytest.raises(
        ProjectError, match=r"crops\.parquet was written by another version.*personae run"
    ):
        Project.open(folder).table("crops", *columns)


def test_only_the_columns_asked_for_are_read(project):
    assert project.table("crops", "track", "width").column_names == ["track", "width"]
    with pytest.raises(ValueError, match="there is no table 'people'"):
        project.table("people")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", f'{{"format": {FORMAT}}}', f'{{"format": {FORMAT}, "created": 7}}'],
)
def test_a_damaged_manifest_is_refused(fake_video, project, text):
    path = project.folder / "project.json"
    path.write_text(text)
    with pytest.raises(ProjectError, match=r"project\.json is damaged"):
        Project.open(project.folder)
    with pytest.raises(ProjectError, match=r"project\.json is damaged"):
        runner.run(fake_video, stages=FAKE_STAGES)
    path.unlink()  # as the sentence advises
    runner.run(fake_video, stages=FAKE_STAGES)


@pytest.mark.parametrize("version", [1, 99])
def test_a_folder_of_another_format_is_one_sentence(fake_video, project, version):
    path = project.folder / "project.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": version}))
    expected = rf"has folder format {version} and this personae reads format {FORMAT}: .*-o\.$"
    with pytest.raises(ProjectError, match=expected) as caught:
        Project.open(project.folder)
    assert "\n" not in str(caught.value)
    with pytest.raises(ProjectError, match=expected):
        runner.run(fake_video, stages=FAKE_STAGES)


@pytest.mark.parametrize("place", ["nowhere", "a.mp4"])
def test_a_path_that_is_no_project_is_refused(fake_video, tmp_path, place):
    with pytest.raises(ProjectError, match="not a project folder"):
        Project.open(tmp_path / place)


def test_a_new_project_knows_no_film_and_no_stage(tmp_path):
    project = create_project(tmp_path, "2026-01-01T00:00:00+00:00")
    assert {state.condition for state in project.states()} == {"missing"}
    with pytest.raises(ProjectError, match=r"scan stage .* has not finished"):
        _ = project.source
    with pytest.raises(ProjectError, match=r"report stage .* has not finished"):
        _ = project.report
    again = create_project(tmp_path, "2027-01-01T00:00:00+00:00")
    assert again.manifest == project.manifest


def test_a_changed_record_is_read_anew(project):
    tracks = project.table("tracks")
    assert project.table("tracks") is tracks
    before = project.review_items
    assert project.review_items is before
    project.drop_records(["cluster", "report"])
    with pytest.raises(ProjectError, match=r"cluster stage .* has not finished"):
        _ = project.review_items
    assert project.table("tracks") is not tracks
    assert Project.open(project.folder).manifest == project.manifest


def test_stages_that_read_a_missing_one_are_stale(project):
    project.drop_records(["scan"])
    conditions = {state.stage: state.condition for state in project.states()}
    assert conditions.pop("scan") == "missing"
    assert set(conditions.values()) == {"stale"}


def test_only_files_of_the_stage_are_handed_out(project):
    assert project.file("cluster", "review.json").exists()
    with pytest.raises(ProjectError, match=r"shots\.parquet is damaged or missing"):
        project.file("cluster", "shots.parquet")


def test_an_adaptation_that_the_method_does_not_read_is_not_needed(fake_video, project):
    assert project.state("adapt").condition == "finished"
    other_scan = Settings.from_flat(method="hac", stride=2)
    again = runner.run(fake_video, settings=other_scan, stages=FAKE_STAGES)
    assert again.state("adapt").condition == "not needed"
    again.drop_records(["cluster"])
    assert again.state("adapt").condition == "stale"


def test_warnings_of_a_record_are_a_list_of_sentences():
    empty = {"parameters": {}, "weights": {}, "software": "1", "reads": {}, "digest": ""}
    record = StageRecord(**empty, files={}, seconds=1.0, finished="")
    assert record.warnings == []
    told = record.model_copy(update={"facts": {"warnings": ["one", "two"], "tracks": 3}})
    assert told.warnings == ["one", "two"]


def test_a_table_with_other_columns_is_never_written(project, tmp_path):
    shots = project.table("shots")
    with open(tmp_path / "x", "wb") as stream, pytest.raises(ValueError, match="columns"):
        write_table("shots", shots.drop_columns(["start_s"]), stream)


def test_a_table_is_written_with_the_types_of_the_schema(project, tmp_path):
    shots = project.table("shots")
    wide = shots.set_column(0, "shot", shots["shot"].cast("int64"))
    with open(tmp_path / "x", "wb") as stream:
        write_table("shots", wide, stream)
    assert read_table("shots", tmp_path / "x").equals(shots)
