"""The command, run in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest

from personae.cli import main
from personae.pipeline.stage import Stage

Command = Callable[..., tuple[int, str, str]]
"""Runs `personae WORD ...`: exit code, stdout, stderr."""


@pytest.fixture
def stages() -> Sequence[Stage] | None:
    """What `run` runs instead of the default stages; None: these."""
    return None


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stages: Sequence[Stage] | None,
) -> Command:
    def run_command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["personae", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(stages)
        out, err = capsys.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return code, out, err

    return run_command
