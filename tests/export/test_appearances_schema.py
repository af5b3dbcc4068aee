"""The published schema of appearances is that of what is written, and refuses what is not."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path

import jsonschema
import pytest

from helpers.fake_film import fake_film
from helpers.paths import DOCS
from helpers.rated_film import RATES, VARIABLE, rated_film
from personae.export import Selection, write_export
from personae.export.tables import APPEARANCES_VERSION

SCHEMA = json.loads((DOCS / "appearances.schema.json").read_text())
ROW = SCHEMA["$defs"]["appearance"]
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def document(project, **chosen):
    out = io.BytesIO()
    write_export(project, "appearances", "json", out, Selection(**chosen))
    return json.loads(out.getvalue())


def test_the_schema_is_one_and_has_the_version_that_is_written():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["version"]["const"] == APPEARANCES_VERSION


@pytest.mark.parametrize("name", [*RATES, "variable"])
def test_exports_are_valid_at_every_rate(tmp_path: Path, name: str):
    film = rated_film(tmp_path / "film", RATES.get(name, VARIABLE), names={"P01": "Zoë"})
    made = document(film.project)
    VALIDATOR.validate(made)
    assert len(made["appearances"]) == len(film.spans)
    VALIDATOR.validate(document(film.project, gap_s=5.0))
    assert (made["constant_rate"] is None) == (name == "variable")
    assert (made["start_timecode"] is None) == (name == "variable")


def test_a_film_without_characters_is_valid(tmp_path: Path):
    made = document(fake_film(tmp_path / "film", characters=0, unknown=0))
    VALIDATOR.validate(made)
    assert made["appearances"] == []


def test_every_column_is_described_in_the_schema_and_on_the_page(tmp_path: Path):
    row = document(fake_film(tmp_path / "film"))["appearances"][0]
    assert list(row) == ROW["required"] == list(ROW["properties"])
    page = (DOCS / "appearances.md").read_text()
    for column, entry in ROW["properties"].items():
        assert f"`{column}`" in page
        assert entry["description"].endswith(".")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("end_timecode", "1:00:00:00"),
        ("confidence", 1.2),
        ("tracks", []),
        ("start_pts", 1.5),
        ("character", "Hamlet"),
        ("colour", "red"),
    ],
)
def test_other_rows_are_refused(tmp_path: Path, column: str, value: object):
    made = document(fake_film(tmp_path / "film"))
    broken = copy.deepcopy(made)
    broken["appearances"][0][column] = value
    assert VALIDATOR.is_valid(made)
    assert not VALIDATOR.is_valid(broken)
