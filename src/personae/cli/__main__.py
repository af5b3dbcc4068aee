"""`python -m personae.cli` runs the command too."""

from __future__ import annotations

from personae.cli import main

main()
