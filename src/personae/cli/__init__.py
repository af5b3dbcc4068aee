"""The command `personae`.

Exit codes: 0 success; 1 a test of `doctor` or `models` failed; 2 a mistake that the user can
correct, in one sentence on stderr; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from personae.cli.app import app
from personae.core.errors import PersonaeError

if TYPE_CHECKING:
    from personae.pipeline.stage import Stage


def main(stages: Sequence[Stage] | None = None) -> None:
    """Run the command; the entry point of the package.

    Args:
        stages: What `run` and `report` run instead of the default stages.
    """
    try:
        app(obj=stages)
    except PersonaeError as error:
        print(f"personae: {error}", file=sys.stderr)
        sys.exit(2)
