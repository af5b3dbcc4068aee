"""docs/folder.md names every table, column, file and record field that there is."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from helpers.docs import first_cells, section
from helpers.fake_stages import FAKE_STAGES
from helpers.paths import DOCS
from personae.core import schema
from personae.pipeline import runner
from personae.pipeline.runner import PROJECT_FILES
from personae.project.edits.edit import Edit, Kind, Role, TrackGroup, TrackMark
from personae.project.manifest import StageRecord
from personae.project.tables import STAGE_OF_TABLE

FOLDER = (DOCS / "folder.md").read_text()


@pytest.mark.parametrize("table", list(STAGE_OF_TABLE))
def test_every_column_is_documented_and_no_other(table):
    columns = set(getattr(schema, table.upper()).names)
    assert first_cells(section(FOLDER, rf"{table}\.parquet")) == columns


def test_every_file_and_record_field_is_documented():
    for name in PROJECT_FILES:
        assert f"`{name}" in FOLDER, name
    for name in StageRecord.model_fields:
        assert f"`{name}`" in FOLDER, name
    for status in schema.TRACK_STATUS:
        assert f"`{status}`" in FOLDER, status


def test_every_field_of_an_edit_is_documented_and_no_other():
    text = section(FOLDER, r"edits\.jsonl")
    assert first_cells(text) == set(Edit.model_fields)
    for name in (
        *TrackGroup.model_fields,
        *TrackMark.model_fields,
        *get_args(Kind),
        *get_args(Role),
    ):
        assert f"`{name}`" in text, name


def test_a_finished_folder_holds_the_documented_files_and_no_other(fake_video):
    project = runner.run(fake_video, stages=FAKE_STAGES)
    overview = FOLDER[: FOLDER.index("\n## ")]
    documented = dict(re.findall(r"^\| `([^`]+)` \| (\w*) ?\|", overview, re.MULTILINE))
    found = {path.name + "/" * path.is_dir() for path in project.folder.iterdir()}
    assert found == set(documented) - {"edits.jsonl"}  # there from the first edit on
    for stage, record in project.manifest.stages.items():
        written = {re.sub("(?<=/).*", "", name) for name in record.files}
        assert written == {name for name, owner in documented.items() if owner == stage}, stage


def test_the_documented_format_is_the_one_that_is_written(fake_video):
    project = runner.run(fake_video, stages=FAKE_STAGES)
    [version] = re.findall(r"version of the layout, now (\d+)", FOLDER)
    assert project.manifest.format == int(version)
