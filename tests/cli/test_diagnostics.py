"""`personae doctor`: what it tests, and what it exits with."""

from __future__ import annotations

import json
import sys

import pytest

from personae.cli import diagnostics, main
from personae.cli.diagnostics import DiagnosticError, DiagnosticResult


@pytest.fixture
def doctor(monkeypatch, capsys):
    """Run `personae doctor ...` in this process: exit code, stdout."""

    def run_doctor(*words):
        monkeypatch.setattr(sys, "argv", ["personae", "doctor", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr().out

    return run_doctor


def test_the_exit_code_follows_the_results(doctor, monkeypatch):
    good, bad = DiagnosticResult("one", True, "fine"), DiagnosticResult("two", False, "broken")
    monkeypatch.setattr(diagnostics, "run_diagnostics", lambda: [good])
    assert doctor()[0] == 0
    monkeypatch.setattr(diagnostics, "run_diagnostics", lambda: [good, bad])
    code, out = doctor()
    assert code == 1
    assert "FAIL two: broken" in out
    code, out = doctor("--json")
    assert code == 1
    assert json.loads(out)[1] == {"name": "two", "passed": False, "found": "broken"}


def test_this_machine_passes_every_test():
    assert [one for one in diagnostics.run_diagnostics() if not one.passed] == []


def test_a_failure_is_a_result_and_names_its_kind():
    def broken():
        raise DiagnosticError("it is broken")

    def unforeseen():
        raise ValueError("what?")

    assert diagnostics._try("a", broken) == DiagnosticResult("a", False, "it is broken")
    assert diagnostics._try("b", unforeseen) == DiagnosticResult("b", False, "ValueError: what?")


def test_a_wrong_network_fails_the_comparison(monkeypatch):
    class Wrong:
        def encode(self, crops, flip):
            return -diagnostics.np.ones((1, 192), dtype="float32")

    monkeypatch.setattr("personae.encode.load_encoder", lambda name: Wrong())
    with pytest.raises(DiagnosticError, match=r"cosine .* less than 0\.99"):
        diagnostics._encoder()


def test_too_little_disk_fails(monkeypatch):
    usage = diagnostics.shutil.disk_usage("/")

    def free(number):
        monkeypatch.setattr(diagnostics.shutil, "disk_usage", lambda _: usage._replace(free=number))
        return diagnostics._try("disk", diagnostics._free_disk).passed

    assert free(1 << 30)
    assert not free((1 << 30) - 1)
