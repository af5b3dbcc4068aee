"""Measure how fast `personae run` is, stage by stage, beside what people do without it.

    python benchmarks/speed.py [--clips NAME ...] [--minutes M ...] [--repeats N] [--long-repeats N] [--again]

Every measurement is a fresh process with a fresh project folder: seconds from start to exit, processor
seconds of all threads, largest resident memory, and how well the result agrees with the labels. On each film
the systems take turns, so that whatever else the machine does falls on all alike. Films of so many minutes
are made by long_film.py. Every result is put down in results/speed.csv at once; what is there already, from
the same commit of src/ on the same kind of machine, is not measured again unless asked for: a stopped call
goes on.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from clips import CLIPS, COMMAND
from long_film import CACHE, long_film
from measure import RESULTS, Cost, Ledger, cost_of
from personae.metrics.hand_labels import read_labels, read_tracks, score
from personae.project import Project
from personae.project.manifest import STAGES
from personae.scan.video_reader import probe
from variants import Film

PIPELINE = str(Path(__file__).with_name("pipeline.py"))
LONG_S = 240.0
"""A film of more seconds is long: measured `--long-repeats` times."""
KEY = ("film", "system", "repeat")


@dataclass(frozen=True)
class Measured:
    """A system's cost on a film, where its faces are, and further figures."""

    cost: Cost
    faces: Path
    figures: dict[str, object]


def personae(film: Path, scratch: Path) -> Measured:
    """Run the command as a user would; its stages say themselves how long they took."""
    folder, faces = scratch / "film.personae", scratch / "faces.csv"
    cost = cost_of([*COMMAND, "run", str(film), "-o", str(folder), "--quiet"])
    cost_of([*COMMAND, "export", "faces", str(folder), "-o", str(faces)])
    records = Project.open(folder).manifest.stages
    seconds = {f"{stage}_s": records[stage].seconds for stage in STAGES if stage in records}
    return Measured(
        cost,
        faces,
        {
            **seconds,
            "outside_s": round(cost.wall_s - sum(seconds.values()), 2),
            "tracks": records["scan"].facts["tracks"],
            "crops": records["scan"].facts["crops"],
        },
    )


def pipeline(film: Path, scratch: Path) -> Measured:
    """Every frame, every face, average linkage, with the detector and network of `personae`."""
    faces = scratch / "faces.csv"
    return Measured(cost_of([sys.executable, PIPELINE, str(film), "--csv", str(faces)]), faces, {})


def face_recognition(film: Path, scratch: Path) -> Measured:
    """The same with the package face_recognition and dlib's Chinese whispers."""
    faces = scratch / "faces.csv"
    command = [
        sys.executable,
        PIPELINE,
        str(film),
        "--csv",
        str(faces),
        "--with",
        "face_recognition",
    ]
    return Measured(cost_of(command), faces, {})


@dataclass(frozen=True)
class System:
    """Something that finds a film's cast."""

    measure: Callable[[Path, Path], Measured]
    needs: str
    """Package without which it cannot run."""
    longest_s: float
    """Films of more seconds are not given to it: they would take hours."""


SYSTEMS = {
    "personae": System(personae, "personae", float("inf")),
    "pipeline": System(pipeline, "personae", 700.0),
    "face_recognition": System(face_recognition, "face_recognition", LONG_S),
}


def films(options: argparse.Namespace) -> Iterator[tuple[str, Film]]:
    """Give the wanted films that can be had, making the long ones."""
    for name in CLIPS if options.clips is None else options.clips:
        clip = CLIPS[name]
        if clip.present:
            yield name, Film(clip.video, read_labels(clip.labels))
        else:
            print(f"{name}: not here, left out", file=sys.stderr)
    for minutes in options.minutes:
        yield f"{minutes:g} min", long_film(minutes, options.to)


def measured(film: Film, system: str) -> dict[str, object]:
    """Let a system loose on a film and give the figures of its row."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        result = SYSTEMS[system].measure(film.path, Path(scratch))
        found = score(film.labels, read_tracks(result.faces))
    film_s = probe(film.path).duration_s
    return {
        "film_s": round(film_s, 2),
        **asdict(result.cost),
        "ratio": round(result.cost.wall_s / film_s, 3),
        **result.figures,
        "found": round(found.found / found.faces, 4),
        "WCP": round(found.wcp, 4),
        "PCR": round(found.pcr, 3),
        "B3F": round(found.bcubed.f, 4),
        "load_before": round(load, 2),
    }


def main() -> None:
    """Measure what is due and print every row as it comes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", nargs="*", choices=CLIPS, help="default: all that are present")
    parser.add_argument(
        "--minutes", nargs="*", type=float, default=[], help="lengths of long films"
    )
    parser.add_argument("--systems", nargs="*", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--repeats", type=int, default=3, help="of clips (default: 3)")
    parser.add_argument(
        "--long-repeats", type=int, default=1, help="of films over 4 minutes (default: 1)"
    )
    parser.add_argument("--again", action="store_true", help="measure also what is there already")
    parser.add_argument(
        "--to", type=Path, default=CACHE, help=f"folder for films (default: {CACHE})"
    )
    parser.add_argument("--csv", type=Path, default=RESULTS / "speed.csv")
    options = parser.parse_args()
    ledger, started = Ledger(options.csv, KEY), time.monotonic()
    usable, failed = [], False
    for system in options.systems:
        if importlib.util.find_spec(SYSTEMS[system].needs):
            usable.append(system)
            ledger.drop(film="", system=system)
        elif not any(row["system"] == system and row.get("wall_s") for row in ledger.rows):
            note = f"not measured: the package {SYSTEMS[system].needs} is not installed"
            print(f"{system}: {note}", flush=True)
            ledger.put(film="", system=system, repeat="", note=note)
    for name, film in films(options):
        seconds = probe(film.path).duration_s
        for repeat in range(options.long_repeats if seconds > LONG_S else options.repeats):
            for system in usable:
                key = {"film": name, "system": system, "repeat": repeat, "file": film.path.name}
                if seconds > SYSTEMS[system].longest_s or (not options.again and ledger.has(**key)):
                    continue
                print(f"{name}, {system}, {film.path} ...", file=sys.stderr, flush=True)
                try:
                    row = ledger.put(**key, **measured(film, system))
                except subprocess.CalledProcessError as error:
                    row = ledger.put(**key, note=f"failed with exit status {error.returncode}")
                    failed = True
                shown = (
                    "film",
                    "system",
                    "repeat",
                    "wall_s",
                    "cpu_s",
                    "peak_mib",
                    "ratio",
                    "tracks",
                    "B3F",
                    "note",
                )
                print("  ".join(f"{c} {row[c]}" for c in shown if row.get(c)), flush=True)
    print(f"took {(time.monotonic() - started) / 60:.1f} minutes; {options.csv}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
