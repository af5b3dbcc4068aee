"""Arguments and options that several verbs of a catalogue have."""

from __future__ import annotations

from typing import Annotated

import typer

from personae.core.errors import SettingError

Folder = Annotated[
    str,
    typer.Argument(metavar="DIR", help="The catalogue's folder, or its URL.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Format = Annotated[
    str, typer.Option("--format", help="text, or json for programs.", metavar="FORMAT")
]


def check_format(name: str) -> None:
    """Refuse a format that is neither text nor json.

    Raises:
        SettingError: It is another one.
    """
    if name not in ("text", "json"):
        raise SettingError(f"The format cannot be {name!r}: it should be 'text' or 'json'.")
