"""Options that several verbs have, and those that set a stage's setting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel

if TYPE_CHECKING:
    from personae.export import Selection
    from personae.project import Project

Film = Annotated[
    Path | None, typer.Option(help="Where the film is, if it was moved.", show_default=False)
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAMES",
        help="Only these characters: labels or names, separated by commas.",
        show_default=False,
    ),
]
MinConfidence = Annotated[float, typer.Option(help="Leave out tracks that are less sure, 0 to 1.")]
ReviewedOnly = Annotated[
    bool, typer.Option("--reviewed-only", help="Only characters that a person has reviewed.")
]
Progress = Annotated[str, typer.Option(help="On stderr: bar, json (one object a line) or none.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def read_selection(
    project: Project,
    only: list[str] | None,
    min_confidence: float,
    reviewed_only: bool,
    gap_s: float = 0.0,
) -> Selection:
    """Return what the options `Only`, `MinConfidence` and `ReviewedOnly` select.

    Raises:
        SettingError: A value is out of its range.
        ProjectError: The clustering has not finished.
    """
    from personae.export import Selection
    from personae.export.selection import split_names

    names = split_names(only, project.cast()) if only else ()
    return Selection(names, min_confidence, reviewed_only, gap_s)


def setting_option(model: type[BaseModel], name: str) -> Any:
    """Return the option `--name` of a setting, whose help is the setting's own description.

    Left out, the setting keeps its default.
    """
    field = model.model_fields[name]
    default = "" if field.default is None else f" [default: {field.default}]"
    return typer.Option(
        f"--{name.replace('_', '-')}", help=f"{field.description}{default}", show_default=False
    )


def given_settings(**options: object) -> dict[str, object]:
    """Return the options that the user gave; None stands for one that was left out."""
    return {name: value for name, value in options.items() if value is not None}
