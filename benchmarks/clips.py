"""Run `personae` on every labelled clip that is present, and score the result.

    python benchmarks/clips.py [CLIP ...] [--seeds N] [--method NAME] [--csv FILE] [-o FOLDER]

The clips are the shipped demo and, where they lie beside this repository (../shared, or
$PERSONAE_SHARED), a few real ones that cannot be shipped. Every clip goes through the command line
as a user would run it. Scores come from the exported faces, seconds per stage from the project's
own records; `ratio` is their sum divided by the film's length. With several seeds, stages that do
not depend on the seed run once, and their seconds are repeated.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from personae.metrics.hand_labels import read_labels, read_tracks, score_tracks
from personae.project import Project
from personae.project.manifest import STAGES

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PERSONAE_SHARED") or ROOT.parent / "shared") / "data" / "video"
COMMAND = (sys.executable, "-m", "personae.cli")

Cell = str | int | float | None


@dataclass(frozen=True)
class Clip:
    """A film and its hand labels."""

    video: Path
    labels: Path

    @property
    def present(self) -> bool:
        """Return whether both files exist."""
        return self.video.exists() and self.labels.exists()


CLIPS = {
    clip.video.stem: clip
    for clip in (
        Clip(ROOT / "examples" / "demo.mp4", ROOT / "examples" / "demo_labels.csv"),
        Clip(SHARED / "intel_people.mp4", SHARED / "intel_annot_2fps.csv"),
        Clip(SHARED / "short_hamilton_clip.mp4", SHARED / "hamilton_annot_2fps.csv"),
        Clip(SHARED / "simplefr_Video_2.mp4", SHARED / "fotb_annot_2fps.csv"),
    )
}

PRINTED_COLUMNS = (
    *("clip", "seed", "found", "faces", "WCP", "PCR", "B3F", "strays"),
    *(f"{stage}_s" for stage in STAGES),
    "ratio",
)
"""The columns that are printed; the CSV file has all of them."""


def run_clip(clip: Clip, folder: Path, seed: int, method: str | None) -> dict[str, Cell]:
    """Run one clip into a project folder and return its row of the table.

    Raises:
        CalledProcessError: the command fails.
    """
    method_option = () if method is None else ("--method", method)
    settings = ("--seed", str(seed), *method_option, "--quiet")
    subprocess.run([*COMMAND, "run", str(clip.video), "-o", str(folder), *settings], check=True)
    faces = folder.with_suffix(".faces.csv")
    subprocess.run([*COMMAND, "export", "faces", str(folder), "-o", str(faces)], check=True)
    score = score_tracks(read_labels(clip.labels), read_tracks(faces))
    project = Project.open(folder)
    stages = project.manifest.stages
    seconds = {stage: stages[stage].seconds for stage in STAGES if stage in stages}
    return {
        "found": score.found,
        "placed": score.placed,
        "faces": score.faces,
        "people": score.people,
        "characters": score.characters,
        "strays": score.strays,
        "tracks": score.tracks,
        "WCP": round(score.wcp, 4),
        "PCR": round(score.pcr, 3),
        "B3P": round(score.bcubed.precision, 4),
        "B3R": round(score.bcubed.recall, 4),
        "B3F": round(score.bcubed.f, 4),
        **{
            f"{stage}_s": round(seconds[stage], 1) if stage in seconds else None for stage in STAGES
        },
        "ratio": round(sum(seconds.values()) / project.source.duration_s, 2),
    }


def run_clips(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Cell]]:
    """Run every chosen clip that is present with every seed, and yield the rows."""
    for name in options.clips or CLIPS:
        clip = CLIPS[name]
        if not clip.present:
            print(f"{name}: not here, left out", file=sys.stderr)
            continue
        for seed in range(options.seeds):
            # One folder per method: a method with fewer stages must not show another's seconds.
            stem = name if options.method is None else f"{name}-{options.method}"
            row = run_clip(clip, folder / f"{stem}.personae", seed, options.method)
            yield {"clip": name, "seed": seed, **row}


def format_line(cells: Iterable[Cell]) -> str:
    """Format a line of the printed table: the clip's name, then right-aligned values."""
    name, *values = ("" if cell is None else str(cell) for cell in cells)
    return f"{name:<20}" + "".join(f"{value:>10}" for value in values)


def main() -> None:
    """Run the clips and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "clips", nargs="*", metavar="CLIP", help=f"of {', '.join(CLIPS)}; default: all"
    )
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds, from 0 (default: 1)")
    parser.add_argument("--method", help="clustering method (default: that of the command)")
    parser.add_argument("--csv", type=Path, help="write all columns to this file")
    parser.add_argument("-o", "--output", type=Path, help="keep the project folders here")
    options = parser.parse_args()
    if unknown := set(options.clips) - set(CLIPS):
        parser.error(f"no clip is called {', '.join(sorted(unknown))}")
    print(format_line(PRINTED_COLUMNS))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.output or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for row in run_clips(options, folder):
            print(format_line(row[column] for column in PRINTED_COLUMNS), flush=True)
            rows.append(row)
    if options.csv and rows:
        with open(options.csv, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
