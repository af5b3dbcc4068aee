"""The import contracts notice what they forbid; `make lint` checks that they hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT

SOURCE = ROOT / "src" / "personae"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(
        [*command, "--config", str(ROOT / "pyproject.toml")],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("*.onnx", "*.safetensors", "__pycache__")
    shutil.copytree(SOURCE, tmp_path / "personae", ignore=ignore)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("core/labels.py", "def f():\n    import personae.cluster", "Rooms import only"),
        ("scan/shots.py", "import personae.encode", "Rooms import only"),
        ("project/cast.py", "import personae.cluster.hac", "need no algorithm"),
        ("cluster/dendrogram.py", "import personae.cluster.methods", "No circle"),
    ],
    ids=["lazy import upward", "sibling", "storage", "circle"],
)
def test_a_forbidden_import_breaks_its_contract(copy, module, statement, contract):
    with (copy / "personae" / module).open("a") as file:
        file.write(f"\n\n{statement}\n")
    result = lint_imports(copy)
    assert result.returncode == 1
    broken = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), result.stdout


def test_a_room_without_a_place_breaks_the_contract(copy):
    (copy / "personae" / "attic").mkdir()
    (copy / "personae" / "attic" / "__init__.py").write_text("")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert "attic" in result.stdout + result.stderr
