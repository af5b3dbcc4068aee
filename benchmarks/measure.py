"""What a command costs, on which machine, at which commit; and tables of such figures that survive a stop.

    python benchmarks/measure.py FILE.csv COMMAND ...

runs a command that writes FILE.csv, and adds to its rows when, where and of which commit they are; it does
nothing if the file is from the same commit of src/ on the same kind of machine already.
"""

from __future__ import annotations

import csv
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from personae.core.compute import usable_cores

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LIBRARIES = ("torch", "onnxruntime", "av", "opencv-python", "numpy", "scipy")
SOURCES = ("src", "pyproject.toml", "constraints.txt")
"""What a result depends on, for its commit."""
SAME = ("commit", "cpu", "cores", "gpu")
"""Circumstances under which a result need not be taken again."""

GIT = ("git", "-C", str(ROOT))
Row = dict[str, str]


@dataclass(frozen=True)
class Cost:
    """What a process and its children took."""

    wall_s: float
    cpu_s: float
    """Of all threads, in user and system mode."""
    peak_mib: float
    """Largest resident memory."""


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command in a fresh process; CalledProcessError if it fails.

    The peak counts from the moment of starting, when the process still shares the memory of this one: call it
    from a small process.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.terminate()
        raise
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Cost(
        round(wall, 2), round(usage.ru_utime + usage.ru_stime, 2), round(usage.ru_maxrss / 1024, 1)
    )


@dataclass(frozen=True)
class Circumstances:
    """When, where and of what a result was taken."""

    commit: str
    """Last commit of what a result depends on, with "+" if it has been changed since."""
    date: str
    command: str
    """How the measuring script was called."""
    cpu: str
    cores: int
    memory_gib: float
    gpu: str
    """Empty where there is none."""
    platform: str
    python: str
    libraries: str

    @classmethod
    def now(cls) -> Circumstances:
        """Describe this machine and this state of the repository."""
        changed = _said(*GIT, "status", "--porcelain", "--untracked-files=no", "--", *SOURCES)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return cls(
            commit=(_said(*GIT, "log", "-1", "--format=%h", "--", *SOURCES) or "unknown")
            + ("+" if changed else ""),
            date=datetime.now(UTC).date().isoformat(),
            command=shlex.join(
                [
                    os.path.relpath(sys.argv[0], ROOT),
                    *(Path(a).name if a[:1] == "/" else a for a in sys.argv[1:]),
                ]
            ),
            cpu=_cpu(),
            cores=usable_cores(),
            memory_gib=round(memory, 1),
            gpu=_said("nvidia-smi", "--query-gpu=name", "--format=csv,noheader"),
            platform=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            libraries=" ".join(f"{name} {_version(name)}" for name in LIBRARIES),
        )


class Ledger:
    """A CSV of results that is written whenever a row comes in; a row replaces the one of the same key."""

    def __init__(self, path: Path, key: tuple[str, ...]) -> None:
        self.path, self.key = path, key
        self.rows = read_rows(path)
        self._now = {name: str(value) for name, value in asdict(Circumstances.now()).items()}

    def has(self, **key: object) -> bool:
        """Tell whether there is a row for a key from the present commit on such a machine.

        Never so while the sources have changes that are not committed.
        """
        wanted = {**_texts(key), **{name: self._now[name] for name in SAME}}
        committed = not self._now["commit"].endswith("+")
        return committed and any(
            row.items() >= wanted.items() and not row.get("note") for row in self.rows
        )

    def stamp(self) -> None:
        """Complete rows that something else has written to the file by the circumstances."""
        self.rows = [{**row, **self._now} for row in read_rows(self.path)]
        write_rows(self.path, self.rows)

    def drop(self, **key: str) -> None:
        """Forget what was put down for a key."""
        self.rows = [row for row in self.rows if not row.items() >= key.items()]

    def put(self, **figures: object) -> Row:
        """Put down a row, completed by the circumstances."""
        row = {**_texts(figures), **self._now}
        key = {name: row.get(name, "") for name in self.key}
        self.drop(**key)
        self.rows.append(row)
        write_rows(self.path, self.rows)
        return row


def read_rows(path: Path) -> list[Row]:
    """Read a CSV's rows; none if there is no such file."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as a CSV with all columns that any of them has, in one stroke."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        in_one_stroke(path) as unfinished,
        open(unfinished, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def in_one_stroke(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there when all has gone well becomes `path`."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    yield unfinished
    unfinished.replace(path)


def _texts(figures: dict[str, object]) -> Row:
    return {name: "" if value is None else str(value) for name, value in figures.items()}


def _said(*command: str) -> str:
    """Give what a command prints; nothing where it is not there."""
    try:
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except FileNotFoundError:
        return ""
    return result.stdout.strip()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        "unknown",
    )


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "-"


def main() -> None:
    """Run a command that writes a CSV, unless that is up to date."""
    path, *command = sys.argv[1:]
    ledger = Ledger(Path(path), ())
    if ledger.has():
        print(f"{path} is up to date")
    else:
        subprocess.run(command, check=True)
        ledger.stamp()


if __name__ == "__main__":
    main()
