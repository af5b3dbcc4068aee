"""Cost of a command, provenance of results, and CSV files of results that survive interruption.

    python benchmarks/measure.py FILE.csv COMMAND ...

runs a command that writes FILE.csv, and adds provenance to its rows: date, machine and commit. It
does nothing if the file is already from the same commit of src/ on the same kind of machine.
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

from personae.core.compute import count_usable_cores

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LIBRARIES = ("torch", "onnxruntime", "av", "opencv-python", "numpy", "scipy")
SOURCES = ("src", "pyproject.toml", "constraints.txt")
"""The files whose last commit is the commit of a result."""
COMPARABLE_COLUMNS = ("commit", "cpu", "cores", "gpu")
"""Results that agree in these columns are comparable, and need not be measured again."""

GIT = ("git", "-C", str(ROOT))
Row = dict[str, str]


@dataclass(frozen=True)
class Cost:
    """Resources used by a process and its children."""

    wall_s: float
    cpu_s: float
    """Of all threads, in user and system mode."""
    peak_mib: float
    """Largest resident memory."""


def measure_cost(command: Sequence[str]) -> Cost:
    """Run a command in a new process and measure its cost.

    The peak counts from the moment of forking, when the process still shares the memory of this
    one, so this should be a small process.

    Raises:
        CalledProcessError: the command fails.
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
class Provenance:
    """When, where and from which code a result was measured."""

    commit: str
    """Last commit of `SOURCES`, with "+" if they have been changed since."""
    date: str
    command: str
    """Command line of the measuring script."""
    cpu: str
    cores: int
    memory_gib: float
    gpu: str
    """Empty without one."""
    platform: str
    python: str
    libraries: str

    @classmethod
    def now(cls) -> Provenance:
        """Describe this machine and the present state of the repository."""
        changed = _output_of(*GIT, "status", "--porcelain", "--untracked-files=no", "--", *SOURCES)
        commit = _output_of(*GIT, "log", "-1", "--format=%h", "--", *SOURCES) or "unknown"
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        arguments = [Path(a).name if a[:1] == "/" else a for a in sys.argv[1:]]
        return cls(
            commit=commit + ("+" if changed else ""),
            date=datetime.now(UTC).date().isoformat(),
            command=shlex.join([os.path.relpath(sys.argv[0], ROOT), *arguments]),
            cpu=_cpu_name(),
            cores=count_usable_cores(),
            memory_gib=round(memory, 1),
            gpu=_output_of("nvidia-smi", "--query-gpu=name", "--format=csv,noheader"),
            platform=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            libraries=" ".join(f"{name} {_library_version(name)}" for name in LIBRARIES),
        )


class ResultFile:
    """A CSV file of results, written after every row; a row replaces that of the same key."""

    def __init__(self, path: Path, key: tuple[str, ...]) -> None:
        self.path, self.key = path, key
        self.rows = read_rows(path)
        self._provenance = {name: str(value) for name, value in asdict(Provenance.now()).items()}

    def contains(self, **key: object) -> bool:
        """Return whether there is a comparable row with some values.

        It is False as long as the sources have uncommitted changes.
        """
        wanted = {**_texts(key), **{name: self._provenance[name] for name in COMPARABLE_COLUMNS}}
        committed = not self._provenance["commit"].endswith("+")
        return committed and any(
            row.items() >= wanted.items() and not row.get("note") for row in self.rows
        )

    def add_provenance(self) -> None:
        """Add provenance to rows that a command has written to the file."""
        self.rows = [{**row, **self._provenance} for row in read_rows(self.path)]
        write_rows(self.path, self.rows)

    def remove(self, **key: str) -> None:
        """Remove the rows with some values; the file is written with the next row."""
        self.rows = [row for row in self.rows if not row.items() >= key.items()]

    def put(self, **values: object) -> Row:
        """Write a row with its provenance, and return it."""
        row = {**_texts(values), **self._provenance}
        self.remove(**{name: row.get(name, "") for name in self.key})
        self.rows.append(row)
        write_rows(self.path, self.rows)
        return row


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a CSV file; none if the file does not exist."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows to a CSV file, with the columns of all of them."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        replace_when_done(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def replace_when_done(path: Path) -> Iterator[Path]:
    """Yield a temporary path, whose file or folder is renamed to `path` if the block succeeds."""
    temporary = path.with_suffix(f".{os.getpid()}")
    yield temporary
    temporary.replace(path)


def _texts(values: dict[str, object]) -> Row:
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _output_of(*command: str) -> str:
    """Return the output of a command, "" if it does not exist."""
    try:
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except FileNotFoundError:
        return ""
    return result.stdout.strip()


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")


def _library_version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "-"


def main() -> None:
    """Run a command that writes a CSV file, unless that is up to date."""
    path, *command = sys.argv[1:]
    results = ResultFile(Path(path), ())
    if results.contains():
        print(f"{path} is up to date")
    else:
        subprocess.run(command, check=True)
        results.add_provenance()


if __name__ == "__main__":
    main()
