"""`personae edit`: correct the cast; every verb says one thing about characters or tracks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from personae.project.edits import EnteredEdit, Person, ProjectEdits

NoRun = Annotated[
    bool, typer.Option("--no-run", help="Enter the edit, and cluster later with `personae run`.")
]
By = Annotated[str | None, typer.Option("--by", help="Who says so.", show_default=False)]
Who = Annotated[
    str,
    typer.Argument(
        metavar="WHO",
        help="A label, a name, or track numbers: P03, Hamlet, 12,15.",
        show_default=False,
    ),
]
People = Annotated[
    list[str],
    typer.Argument(
        metavar="WHO...",
        help="Labels, names, or track numbers: P03 Hamlet 12,15.",
        show_default=False,
    ),
]
Other = Annotated[str, typer.Argument(metavar="OTHER", help="Another one.")]
Number = Annotated[
    int | None,
    typer.Argument(metavar="[EDIT]", help="Number of the edit. [default: the latest]"),
]
WAIT_S = 60.0
"""How long an edit waits for another run in the folder before it is left to a later one."""

edit = typer.Typer(help="Correct the cast.", no_args_is_help=True, rich_markup_mode=None)


@edit.callback()
def _open_folder(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A project folder.", show_default=False)],
) -> None:
    """Correct the cast: names, merges, splits. Edits are kept for ever, and over new runs."""
    context.meta["folder"] = folder


@edit.command()
def name(
    context: typer.Context,
    who: Who,
    text: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Its name. [default: none]")
    ] = None,
    cast: Annotated[
        Path | None,
        typer.Option(help="A file with a name a line; others are refused.", show_default=False),
    ] = None,
    by: By = None,
    no_run: NoRun = False,
) -> None:
    """Name a character or tracks; without a name, take it away."""
    from personae.project.edits import CastList

    if cast is not None and text is not None:
        text = CastList.read(cast).require(text)
    _enter(context, lambda edits: edits.name(_parse(who), text, by=by), no_run)


@edit.command()
def merge(context: typer.Context, who: People, by: By = None, no_run: NoRun = False) -> None:
    """Make characters or tracks one person; the first keeps its number and name."""
    _enter(context, lambda edits: edits.merge(*map(_parse, who), by=by), no_run)


@edit.command()
def same(
    context: typer.Context,
    one: Who,
    other: Other,
    by: By = None,
    no_run: NoRun = False,
) -> None:
    """Say that two characters or tracks are one person."""
    _enter(context, lambda edits: edits.merge(_parse(one), _parse(other), by=by), no_run)


@edit.command()
def different(
    context: typer.Context,
    one: Who,
    other: Other,
    by: By = None,
    no_run: NoRun = False,
) -> None:
    """Say that two characters or tracks are different people."""
    _enter(context, lambda edits: edits.different(_parse(one), _parse(other), by=by), no_run)


@edit.command()
def split(
    context: typer.Context,
    who: Annotated[str, typer.Argument(metavar="WHO", help="A label or a name.")],
    tracks: Annotated[
        str, typer.Option(help="Numbers of the tracks that are somebody else: 12,15.")
    ],
    by: By = None,
    no_run: NoRun = False,
) -> None:
    """Take tracks out of a character: they are one other person."""
    numbers = _numbers(tracks)
    _enter(context, lambda edits: edits.split(who, numbers, by=by), no_run)


@edit.command()
def move(
    context: typer.Context,
    who: Who,
    to: Annotated[str, typer.Argument(metavar="TO", help="The character that they are.")],
    by: By = None,
    no_run: NoRun = False,
) -> None:
    """Move tracks to another character."""
    _enter(context, lambda edits: edits.move(_parse(who), _parse(to), by=by), no_run)


@edit.command()
def ignore(context: typer.Context, who: People, by: By = None, no_run: NoRun = False) -> None:
    """Leave characters or tracks out of the cast: extras, posters, what is no face."""
    _enter(context, lambda edits: edits.ignore(*map(_parse, who), by=by), no_run)


@edit.command()
def confirm(context: typer.Context, who: People, by: By = None, no_run: NoRun = False) -> None:
    """Say that all tracks of a character are one person."""
    _enter(context, lambda edits: edits.confirm(*map(_parse, who), by=by), no_run)


@edit.command()
def undo(context: typer.Context, number: Number = None, no_run: NoRun = False) -> None:
    """Undo the latest edit, or any other by its number."""
    _enter(context, lambda edits: edits.undo(number), no_run)


@edit.command()
def redo(context: typer.Context, number: Number = None, no_run: NoRun = False) -> None:
    """Redo the edit that was undone last, or any other by its number."""
    _enter(context, lambda edits: edits.redo(number), no_run)


@edit.command()
def log(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print all edits, and what cannot be honoured."""
    from personae.project import Project

    edits = Project.open(context.meta["folder"]).edits
    entries, problems = edits.log(), edits.problems()
    if as_json:
        rows = [
            {**one.edit.model_dump(mode="json"), "holds": one.holds, "text": one.text}
            for one in entries
        ]
        typer.echo(json.dumps({"edits": rows, "problems": problems}, indent=1, ensure_ascii=False))
    else:
        from personae.cli.show import show_edits

        show_edits(entries, problems)


def _enter(
    context: typer.Context, make: Callable[[ProjectEdits], EnteredEdit], no_run: bool
) -> None:
    """Enter an edit, cluster anew, and print the cast."""
    from personae.pipeline.runner import recluster
    from personae.pipeline.stages import DEFAULT_STAGES
    from personae.project import Project

    folder = context.meta["folder"]
    project = Project.open(folder)
    if project.state("cluster").condition != "finished":  # a killed run has left it so
        stages = context.obj or DEFAULT_STAGES
        project = recluster(folder, with_report=False, wait_s=WAIT_S, stages=stages)
    entered = make(project.edits)
    typer.echo(f"Edit {entered.edit.id} is saved.")
    for note in entered.notes:
        typer.echo(note)
    if not no_run:
        recluster_and_show(context, folder)


def recluster_and_show(context: typer.Context, folder: Path) -> None:
    """Cluster anew with the edits of a folder, and print the cast.

    Raises:
        ProjectError: The clustering cannot be made now; the edits are safe.
    """
    from personae.cli.show import show_cast
    from personae.core.errors import ProjectError
    from personae.pipeline.runner import recluster
    from personae.pipeline.stages import DEFAULT_STAGES

    try:
        project = recluster(folder, wait_s=WAIT_S, stages=context.obj or DEFAULT_STAGES)
    except ProjectError as error:
        raise ProjectError(f"The edit is saved, but the cast is the old one: {error}") from error
    for problem in project.edits.problems():
        print(f"personae: {problem}", file=sys.stderr)
    show_cast(project.cast(), project)


def _parse(word: str) -> Person:
    """Read track numbers as such, and anything else as a label or name."""
    return _numbers(word) if re.fullmatch(r"[\d\s]+(,[\d\s]+)*", word) else word


def _numbers(text: str) -> list[int]:
    """Read track numbers with commas between them.

    Raises:
        EditError: The text holds something else.
    """
    from personae.core.errors import EditError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise EditError(f"{text!r} are no track numbers: write them like 12,15.") from None
