"""Which faults the mutation tester puts into a module."""

from __future__ import annotations

import sys

import pytest

from helpers.paths import ROOT

pytestmark = pytest.mark.slow  # `make test-all` installs mutmut, whose operators are used

CODE = '''
"""A module."""

SHARE = 0.25
KEPT = 2  # pragma: no mutate


def write(file, width: int = 7) -> None:
    """Write and sync."""
    if width < 3:
        raise ValueError("too narrow")
    sync(file)
'''


@pytest.fixture(scope="module")
def faults():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from mutants import apply_fault, find_faults
    finally:
        sys.path.remove(str(ROOT / "tools"))
    tree, faults = find_faults(CODE)
    return [(fault, apply_fault(tree, fault)) for fault in faults]


def test_constants_operators_and_calls_are_mutated(faults):
    codes = [code for _, code in faults]
    for line in ("SHARE = 0.5", "SHARE = 1.25", "if width <= 3:", "width: int = 8", "    pass\n"):
        assert any(line in code for code in codes), line


def test_text_and_marked_lines_are_left_alone(faults):
    for _, code in faults:
        for line in ('"""A module."""', "KEPT = 2 ", "-> None:", '"too narrow"', "width: int"):
            assert line in code


def test_a_fault_knows_whether_it_runs_at_import(faults):
    inside = {fault.line: fault.in_function for fault, _ in faults}
    assert inside == {4: False, 8: False, 10: True, 12: True}
    names = {fault.line: fault.names for fault, _ in faults}
    assert names[4] == {"SHARE"}
    assert names[8] == {"write"}
