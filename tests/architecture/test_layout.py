"""Tests mirror the rooms, and stand on their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import personae
from helpers.paths import ROOT, TESTS

MODULES = sorted(TESTS.rglob("*.py"))
TEST_MODULES = {path.stem for path in MODULES if path.stem.startswith("test_")}


def imported_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_room_has_a_folder_of_tests():
    rooms = {path.parent.name for path in (ROOT / "src" / "personae").glob("*/__init__.py")}
    assert rooms <= {path.name for path in TESTS.iterdir()}


def test_no_test_lies_outside_a_room():
    assert not list(TESTS.glob("test_*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_imports_another(path):
    for name in imported_names(path):
        assert not TEST_MODULES & set(name.split(".")), name


def test_no_test_replaces_a_module_of_the_package():
    stand_ins = "face_recognition", "dlib", "opentimelineio"  # optional packages
    for path in MODULES:
        for name in re.findall(r"setitem\(\s*sys\.modules,\s*([^,]+),", path.read_text()):
            assert name.strip("\"'") in stand_ins, path


def test_every_public_name_can_be_imported():
    for name in personae.__all__:
        assert getattr(personae, name) is not None
