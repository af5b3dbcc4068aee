"""`benchmarks/performance_page.py` writes what the CSVs say and nothing else."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "performance_page.py"
HERE = {
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
    row |= {"cpu_s": str(2 * wall_s), "peak_mib": "500", "B3F": str(b3f)} | HERE
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


def line(text: str, *holds: str) -> list[str]:
    """Give the cells of the one table row that starts with these."""
    (found,) = (row for row in text.splitlines() if row.startswith("| " + " | ".join(holds) + " |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_median_of_the_repeats_stands_with_their_range(tmp_path: Path) -> None:
    text = page(
        [run("a", "personae", i, wall, 0.9) for i, wall in enumerate((30, 10, 20))], tmp_path
    )
    cells = line(section(text, "The command"), "a")
    assert cells[2:6] == ["3", "20.0 s (10.0 to 30.0)", "0.20", "40.0 s"]
    assert "A Chip, 2 cores" in text
    assert "abc1234" in text


@pytest.mark.parametrize(
    ("wall_s", "b3f", "met"),
    [(79, 0.9, "**no**"), (80, 0.9, "yes"), (80, 0.95, "**no**"), (200, 0.5, "yes")],
)
def test_the_target_asks_for_speed_and_accuracy(
    wall_s: float, b3f: float, met: str, tmp_path: Path
) -> None:
    text = page([run("a", "personae", 0, 20, 0.9), run("a", "pipeline", 0, wall_s, b3f)], tmp_path)
    (target,) = (
        row for row in section(text, "Targets").splitlines() if row.startswith("| a: at least 4")
    )
    assert target.endswith(f"| {met} |")
    assert f"{wall_s / 20:.2f} times" in target


def test_seconds_a_track_stand_beside_the_paper(tmp_path: Path) -> None:
    text = page([run("a", "personae", 0, 20, 0.9)], tmp_path)
    assert line(section(text, "Beside the paper"), "a")[1:] == ["2.00", "0.1000"]
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
    assert line(section(text, "Beside what people do without it"), "a", "pipeline")[7:] == ["", ""]


def test_repeats_of_an_older_commit_do_not_count(tmp_path: Path) -> None:
    rows = [run("a", "personae", 1, 90, 0.9, commit="old"), run("a", "personae", 0, 20, 0.9)]
    cells = line(section(page(rows, tmp_path), "The command"), "a")
    assert cells[2:4] == ["1", "20.0 s"]


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    rows = [
        run("a", "personae", 0, 20, 0.9, load_before="3.5"),
        run("a", "pipeline", 0, 90, 0.9),
        run("b", "personae", 0, 20, 0.9),
        {"film": "", "system": "face_recognition", "note": "the package is not installed", **HERE},
    ]
    missing = section(page(rows, tmp_path), "Not measured")
    assert "* pipeline on b." in missing
    assert "* face_recognition: the package is not installed." in missing
    assert "3.5" in missing
    assert "made-up tracks" in missing


def test_the_table_of_many_tracks_is_taken_over(tmp_path: Path) -> None:
    scale = [{"tracks": "20000", "seconds": "12.5", "peak_mb": "900", **HERE}]
    text = page([run("a", "personae", 0, 20, 0.9)], tmp_path, scale)
    assert line(section(text, "Clustering many tracks"), "20000") == ["20000", "12.5", "900"]


def test_targets_of_length_memory_and_scale(tmp_path: Path) -> None:
    rows = [
        run("10 min", "personae", 0, 20, 0.9, film_s="600", ratio="0.03", peak_mib="1000"),
        run("30 min", "personae", 0, 20, 0.9, film_s="1800", ratio="0.41", peak_mib="1299"),
    ]
    scale = [{"tracks": "1000", "seconds": "1.1", "peak_mb": "400"} | HERE]
    found = section(page(rows, tmp_path, scale), "Targets")
    for target, measured, met in (
        ("30 min: at most 0.4", "0.41 ×", "**no**"),
        ("30 min: peak memory", "1.30 times, 1.27 GiB", "yes"),
        ("30 min: adapt and cluster", "2.10 s", "**no**"),
        ("1000 made-up tracks", "1.1 s, 0.4 GiB", "**no**"),
    ):
        (cells,) = (row.split(" | ") for row in found.splitlines() if row.startswith(f"| {target}"))
        assert cells[1:] == [measured, f"{met} |"]


def test_a_page_of_nothing_says_so(tmp_path: Path) -> None:
    assert "Nothing has been measured yet" in page([], tmp_path)
