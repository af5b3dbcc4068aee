"""Reading a project folder: what is given, and what is refused in one sentence."""

from __future__ import annotations

import hashlib
import json

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from helpers.fake_stages import FAKE_STAGES
from personae.core.errors import ProjectError
from personae.pipeline import runner
from personae.pipeline.settings import Settings
from personae.project import Project, StageState
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


def test_review_items_of_a_damaged_file_are_refused(project):
    (project.folder / "review.json").write_text('{"review_items": []}')
    with pytest.raises(ProjectError, match=r"review\.json is damaged or missing.*personae run"):
        _ = Project.open(project.folder).review_items


def test_a_manifest_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "project.json").mkdir()
    with pytest.raises(ProjectError, match=r"project\.json cannot be read \(Is a directory\)\.$"):
        Project.open(tmp_path)


def test_the_manifest_is_json_that_people_can_read(tmp_path):
    create_project(tmp_path, "2026-01-01T00:00:00+00:00")
    content = {
        "format": 3,
        "created": "2026-01-01T00:00:00+00:00",
        "source": None,
        "stages": {},
        "replaced": {},
    }
    assert (tmp_path / "project.json").read_text() == json.dumps(content, indent=2) + "\n"


def test_records_and_the_source_cannot_be_changed_in_place(project):
    with pytest.raises(ValidationError, match="frozen"):
        project.manifest.stages["scan"].digest = "other"
    with pytest.raises(ValidationError, match="frozen"):
        project.source.path = "other"


def test_a_project_opens_by_a_path_or_a_string(project):
    for folder in (project.folder, str(project.folder)):
        opened = Project.open(folder)
        assert opened.folder == project.folder
        assert opened.report == project.folder / "report.html"
        assert opened.cast().folder == project.folder
        assert [one.label for one in opened.cast()] == ["P01", "P02"]


def test_a_moved_film_is_recorded_and_its_stages_still_count(project):
    before = project.manifest
    tracks = project.table("tracks")
    project.set_film_path("/elsewhere/b.mp4")
    for known in (project, Project.open(project.folder)):
        assert known.source == before.source.model_copy(update={"path": "/elsewhere/b.mp4"})
        assert known.manifest.stages == before.stages
        assert {state.condition for state in known.states()} == {"finished"}
    assert project.table("tracks").equals(tracks)


def test_the_path_of_a_film_that_was_never_scanned_cannot_be_set(tmp_path):
    project = create_project(tmp_path, "2026-01-01T00:00:00+00:00")
    with pytest.raises(ProjectError, match=r"scan stage .* has not finished"):
        project.set_film_path("/elsewhere/b.mp4")


def test_only_a_scan_changes_what_the_film_is(project):
    source = project.source
    record = project.manifest.stages["report"].model_copy(update={"digest": "other"})
    project.add_record("report", record)
    moved = source.model_copy(update={"duration_s": 7.0})
    assert (project.source, project.manifest.stages["report"]) == (source, record)
    project.add_record("scan", project.manifest.stages["scan"], moved)
    for known in (project, Project.open(project.folder)):
        assert known.source == moved
        assert set(known.manifest.stages) == {"scan", "encode", "adapt", "cluster", "report"}


def test_dropping_records_that_are_not_there_writes_nothing(project):
    project.drop_records(["report"])
    tracks, manifest = project.table("tracks"), project.folder / "project.json"
    written = manifest.stat()
    project.drop_records(["report"])
    assert manifest.stat() == written
    assert project.table("tracks") is tracks
    assert list(project.manifest.stages) == ["scan", "encode", "adapt", "cluster"]


def test_states_are_in_the_order_of_the_stages_and_need_no_words_when_finished(project):
    assert project.states() == [
        StageState(stage, "finished", "")
        for stage in ("scan", "encode", "adapt", "cluster", "report")
    ]


