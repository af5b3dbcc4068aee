"""A group of verbs that stands for one of them where none is named: `people DIR` lists."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

DEFAULT_VERB = "list"


class GroupWithDefault(TyperGroup):
    """Takes a first word that is no verb as the first argument of `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the default verb where the first word is none."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = [DEFAULT_VERB, *args]
        return super().parse_args(ctx, args)
