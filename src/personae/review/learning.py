"""Long work behind the pages: a run that learns from the edits, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from typing import Literal

from personae.core.errors import PersonaeError, SettingError
from personae.project import Project

STOP_WAIT_S = 10.0
"""How long a run that was interrupted may take to end by itself before it is killed."""

SETTINGS = {
    "scan": ("stride",),
    "encode": ("encoder",),
    "adapt": ("depth", "seed"),
    "cluster": ("method", "num_people", "min_people", "max_people"),
}
"""Stage -> its settings that `personae run` has options for."""

FAILED = "The run has failed; the terminal of `personae review` says why."

Phase = Literal["idle", "running", "stopping", "finished", "stopped", "failed"]


@dataclass
class StageProgress:
    """How far a stage has come."""

    stage: str
    done: int = 0
    total: int | None = None
    """None: not known."""

    was_finished: bool = False
    """Whether there was nothing to do."""


@dataclass
class Learning:
    """What the pages show of a run."""

    phase: Phase = "idle"
    stages: list[StageProgress] = field(default_factory=list)
    """In the order in which they started."""

    failure: str | None = None
    """A sentence; None where nothing has failed."""


def learning_command(project: Project, film: Path) -> list[str]:
    """Return the command that learns from a project's edits, with the settings it was made with.

    Raises:
        SettingError: Its weights are in a file that the project does not know the place of.
    """
    from personae.weights import WEIGHTS

    command = [sys.executable, "-m", "personae.cli", "run", str(film), "-o", str(project.folder)]
    command += ["--learn-edits", "--progress", "json"]
    stages = project.manifest.stages
    for stage, names in SETTINGS.items():
        parameters = stages[stage].parameters if stage in stages else {}
        for name in names:
            if parameters.get(name) is not None:
                command += [f"--{name.replace('_', '-')}", str(parameters[name])]
    encode = stages.get("encode")
    shipped = {weight.sha256 for weight in WEIGHTS.values()}
    if encode is not None and not shipped.issuperset(encode.weights.values()):
        raise SettingError(
            "This film was encoded with a weight file of your own: run "
            "`personae run FILM --learn-edits --weights FILE` in a terminal instead."
        )
    return command


class LearningRun:
    """One run at a time, which can be stopped; until it has ended the folder keeps its cast."""

    def __init__(
        self, command: Callable[[], Sequence[str]], on_end: Callable[[], None] = lambda: None
    ) -> None:
        """Say what to run.

        Args:
            command: Returns the command; it prints progress as JSON lines on stderr.
            on_end: Called when a run has ended, however it did.
        """
        self._command, self._on_end = command, on_end
        self._changed = Condition()
        self._learning = Learning()
        self._process: subprocess.Popen[str] | None = None

    @property
    def learning(self) -> Learning:
        """How it is going."""
        with self._changed:
            now = self._learning
            return Learning(
                now.phase, [StageProgress(**vars(one)) for one in now.stages], now.failure
            )

    @property
    def is_running(self) -> bool:
        """Whether a run has started and not ended."""
        return self._learning.phase in ("running", "stopping")

    def start(self) -> None:
        """Start a run; nothing happens where one is under way.

        Raises:
            PersonaeError: It cannot be started.
        """
        with self._changed:
            if self.is_running:
                return
            command = self._command()
            try:
                # a session of its own: Ctrl-C is for the review, which then stops the run
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                raise PersonaeError(f"The run cannot be started ({error.strerror}).") from error
            self._learning = Learning("running")
        Thread(target=self._watch, args=(self._process,), name="learning", daemon=True).start()

    def stop(self) -> None:
        """Interrupt the run and wait until its process has ended, which releases the folder."""
        with self._changed:
            process = self._process
            if process is None or not self.is_running:
                return
            self._learning.phase = "stopping"
        _signal(process, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WAIT_S)
        _signal(process, signal.SIGKILL)  # what the process has started ends with it
        process.wait()
        self.wait(STOP_WAIT_S)

    def dismiss(self) -> None:
        """Forget how the last run has ended."""
        with self._changed:
            if not self.is_running:
                self._learning = Learning()

    def wait(self, timeout_s: float) -> bool:
        """Wait until no run is under way; return whether none is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.is_running, timeout=timeout_s)

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """Read the progress of a run up to its end."""
        said: list[str] = []
        assert process.stderr is not None
        for line in process.stderr:
            if not self._read_progress(line):
                said.append(line)
                del said[:-200]
        code = process.wait()
        with self._changed:
            if code == 0:
                self._learning.phase = "finished"
            elif self._learning.phase == "stopping":
                self._learning.phase = "stopped"
            else:
                self._learning.phase = "failed"
                self._learning.failure = _find_sentence(said)
                if self._learning.failure == FAILED:
                    print("".join(said), file=sys.stderr, end="", flush=True)
            self._changed.notify_all()
        self._on_end()

    def _read_progress(self, line: str) -> bool:
        """Take up a line of progress; return whether it is one."""
        try:
            said = json.loads(line)
            stage, done, total = str(said["stage"]), int(said["done"]), said["total"]
        except (ValueError, TypeError, KeyError):
            return False
        with self._changed:
            stages = self._learning.stages
            if not stages or stages[-1].stage != stage:
                stages.append(StageProgress(stage))
            stages[-1].done = done
            stages[-1].total = None if total is None else int(total)
            stages[-1].was_finished = bool(said.get("cached"))
        return True


def _find_sentence(lines: Sequence[str]) -> str:
    """Return the last sentence that the command has said to the user."""
    for line in reversed(lines):
        if line.startswith("personae: "):
            return line.removeprefix("personae: ").strip()
    return FAILED


def _signal(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal to a process and to all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
