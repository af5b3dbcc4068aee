"""Progress on stderr: a bar for people, JSON lines for machines, or nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

from personae.core.errors import SettingError
from personae.core.hooks import Hook, silent_hook

AnyHook = TypeVar("AnyHook")
"""A hook of a film's run, or of a catalogue's."""


def progress_hook(form: str) -> AbstractContextManager[Hook]:
    """Open a hook that shows progress as a "bar", as "json" lines, or not at all ("none").

    Raises:
        SettingError: `form` is another word.
    """
    return open_in_form(form, silent_hook, _print_stage, _bar_hook)


def open_in_form(
    form: str,
    silent: AnyHook,
    lines: AnyHook,
    bars: Callable[[], AbstractContextManager[AnyHook]],
) -> AbstractContextManager[AnyHook]:
    """Open the hook that shows progress in a form.

    Args:
        form: "bar", "json" or "none".
        silent: Shows nothing.
        lines: Prints JSON lines.
        bars: Opens a hook that shows bars.

    Raises:
        SettingError: `form` is another word.
    """
    if form == "none":
        return nullcontext(silent)
    if form == "json":
        return nullcontext(lines)
    if form == "bar":
        return bars()
    raise SettingError(f"progress cannot be {form!r}: it should be 'bar', 'json' or 'none'.")


def print_json_line(line: Mapping[str, object]) -> None:
    """Print one object on stderr."""
    print(json.dumps(line, default=str, ensure_ascii=False), file=sys.stderr, flush=True)


def _print_stage(stage: str, done: int, total: int | None, **facts: object) -> None:
    print_json_line({"stage": stage, "done": done, "total": total, **facts})


@contextmanager
def _bar_hook() -> Iterator[Hook]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Units of work per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f}/s" if speed else "")

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def hook(stage: str, done: int, total: int | None, **facts: object) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    progress.stop_task(task)
                tasks[stage] = progress.add_task(stage, total=total, facts="")
            note = facts.pop("note", None)
            if note is not None:
                console.print(f"personae: {note}", soft_wrap=True, highlight=False, markup=False)
            if facts.pop("cached", False):
                shown = "finished before"
            else:
                shown = "  ".join(f"{name} {value}" for name, value in facts.items())
            progress.update(tasks[stage], completed=done, total=total, facts=shown)

        yield hook
