"""`python -m personae.cli` is the command too."""

from __future__ import annotations

from personae.cli import main

main()
