"""What the verbs print for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.time import format_clock

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from personae.cli.diagnostics import DiagnosticResult
    from personae.project import Cast, Project
    from personae.project.edits import LogEntry
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
                f"{one.label} {one.name}" if one.name else one.label,
                format_clock(one.screen_time),
                str(len(one.tracks)),
                format_clock(one.first_seen),
                f"{one.confidence:.2f}",
            )
        console.print(table)
    if cast.unknown:
        console.print(f"{_count(len(cast.unknown), 'track')} without a character.")
    if cast.ignored:
        console.print(f"{_count(len(cast.ignored), 'track')} ignored.")
    for warning in project.manifest.stages["scan"].warnings:
        console.print(f"The film is damaged: {warning}.", soft_wrap=True)
    console.print(f"Report: {project.report}", soft_wrap=True)


def show_edits(entries: list[LogEntry], problems: list[str]) -> None:
    """Print all edits, and a sentence for each thing in them that cannot be honoured."""
    console = _console()
    if not entries:
        console.print("No edit has been made.")
    else:
        table = _table("edit", "time", "by", "", "")
        for one in entries:
            moment = one.edit.time[:19].replace("T", " ")
            state = "" if one.holds else "undone"
            table.add_row(str(one.edit.id), moment, one.edit.who or "", one.text, state)
        console.print(table)
    for problem in problems:
        console.print(problem, soft_wrap=True)


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


def show_formats() -> None:
    """Print the formats of exports by the users they are for, with what each loses."""
    from itertools import groupby

    from personae.export import EXPORT_TABLES, TABLE_FORMATS, list_formats

    console = _console()
    console.print("for everybody", style="bold")
    exports, tables = ", ".join(EXPORT_TABLES), ", ".join(TABLE_FORMATS)
    console.print(f"  personae export WHAT FOLDER -f {tables}", soft_wrap=True)
    console.print(f"    tables of {exports}, with all columns", soft_wrap=True)
    for users, group in groupby(list_formats(), key=lambda one: one.users):
        console.print(f"\nfor {users}", style="bold")
        for one in group:
            ending = one.extension or "a folder"
            console.print(f"  personae export {one.exports} FOLDER -f {one.name}  ({ending})")
            console.print(f"    {one.holds}", soft_wrap=True)
            console.print(f"    loses {one.loses}", soft_wrap=True)


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
