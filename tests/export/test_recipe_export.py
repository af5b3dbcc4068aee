"""docs/how-to/add-an-export.md works as it stands: its code is run here, block by block."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from helpers.docs import code_blocks
from helpers.fake_film import fake_film
from helpers.paths import DOCS
from personae.export import EXPORT_TABLES, TABLE_FORMATS, write_export
from personae.export.export_format import ExportFormat, ExportRequest

RECIPE = (DOCS / "how-to" / "add-an-export.md").read_text()


@pytest.fixture
def _restored_registries() -> Iterator[None]:
    with patch.dict(EXPORT_TABLES), patch.dict(TABLE_FORMATS):
        yield


@pytest.mark.usefixtures("_restored_registries")
def test_the_recipe_adds_a_table_and_formats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = fake_film(tmp_path / "film", shots=10, duration=60.0, names={"P01": "Hamlet"})
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"project": project}
    for block in code_blocks(RECIPE):
        exec(block, names)
    with open("shots.tsv", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    shots = project.table("shots").to_pylist()
    assert [int(row["shot"]) for row in rows] == list(range(10))
    assert [float(row["end_s"]) for row in rows] == [round(shot["end_s"], 3) for shot in shots]
    assert rows[1]["start_clock"] == "00:00:06.000"
    write_export(project, "shots", "json", tmp_path / "shots.json")
    assert len(json.loads((tmp_path / "shots.json").read_text())["shots"]) == 10
    made = names["CUE_LIST"]
    assert isinstance(made, ExportFormat)
    assert made.write is not None
    request, out = ExportRequest.of_everything(project), io.BytesIO()
    made.write(request, out)
    lines = out.getvalue().decode().splitlines()
    assert lines == [f"{float(a.start_s):.3f} {a.display_name}" for a in request.appearances]
    assert any(line.endswith("Hamlet") for line in lines)
