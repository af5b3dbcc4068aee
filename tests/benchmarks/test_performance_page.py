"""`benchmarks/performance_page.py` writes the contents of the CSV files."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import BENCHMARKS

SCRIPT = BENCHMARKS / "performance_page.py"
PROVENANCE = {
    "commit": "abc1234",
    "date": "2026-01-02",
    "command": "speed.py",
    "cpu": "A Chip",
    "cores": "2",
}

Row = dict[str, str]


def run(film: str, system: str, repeat: int, wall_s: float, b3f: float, **more: str) -> Row:
    row = {
        "film": film,
        "system": system,
        "repeat": str(repeat),
        "film_s": "100",
        "wall_s": str(wall_s),
    }
    row |= {"cpu_s": str(2 * wall_s), "peak_mib": "500", "B3F": str(b3f)} | PROVENANCE
    if system == "personae":
        row |= {
            "adapt_s": "20",
            "cluster_s": "1",
            "tracks": "10",
            "crops": "50",
            "WCP": "1",
            "PCR": "1",
        }
    return row | more


def page(rows: list[Row], folder: Path, scale: list[Row] | None = None) -> str:
    for name, table in (("speed.csv", rows), ("scale.csv", scale or [])):
        if table:
            with open(folder / name, "w", newline="") as file:
                writer = csv.DictWriter(
                    file, list(dict.fromkeys(c for row in table for c in row)), restval=""
                )
                writer.writeheader()
                writer.writerows(table)
    to = folder / "page.md"
    subprocess.run(
        [sys.executable, str(SCRIPT), "--results", str(folder), "--to", str(to)], check=True
    )
    return to.read_text()


def table_row(text: str, *first_cells: str) -> list[str]:
    """Return the cells of the only table row that starts with some cells."""
    start = "| " + " | ".join(first_cells) + " |"
    (row,) = (line for line in text.splitlines() if line.startswith(start))
    return [cell.strip() for cell in row.strip("|").split("|")]


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_median_of_repeats_is_shown_with_their_range(tmp_path: Path) -> None:
    text = page(
        [run("a", "personae", i, wall, 0.9) for i, wall in enumerate((30, 10, 20))], tmp_path
    )
    cells = table_row(section(text, "The command"), "a")
    assert cells[2:6] == ["3", "20.0 s (10.0 to 30.0)", "0.20", "40.0 s"]
    assert "A Chip, 2 cores" in text
    assert "abc1234" in text


@pytest.mark.parametrize(
    ("wall_s", "b3f", "met"),
    [(79, 0.9, "**no**"), (80, 0.9, "yes"), (80, 0.95, "**no**"), (200, 0.5, "yes")],
)
def test_speed_target_needs_speed_and_accuracy(
    wall_s: float, b3f: float, met: str, tmp_path: Path
) -> None:
    text = page([run("a", "personae", 0, 20, 0.9), run("a", "pipeline", 0, wall_s, b3f)], tmp_path)
    (target,) = (
        row for row in section(text, "Targets").splitlines() if row.startswith("| a: at least 4")
    )
    assert target.endswith(f"| {met} |")
    assert f"{wall_s / 20:.2f} times" in target


def test_seconds_per_track_are_compared_with_the_paper(tmp_path: Path) -> None:
    text = page([run("a", "personae", 0, 20, 0.9)], tmp_path)
    assert table_row(section(text, "Comparison with the paper"), "a")[1:] == ["2.00", "0.1000"]
    targets = [
        row
        for row in section(text, "Targets").splitlines()
        if row.startswith(("| adapt", "| cluster"))
    ]
    assert [row.split("|")[-2].strip() for row in targets] == ["yes", "yes"]


def test_results_of_different_commits_are_not_compared(tmp_path: Path) -> None:
    rows = [run("a", "personae", 0, 20, 0.9), run("a", "pipeline", 0, 200, 0.9, commit="old")]
    text = page(rows, tmp_path)
    assert "at least 4 times" not in text
    assert table_row(section(text, "Comparison with other systems"), "a", "pipeline")[7:] == [
        "",
        "",
    ]


def test_repeats_of_an_older_commit_are_ignored(tmp_path: Path) -> None:
    rows = [run("a", "personae", 1, 90, 0.9, commit="old"), run("a", "personae", 0, 20, 0.9)]
    cells = table_row(section(page(rows, tmp_path), "The command"), "a")
    assert cells[2:4] == ["1", "20.0 s"]


def test_missing_measurements_are_listed(tmp_path: Path) -> None:
    rows = [
        run("a", "personae", 0, 20, 0.9, load_before="3.5"),
        run("a", "pipeline", 0, 90, 0.9),
        run("b", "personae", 0, 20, 0.9),
        {
            "film": "",
            "system": "face_recognition",
            "note": "the package is not installed",
            **PROVENANCE,
        },
    ]
    missing = section(page(rows, tmp_path), "Not measured")
    assert "* pipeline on b." in missing
    assert "* face_recognition: the package is not installed." in missing
    assert "3.5" in missing
    assert "simulated tracks" in missing


def test_scale_table_is_copied(tmp_path: Path) -> None:
    scale = [{"tracks": "20000", "seconds": "12.5", "peak_mb": "900", **PROVENANCE}]
    text = page([run("a", "personae", 0, 20, 0.9)], tmp_path, scale)
    assert table_row(section(text, "Clustering many tracks"), "20000") == ["20000", "12.5", "900"]


def test_targets_of_length_memory_and_scale(tmp_path: Path) -> None:
    rows = [
        run("10 min", "personae", 0, 20, 0.9, film_s="600", ratio="0.03", peak_mib="1000"),
        run("30 min", "personae", 0, 20, 0.9, film_s="1800", ratio="0.41", peak_mib="1299"),
    ]
    scale = [{"tracks": "1000", "seconds": "1.1", "peak_mb": "400"} | PROVENANCE]
    found = section(page(rows, tmp_path, scale), "Targets")
    for target, measured, met in (
        ("30 min: at most 0.4", "0.41 ×", "**no**"),
        ("30 min: peak memory", "1.30 times, 1.27 GiB", "yes"),
        ("30 min: adapt and cluster", "2.10 s", "**no**"),
        ("1000 simulated tracks", "1.1 s, 0.4 GiB", "**no**"),
    ):
        (cells,) = (row.split(" | ") for row in found.splitlines() if row.startswith(f"| {target}"))
        assert cells[1:] == [measured, f"{met} |"]


def test_rows_with_the_former_stage_name_are_read(tmp_path: Path) -> None:
    rows = [
        run("a", "personae", 0, 20, 0.9, embed_s="3"),
        run("b", "personae", 0, 20, 0.9, encode_s="4"),
    ]
    stages = section(page(rows, tmp_path), "Stages")
    assert table_row(stages, "film")[2] == "encode"
    assert [table_row(stages, film)[2] for film in ("a", "b")] == ["3.0 s", "4.0 s"]


def test_page_without_results_has_a_message(tmp_path: Path) -> None:
    assert "Nothing has been measured yet" in page([], tmp_path)
