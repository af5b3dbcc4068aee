"""Measure the speed of `personae run`, stage by stage, and of other systems.

    python benchmarks/speed.py [--clips NAME ...] [--minutes M ...] [--repeats N] [--long-repeats N]
    [--again]

Every measurement is a new process with a new project folder: seconds from start to exit, processor
seconds of all threads, largest resident memory, and agreement with the labels. On each film the
systems take turns, so that other load of the machine affects all alike. Films of so many minutes
are made by long_film.py. Every result is written to results/speed.csv at once. A result from the
same commit of src/ on the same kind of machine is not measured again unless `--again` is given, so
that an interrupted call can be continued.
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
from long_film import DEFAULT_FOLDER, make_long_film
from measure import RESULTS, Cost, ResultFile, measure_cost
from personae.metrics.hand_labels import read_labels, read_tracks, score_tracks
from personae.project import Project
from personae.project.manifest import STAGES
from personae.scan import probe
from variants import LabelledFilm

PIPELINE = str(Path(__file__).with_name("pipeline.py"))
LONG_FILM_S = 240.0
"""Longer films are measured `--long-repeats` times."""
KEY = ("film", "system", "repeat")
PRINTED_COLUMNS = (
    *("film", "system", "repeat", "wall_s", "cpu_s", "peak_mib"),
    *("ratio", "tracks", "B3F", "note"),
)


@dataclass(frozen=True)
class Measurement:
    """The cost of a system on a film, the path of its faces, and further values."""

    cost: Cost
    faces: Path
    values: dict[str, object]


def measure_personae(film: Path, folder: Path) -> Measurement:
    """Run the command as a user would; seconds per stage are those of the project's records."""
    project, faces = folder / "film.personae", folder / "faces.csv"
    cost = measure_cost([*COMMAND, "run", str(film), "-o", str(project), "--quiet"])
    measure_cost([*COMMAND, "export", "faces", str(project), "-o", str(faces)])
    records = Project.open(project).manifest.stages
    seconds = {f"{stage}_s": records[stage].seconds for stage in STAGES if stage in records}
    return Measurement(
        cost,
        faces,
        {
            **seconds,
            "outside_s": round(cost.wall_s - sum(seconds.values()), 2),
            "tracks": records["scan"].facts["tracks"],
            "crops": records["scan"].facts["crops"],
        },
    )


def measure_pipeline(film: Path, folder: Path) -> Measurement:
    """Run the usual pipeline with the detector and the network of `personae`."""
    faces = folder / "faces.csv"
    command = [sys.executable, PIPELINE, str(film), "--csv", str(faces)]
    return Measurement(measure_cost(command), faces, {})


def measure_face_recognition(film: Path, folder: Path) -> Measurement:
    """Run the usual pipeline with the package face_recognition."""
    faces = folder / "faces.csv"
    command = [sys.executable, PIPELINE, str(film), "--csv", str(faces)]
    return Measurement(measure_cost([*command, "--with", "face_recognition"]), faces, {})


@dataclass(frozen=True)
class System:
    """A system that finds a film's cast."""

    measure: Callable[[Path, Path], Measurement]
    package: str
    """Package that it needs."""
    max_film_s: float
    """Longer films are skipped, because they would take hours."""


SYSTEMS = {
    "personae": System(measure_personae, "personae", float("inf")),
    "pipeline": System(measure_pipeline, "personae", 700.0),
    "face_recognition": System(measure_face_recognition, "face_recognition", LONG_FILM_S),
}


def load_films(options: argparse.Namespace) -> Iterator[tuple[str, LabelledFilm]]:
    """Yield the chosen films that are present; long ones are made."""
    for name in CLIPS if options.clips is None else options.clips:
        clip = CLIPS[name]
        if clip.present:
            yield name, LabelledFilm(clip.video, read_labels(clip.labels))
        else:
            print(f"{name}: not here, left out", file=sys.stderr)
    for minutes in options.minutes:
        yield f"{minutes:g} min", make_long_film(minutes, options.to)


def measure_system(film: LabelledFilm, system: str) -> dict[str, object]:
    """Run a system on a film and return the values of its row."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        measurement = SYSTEMS[system].measure(film.path, Path(folder))
        score = score_tracks(film.labels, read_tracks(measurement.faces))
    film_s = probe(film.path).duration_s
    return {
        "film_s": round(film_s, 2),
        **asdict(measurement.cost),
        "ratio": round(measurement.cost.wall_s / film_s, 3),
        **measurement.values,
        "found": round(score.found / score.faces, 4),
        "WCP": round(score.wcp, 4),
        "PCR": round(score.pcr, 3),
        "B3F": round(score.bcubed.f, 4),
        "load_before": round(load, 2),
    }


def select_installed(systems: list[str], results: ResultFile) -> list[str]:
    """Return the systems whose package is installed, and note the others in the results."""
    installed = []
    for system in systems:
        package = SYSTEMS[system].package
        if importlib.util.find_spec(package):
            installed.append(system)
            results.remove(film="", system=system)
        elif not any(row["system"] == system and row.get("wall_s") for row in results.rows):
            note = f"not measured: the package {package} is not installed"
            print(f"{system}: {note}", flush=True)
            results.put(film="", system=system, repeat="", note=note)
    return installed


def measure_all(options: argparse.Namespace, results: ResultFile) -> bool:
    """Measure whatever is missing and print the rows; return whether all commands succeeded."""
    succeeded, systems = True, select_installed(options.systems, results)
    for name, film in load_films(options):
        film_s = probe(film.path).duration_s
        for repeat in range(options.long_repeats if film_s > LONG_FILM_S else options.repeats):
            for system in systems:
                key = {"film": name, "system": system, "repeat": repeat, "file": film.path.name}
                measured = not options.again and results.contains(**key)
                if film_s > SYSTEMS[system].max_film_s or measured:
                    continue
                print(f"{name}, {system}, {film.path} ...", file=sys.stderr, flush=True)
                try:
                    row = results.put(**key, **measure_system(film, system))
                except subprocess.CalledProcessError as error:
                    row = results.put(**key, note=f"failed with exit status {error.returncode}")
                    succeeded = False
                cells = (f"{name} {row[name]}" for name in PRINTED_COLUMNS if row.get(name))
                print("  ".join(cells), flush=True)
    return succeeded


def main() -> None:
    """Measure whatever is missing."""
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
    parser.add_argument("--again", action="store_true", help="measure present results again")
    parser.add_argument(
        "--to",
        type=Path,
        default=DEFAULT_FOLDER,
        help=f"folder for films (default: {DEFAULT_FOLDER})",
    )
    parser.add_argument("--csv", type=Path, default=RESULTS / "speed.csv")
    options = parser.parse_args()
    started = time.monotonic()
    succeeded = measure_all(options, ResultFile(options.csv, KEY))
    print(f"took {(time.monotonic() - started) / 60:.1f} minutes; {options.csv}")
    sys.exit(not succeeded)


if __name__ == "__main__":
    main()
