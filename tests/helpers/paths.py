"""Where the repository's own files lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository."""
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
BENCHMARKS = ROOT / "benchmarks"
TESTS = ROOT / "tests"
"""What a child process needs on PYTHONPATH to import `helpers`."""
HELPERS = Path(__file__).parent
