"""`personae import`: corrections made in an annotation program become edits of the cast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from personae.cli.edit import NoRun, recluster_and_show
from personae.cli.folder import Folder

MAX_MISSING_SHOWN = 12
"""Tracks that are not in the file and are listed at most."""


def import_corrections(
    context: typer.Context,
    folder: Folder,
    file: Annotated[
        Path,
        typer.Argument(
            help="CVAT's XML or ZIP (CVAT for video 1.1), or Label Studio's JSON.",
            show_default=False,
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
    ] = False,
    ignore_missing: Annotated[
        bool,
        typer.Option(
            "--ignore-missing",
            help="Ignore the tracks that are not in the file; without it they stay as they are.",
        ),
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who has corrected the file.", show_default=False),
    ] = None,
    no_run: NoRun = False,
) -> None:
    """Compare a corrected file with the cast, make the edits that it asks for, and cluster anew."""
    from personae.corrections import enter_edits, plan_corrections
    from personae.project import Project

    project = Project.open(folder)
    plan = plan_corrections(project, file, ignore_missing)
    for edit in plan.edits:
        typer.echo(edit.describe())
    for line in plan.unmatched:
        typer.echo(line)
    if plan.missing:
        typer.echo(_describe_missing(plan.missing))
    if not plan.edits:
        typer.echo("The file asks for no edit.")
    elif dry_run:
        typer.echo(f"{_count(len(plan.edits))} would be made; nothing was changed.")
    else:
        refused = enter_edits(project, plan.edits, by)
        for sentence in refused:
            typer.echo(sentence, err=True)
        typer.echo(f"{_count(len(plan.edits) - len(refused))} made.")
        if len(refused) < len(plan.edits) and not no_run:
            recluster_and_show(context, folder)
        if refused:
            raise typer.Exit(2)


def _describe_missing(missing: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, missing[:MAX_MISSING_SHOWN]))
    more = len(missing) - MAX_MISSING_SHOWN
    listed = shown + (f" and {more} more" if more > 0 else "")
    return f"Not in the file: track{'s' if len(missing) > 1 else ''} {listed}; left as it was."


def _count(edits: int) -> str:
    return f"{edits} edit{'' if edits == 1 else 's'}"
