"""docs/how-to/add-an-export.md works as it stands: its code is run here, block by block."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from helpers.docs import code_blocks
from helpers.fake_film import fake_film
from helpers.paths import DOCS
from personae.export import EXPORT_FORMATS, EXPORT_TABLES, export_table

RECIPE = (DOCS / "how-to" / "add-an-export.md").read_text()


@pytest.fixture
def _restored_registries() -> Iterator[None]:
    with patch.dict(EXPORT_TABLES), patch.dict(EXPORT_FORMATS):
        yield


@pytest.mark.usefixtures("_restored_registries")
def test_the_recipe_adds_a_table_and_a_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = fake_film(tmp_path / "film", shots=10, duration=60.0)
    monkeypatch.chdir(tmp_path)
    table, fmt, use = code_blocks(RECIPE)
    names: dict[str, object] = {"project": project}
    for block in (table, fmt, use):
        exec(block, names)
    with open("shots.tsv", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    shots = project.table("shots").to_pylist()
    assert [int(row["shot"]) for row in rows] == list(range(10))
    assert [float(row["end_s"]) for row in rows] == [round(shot["end_s"], 3) for shot in shots]
    assert rows[1]["start_clock"] == "00:00:06.000"
    export_table(project, "shots", "json", tmp_path / "shots.json")
    assert len(json.loads((tmp_path / "shots.json").read_text())["shots"]) == 10
