"""Run `personae` on every labelled clip that is present, and score what it finds.

    python benchmarks/clips.py [CLIP ...] [--seeds N] [--method NAME] [--csv FILE] [-o FOLDER]

The clips are the shipped demo and, where they lie beside this repository (../shared, or $PERSONAE_SHARED),
a few real ones that cannot be shipped. Every clip goes through the command as a user would run it; the
figures come from the exported faces and the project's own records: seconds per stage, and their sum as a
multiple of the film's length (`ratio`). With several seeds, stages that a seed does not touch run once,
and the seconds shown are those of the run that did the work.
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
from typing import Any

from personae.metrics.hand_labels import read_labels, read_tracks, score
from personae.project import Project
from personae.project.manifest import STAGES

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PERSONAE_SHARED") or ROOT.parent / "shared") / "data" / "video"
COMMAND = (sys.executable, "-m", "personae.cli")


@dataclass(frozen=True)
class Clip:
    """A film and its hand labels."""

    video: Path
    labels: Path

    @property
    def present(self) -> bool:
        """Whether both are here."""
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

SHOWN = (
    "clip",
    "seed",
    "found",
    "faces",
    "WCP",
    "PCR",
    "B3F",
    "strays",
    *(f"{s}_s" for s in STAGES),
    "ratio",
)
"""The columns that are printed; the file has all of them."""


def run(clip: Clip, folder: Path, seed: int, method: str | None) -> dict[str, Any]:
    """Run one clip into `folder` and return its row of the table; CalledProcessError if it fails."""
    wanted = () if method is None else ("--method", method)
    settings = ("--seed", str(seed), *wanted, "--quiet")
    subprocess.run([*COMMAND, "run", str(clip.video), "-o", str(folder), *settings], check=True)
    faces = folder.with_suffix(".faces.csv")
    subprocess.run([*COMMAND, "export", "faces", str(folder), "-o", str(faces)], check=True)
    result = score(read_labels(clip.labels), read_tracks(faces))
    project = Project.open(folder)
    stages = project.manifest.stages
    seconds = {stage: stages[stage].seconds for stage in STAGES if stage in stages}
    return {
        "found": result.found,
        "placed": result.placed,
        "faces": result.faces,
        "people": result.people,
        "characters": result.characters,
        "strays": result.strays,
        "tracks": result.tracks,
        "WCP": round(result.wcp, 4),
        "PCR": round(result.pcr, 3),
        "B3P": round(result.bcubed.precision, 4),
        "B3R": round(result.bcubed.recall, 4),
        "B3F": round(result.bcubed.f, 4),
        **{
            f"{stage}_s": round(seconds[stage], 1) if stage in seconds else None for stage in STAGES
        },
        "ratio": round(sum(seconds.values()) / project.source.duration_s, 2),
    }


def rows(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    """Run every wanted clip that is present with every seed."""
    for name in options.clips or CLIPS:
        clip = CLIPS[name]
        if not clip.present:
            print(f"{name}: not here, left out", file=sys.stderr)
            continue
        for seed in range(options.seeds):
            # A folder for each method: one that needs fewer stages must not show another's seconds.
            own = name if options.method is None else f"{name}-{options.method}"
            figures = run(clip, folder / f"{own}.personae", seed, options.method)
            yield {"clip": name, "seed": seed, **figures}


def line(cells: Iterable[Any]) -> str:
    """One line of the printed table: the clip's name, then right-aligned figures."""
    name, *figures = ("" if cell is None else str(cell) for cell in cells)
    return f"{name:<20}" + "".join(f"{figure:>10}" for figure in figures)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "clips", nargs="*", metavar="CLIP", help=f"of {', '.join(CLIPS)}; all when none is named"
    )
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0 (default: 1)")
    parser.add_argument("--method", help="clustering method (default: the command's own)")
    parser.add_argument("--csv", type=Path, help="write all figures to this file")
    parser.add_argument("-o", "--output", type=Path, help="keep the project folders here")
    options = parser.parse_args()
    if unknown := set(options.clips) - set(CLIPS):
        parser.error(f"no clip is called {', '.join(sorted(unknown))}")
    print(line(SHOWN))
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.output or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        table = []
        for row in rows(options, folder):
            print(line(row[column] for column in SHOWN), flush=True)
            table.append(row)
    if options.csv and table:
        with open(options.csv, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)


if __name__ == "__main__":
    main()
