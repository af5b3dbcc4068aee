"""What the verbs print for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.time import format_clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from personae.cli.diagnostics import DiagnosticResult
    from personae.project import Cast, Project
    from personae.weights.inventory import ModelState


def show_cast(cast: Cast, project: Project) -> None:
    """Print the cast as a table, and where its report is."""
    console = _console()
    if not len(cast):
        console.print("No character was found.")
    else:
        table = _table("character", "screen time", "tracks", "first seen", "confidence")
        for one in cast:
            table.add_row(
                one.name or one.label,
                format_clock(one.screen_time),
                str(len(one.tracks)),
                format_clock(one.first_seen),
                f"{one.confidence:.2f}",
            )
        console.print(table)
    if cast.unknown:
        console.print(f"{_count(len(cast.unknown), 'track')} without a character.")
    for warning in project.manifest.stages["scan"].warnings:
        console.print(f"The film is damaged: {warning}.", soft_wrap=True)
    console.print(f"Report: {project.report}", soft_wrap=True)


def show_status(project: Project) -> None:
    """Print the state of every stage, the seconds it took, and its facts."""
    from personae.pipeline.status import judge_stages

    table = _table("stage", "state", "seconds", "")
    for state in judge_stages(project):
        record = project.manifest.stages.get(state.stage)
        if record is None or state.condition != "finished":
            table.add_row(state.stage, state.condition, "", state.why)
            continue
        facts = "  ".join(
            f"{name} {value}" for name, value in record.facts.items() if not isinstance(value, list)
        )
        table.add_row(state.stage, state.condition, f"{record.seconds:.1f}", facts)
    _console().print(table)


def show_models(models: list[ModelState]) -> None:
    """Print a block of lines for each network."""
    console = _console()
    for model in models:
        fetch = f"get it with --fetch {model.name}"
        state = model.problem or ("file verified" if model.present else fetch)
        fields = model.as_dict()
        console.print(f"{model.name}: {fields['role']}, {state}", soft_wrap=True)
        for name in ("licence", "terms", "source", "training_data", "measured"):
            if name in fields:
                console.print(f"  {name.replace('_', ' ')}: {fields[name]}", soft_wrap=True)


def show_diagnostics(results: list[DiagnosticResult]) -> None:
    """Print a line for each test."""
    console = _console()
    for one in results:
        console.print(f"{'ok  ' if one.passed else 'FAIL'} {one.name}: {one.found}", soft_wrap=True)


def _console() -> Console:
    """Open standard output; names and paths are printed as they are, not read as markup."""
    from rich.console import Console

    return Console(highlight=False, markup=False)


def _table(*columns: str) -> Table:
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
