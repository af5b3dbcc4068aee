"""Options that set a stage's setting; their help is the setting's own description."""

from __future__ import annotations

from typing import Any

import typer
from pydantic import BaseModel


def setting_option(model: type[BaseModel], name: str) -> Any:
    """Return the option `--name` of a setting; left out, the setting keeps its default."""
    field = model.model_fields[name]
    default = "" if field.default is None else f" [default: {field.default}]"
    return typer.Option(
        f"--{name.replace('_', '-')}", help=f"{field.description}{default}", show_default=False
    )


def given_settings(**options: object) -> dict[str, object]:
    """Return the options that the user gave; None stands for one that was left out."""
    return {name: value for name, value in options.items() if value is not None}
