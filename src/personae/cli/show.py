"""What the verbs print for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.time import clock

if TYPE_CHECKING:
    from personae.cli.diagnostics import Check
    from personae.project import Cast, Project


def show_cast(cast: Cast, project: Project) -> None:
    """Print the cast as a table, and where its report is."""
    console = _console()
    if not len(cast):
        console.print("Nobody was found.")
    else:
        table = _table("character", "screen time", "tracks", "first seen", "confidence")
        for one in cast:
            table.add_row(
                one.name or one.label,
                clock(one.screen_time),
                str(len(one.tracks)),
                clock(one.first_seen),
                f"{one.confidence:.2f}",
            )
        console.print(table)
    if cast.unknown:
        console.print(f"{_count(len(cast.unknown), 'track')} given to nobody.")
    for warning in project.manifest.stages["scan"].facts.get("warnings", []):
        console.print(f"The film is damaged: {warning}.", soft_wrap=True)
    console.print(f"Report: {project.report}", soft_wrap=True)


def show_status(project: Project) -> None:
    """Print how every stage stands, with the seconds it took and what it found."""
    from personae.pipeline.status import states

    table = _table("stage", "state", "seconds", "")
    for state in states(project):
        record = project.manifest.stages.get(state.stage)
        done = record if state.condition == "finished" else None
        plain = {
            name: value
            for name, value in (done.facts if done else {}).items()
            if not isinstance(value, list)
        }
        facts = "  ".join(f"{name} {value}" for name, value in plain.items())
        table.add_row(
            state.stage, state.condition, f"{done.seconds:.1f}" if done else "", state.why or facts
        )
    _console().print(table)


def show_models(models: list[dict[str, Any]]) -> None:
    """Print a block of lines per network."""
    console = _console()
    for one in models:
        state = one["problem"] or (
            "file verified" if one["present"] else f"get it with --fetch {one['name']}"
        )
        console.print(f"{one['name']}: {one['role']}, {state}", soft_wrap=True)
        for name in ("licence", "terms", "source", "training_data", "measured"):
            if name in one:
                console.print(f"  {name.replace('_', ' ')}: {one[name]}", soft_wrap=True)


def show_checkup(checks: list[Check]) -> None:
    """Print a line per check."""
    console = _console()
    for one in checks:
        console.print(f"{'ok  ' if one.passed else 'FAIL'} {one.name}: {one.found}", soft_wrap=True)


def _console() -> Any:
    """Standard output; names and paths are printed as they are, not read as markup."""
    from rich.console import Console

    return Console(highlight=False, markup=False)


def _table(*columns: str) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(
            column, justify="right" if column in ("screen time", "tracks", "seconds") else "left"
        )
    return table


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
