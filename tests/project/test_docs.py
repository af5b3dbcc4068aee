"""docs/folder.md names every table, column, file and record field that there is."""

from __future__ import annotations

import pytest

from helpers.docs import first_cells, section
from helpers.paths import DOCS
from personae.core import schema
from personae.pipeline.runner import PROJECT_FILES
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
