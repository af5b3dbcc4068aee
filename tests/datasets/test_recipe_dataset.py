"""The recipe of docs/how-to/add-a-data-set.md works as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from helpers.docs import code_blocks
from helpers.paths import DOCS
from personae.core.errors import SettingError
from personae.datasets import DATASETS, DatasetContext, load_dataset

READER, REGISTRATION, USE = code_blocks((DOCS / "how-to" / "add-a-data-set.md").read_text())
"""The code of the recipe's three steps."""

TABLE = """\
track,person,e1,e2,e3
7,ann,1,0,0
7,ann,0.9,0.1,0
3,bob,0,1,0
9,,0,0,1
4,ann,0.95,0,0.1
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a table, in which the recipe's module can be imported and is registered."""
    (tmp_path / "table_dataset.py").write_text(READER)
    (tmp_path / "crops.csv").write_text(TABLE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    with patch.dict(DATASETS):
        exec(REGISTRATION, {})
        yield tmp_path


def test_data_set_is_added_by_one_module_and_one_line(table: Path, context: DatasetContext) -> None:
    data = load_dataset("table:crops.csv?scale=2", context)
    assert data.people == ("ann", "bob")
    assert data.truth.tolist() == [1, 0, 0, -1]
    assert data.frame_counts.tolist() == [1, 1, 2, 1]
    np.testing.assert_array_equal(data.tracks.embeddings[0], np.array([2, 0, 0], np.float32))
    assert data.digest != load_dataset("table:crops.csv", context).digest
    with pytest.raises(SettingError, match="table has no option 'speed'"):
        load_dataset("table:crops.csv?speed=2", context)


def test_benchmark_runs_on_the_added_data_set(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scope: dict[str, object] = {}
    exec(USE, scope)
    methods = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert methods == ["hac", "finch"]
    assert all(one.metrics["tracks"] == 3 for one in scope["benchmark"].results)


def test_registration_is_one_line() -> None:
    lines = [line for line in REGISTRATION.splitlines() if line and not line.startswith("from ")]
    assert len(lines) == 1
