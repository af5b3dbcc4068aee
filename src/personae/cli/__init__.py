"""The command `personae`: one small file per verb.

Exit codes: 0 fine; 1 a check of `doctor` or `models` failed; 2 a mistake the user can put right, said in one
sentence on stderr; 130 interrupted.
"""

from __future__ import annotations

import sys

from personae.cli.app import app
from personae.core.errors import PersonaeError


def main() -> None:
    """Run the command; the entry point of the package."""
    try:
        app()
    except PersonaeError as error:
        print(f"personae: {error}", file=sys.stderr)
        sys.exit(2)
