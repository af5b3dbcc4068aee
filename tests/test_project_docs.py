"""docs/folder.md and docs/command.md name every table, column, marker field, verb and option there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from personae.cli.app import app
from personae.core import schema
from personae.pipeline.runner import OURS
from personae.project.manifest import StageRecord
from personae.project.tables import STAGE_OF_TABLE

DOCS = Path(__file__).parent.parent / "docs"
FOLDER, COMMAND = ((DOCS / name).read_text() for name in ("folder.md", "command.md"))
VERBS = typer.main.get_command(app).commands


def section(text: str, heading: str) -> str:
    found = re.search(rf"^## `{heading}.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section on {heading}"
    return found[0]


def first_cells(text: str) -> set[str]:
    """The names in the first column of the tables."""
    cells = re.findall(r"^\| (`(?:[^|\\]|\\.)*?) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("table", list(STAGE_OF_TABLE))
def test_every_column_is_documented_and_no_other(table):
    columns = set(getattr(schema, table.upper()).names)
    assert first_cells(section(FOLDER, rf"{table}\.parquet")) == columns


def test_every_file_and_marker_field_is_documented():
    for name in OURS:
        assert f"`{name}" in FOLDER, name
    for name in StageRecord.model_fields:
        assert f"`{name}`" in FOLDER, name
    for status in schema.TRACK_STATUS:
        assert f"`{status}`" in FOLDER, status


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_option_is_documented_and_no_other(verb):
    text = section(COMMAND, f"personae {verb}")
    options = {
        name for parameter in VERBS[verb].params for name in parameter.opts if name.startswith("-")
    } - {"--help"}
    documented = {
        word
        for cell in first_cells(text)
        for word in re.findall(r"(?<!\w)--?[a-z]+(?:-[a-z]+)*", cell)
    }
    assert documented == options


def test_no_verb_is_documented_that_does_not_exist():
    assert set(re.findall(r"^## `personae (\w+)", COMMAND, re.MULTILINE)) == set(VERBS)
    assert set(re.findall(r"^personae (\w+)", COMMAND, re.MULTILINE)) == set(VERBS)


def test_every_exit_code_is_documented():
    assert re.findall(r"^\| (\d+) \|", COMMAND, re.MULTILINE) == ["0", "1", "2", "130"]
