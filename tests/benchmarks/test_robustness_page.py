"""`benchmarks/robustness_page.py` writes the contents of the CSV file."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

from helpers.paths import BENCHMARKS

SCRIPT = BENCHMARKS / "robustness_page.py"
COLUMNS = ("clip", "variant", "seed", "method", "found", "faces", "WCP", "PCR", "B3F", "strays")
PROVENANCE = {"commit": "abc1234", "date": "2026-01-02", "command": "stress.py"}


def page(folder: Path, rows: list[tuple[object, ...]]) -> str:
    with open(folder / "stress.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *PROVENANCE])
        writer.writeheader()
        writer.writerows({**dict(zip(COLUMNS, row, strict=True)), **PROVENANCE} for row in rows)
    to = folder / "page.md"
    subprocess.run(
        [sys.executable, str(SCRIPT), "--results", str(folder), "--to", str(to)], check=True
    )
    return to.read_text()


def test_means_ranges_and_best_other_method_are_shown(tmp_path):
    text = page(
        tmp_path,
        [
            ("a", "dark", 0, "personae", 9, 10, 1.0, 1.0, 0.9, 0),
            ("a", "dark", 1, "personae", 9, 10, 0.9, 1.5, 0.8, 0),
            ("a", "dark", 0, "HAC", 9, 10, 0.9, 1.0, 0.86, 0),
            ("a", "dark", 0, "FINCH", 9, 10, 0.9, 1.0, 0.5, 0),
            ("b", "grey", 0, "personae", 10, 10, 1.0, 1.0, 0.7, 0),
            ("b", "grey", 1, "personae", 10, 10, 1.0, 1.0, 0.7, 0),
            ("b", "grey", 0, "HAC", 10, 10, 1.0, 1.0, 0.7, 0),
        ],
    )
    assert (
        "| a | dark | 9 of 10 | 0.850 (0.800 to 0.900) | 0.900 | 1.25 (1.00 to 1.50) "
        "| 0.860 (HAC) |" in text
    )
    assert "| b | grey | 10 of 10 | 0.700 | 1.000 | 1.00 | 0.700 (HAC) |" in text
    assert "in 1 of 2 cases; not in a, dark (0.850 against 0.860)." in text
    assert "Its PCR is 1.00 or more, so no cast collapses." in text
    assert "Commit abc1234, 2026-01-02: `stress.py`" in text
    assert "* 2 basic cases: mean B-cubed F 0.7750, largest standard deviation" in text
    assert "hard cases" not in text


def test_the_mean_of_each_set_of_variants_is_shown(tmp_path):
    rows = [
        ("a", variant, 0, name, 1, 1, 1.0, 1.0, f, 0)
        for variant, f in (("dark", 0.9), ("fifth size", 0.5), ("clothes alike", 0.7))
        for name in ("personae", "HAC")
    ]
    text = page(tmp_path, rows)
    assert "* 1 basic cases: mean B-cubed F 0.9000," in text
    assert "* 2 hard cases: mean B-cubed F 0.6000," in text


def test_collapsed_cast_is_reported(tmp_path):
    rows = [(*("a", "dark", 0), name, 1, 1, 1.0, 0.4, 0.5, 0) for name in ("personae", "HAC")]
    text = page(tmp_path, rows)
    assert "in 1 of 1 cases." in text
    assert "at least one cast has collapsed" in text