def test_a_missing_stage_and_a_stale_one_say_so(project):
    project.drop_records(["report"])
    assert project.state("report") == StageState(
        "report",
        "missing",
        f"The report stage of {project.folder} has not finished: `personae run` will finish it.",
    )
    changed = project.manifest.stages["scan"].model_copy(update={"digest": "other"})
    project.add_record("scan", changed)
    assert project.state("scan").condition == "finished"
    stale = StageState(
        "encode",
        "stale",
        f"The encode stage of {project.folder} was made from an earlier scan stage: "
        "`personae run` will make it again.",
    )
    assert project.state("encode") == stale
    with pytest.raises(ProjectError) as caught:
        project.file("encode", "embeddings.safetensors")
    assert str(caught.value) == stale.why


def _remove(path):
    path.unlink()


def _lengthen(path):
    path.write_bytes(path.read_bytes() + b"x")


def _flip_the_last_byte(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def _replace_by_a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [_remove, _lengthen, _flip_the_last_byte, _replace_by_a_folder])
def test_a_damaged_file_is_named_by_its_stage_and_no_other(project, damage):
    path = project.folder / "review.json"
    assert project.damaged_file("cluster") is None
    damage(path)
    assert project.damaged_file("cluster") == path
    assert project.damaged_file("scan") is None
    why = f"{path} is damaged or missing: `personae run` will make it again."
    assert project.state("cluster") == StageState("cluster", "damaged", why)
    others = [state for state in project.states() if state.stage != "cluster"]
    assert {state.condition for state in others} == {"finished"}
    with pytest.raises(ProjectError) as caught:
        project.file("cluster", "review.json")
    assert str(caught.value) == why


def test_a_stale_stage_is_stale_though_its_files_are_damaged(project):
    project.drop_records(["scan"])
    (project.folder / "embeddings.safetensors").unlink()
    assert project.state("encode").condition == "stale"


def test_a_damaged_adaptation_is_damaged_though_the_clustering_has_finished(project):
    (project.folder / "adapt" / "log.json").unlink()
    assert project.state("adapt").condition == "damaged"


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
    sentence = "The clustering method needs no adaptation."
    assert again.state("adapt") == StageState("adapt", "not needed", sentence)
    again.drop_records(["cluster"])
    assert again.state("adapt").condition == "stale"


def test_an_adaptation_that_never_ran_is_not_needed_either(fake_video):
    hac = Settings.from_flat(method="hac")
    project = runner.run(fake_video, settings=hac, stages=FAKE_STAGES)
    assert "adapt" not in project.manifest.stages
    assert project.state("adapt").condition == "not needed"
    project.drop_records(["report"])
    assert project.state("report").condition == "missing"  # a report is always needed
    project.drop_records(["cluster"])
    assert project.state("adapt").condition == "missing"


def test_warnings_of_a_record_are_a_list_of_sentences():
    empty = {"parameters": {}, "weights": {}, "software": "1", "reads": {}, "digest": ""}
    record = StageRecord(**empty, files={}, seconds=1.0, finished="")
    assert record.warnings == []
    told = record.model_copy(update={"facts": {"warnings": ["one", "two"], "tracks": 3}})
    assert told.warnings == ["one", "two"]
    for other in ({"tracks": 3}, {"warnings": None}, {"warnings": "one"}):
        assert record.model_copy(update={"facts": other}).warnings == []
    assert record.model_copy(update={"facts": {"warnings": [7]}}).warnings == ["7"]


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


def test_tables_are_compressed_and_read_by_the_calling_thread(project, tmp_path, monkeypatch):
    path = tmp_path / "x"
    with open(path, "wb") as stream:
        write_table("shots", project.table("shots"), stream)
    group = pq.ParquetFile(path).metadata.row_group(0)
    assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}
    asked = []
    real = pq.ParquetFile.read

    def read(file, columns=None, use_threads=True):
        asked.append((columns, use_threads))
        return real(file, columns, use_threads=use_threads)

    monkeypatch.setattr(pq.ParquetFile, "read", read)
    read_table("shots", path)
    read_table("shots", path, ("shot", "end_s"))
    assert asked == [(None, False), (["shot", "end_s"], False)]


def test_an_unknown_table_is_refused_with_the_names_of_those_there_are(project):
    names = "shots, faces, tracks, crops, cannot_links, characters, numbers"
    with pytest.raises(ValueError, match=f"no table 'people'; there are: {names}$"):
        project.table("people")
