"""Measure how many small faults in a room its own fast tests notice (mutation testing).

A mutant is a copy of one module with one small fault: a changed operator or constant, a dropped
argument or call (tools/mutants.py). Mutants run in forks of a process that has imported everything
but personae: each costs the time of its tests, and not that of importing torch. A mutant meets only
the tests that reach its line in the unharmed code. Tests that start Python anew do not see it.

    python tools/mutation.py cluster --sample 400 --seed 0
"""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"  # before numpy: a fork keeps no thread pool
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # found anew in each fork, and not needed

import argparse
import ast
import importlib
import importlib.abc
import importlib.util
import pickle
import pkgutil
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType

import pytest
from coverage import Coverage

from mutants import Mutant, find_mutants

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("adapt", "cluster", "cues", "scan", "project")
SLACK_S, SLACK_FACTOR = 10.0, 5.0
"""A mutant may take this long beyond its tests' usual time, and this many times as long."""

MAX_MEMORY = 16 * 2**30
"""Address space of a mutant, in bytes; torch maps several GiB without using them."""

KILLED, SURVIVED, TIMEOUT, UNREACHED = "killed", "survived", "timeout", "unreached"


@dataclass
class Baseline:
    """What the tests of a room do to the unharmed code."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Of each test, by its node id."""

    reached: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    """File -> line -> the tests that run it."""

    modules: list[str] = field(default_factory=list)
    """What they import."""

    failed: list[str] = field(default_factory=list)


# --- Tests ----------------------------------------------------------------------------------------


class _Recorder:
    """A pytest plugin: the time of each test, and which lines it reaches."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.baseline = Baseline()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        start = time.perf_counter()
        result = yield
        self.baseline.seconds[item.nodeid] = time.perf_counter() - start
        self.coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.baseline.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.baseline.failed.append(report.nodeid)


def _pytest(arguments: Sequence[str], scratch: Path, plugins: Sequence[object] = ()) -> int:
    """Run pytest in this process, which has not imported personae."""
    from hypothesis import settings

    settings.register_profile("mutation", derandomize=True, deadline=None, database=None)
    settings.load_profile("mutation")
    fixed = ["-q", "-m", "not slow", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    fixed += ["-c", str(ROOT / "pyproject.toml"), f"--basetemp={scratch / 'pytest'}"]
    return int(pytest.main([*fixed, *arguments], plugins=list(plugins)))


def _fork(work: Callable[..., int], *arguments: object, quiet: bool = True) -> int:
    """Run `work(*arguments)` in a child with a session of its own, and return its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setsid()
        if quiet:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
        code = work(*arguments)
    except BaseException:
        if not quiet:
            raise
    finally:
        os._exit(code)


def _measure(room: str, scratch: Path) -> int:
    coverage = Coverage(
        data_file=str(scratch / "coverage"),
        include=[f"{ROOT}/src/personae/{room}/*"],
        config_file=False,
    )
    recorder = _Recorder(coverage)
    coverage.start()
    code = _pytest([f"{ROOT}/tests/{room}"], scratch, [recorder])
    coverage.stop()
    data, baseline = coverage.get_data(), recorder.baseline
    for name in data.measured_files():
        contexts = data.contexts_by_lineno(name)
        baseline.reached[name] = {line: set(tests) - {""} for line, tests in contexts.items()}
    baseline.modules = [m for m in sys.modules if not m.startswith(("personae", "helpers", "test"))]
    (scratch / "baseline").write_bytes(pickle.dumps(baseline))
    return code


def measure(room: str, scratch: Path, allow_failing: bool) -> Baseline:
    """Run the tests of a room on the unharmed code, and import here what they import."""
    child = _fork(_measure, room, scratch, quiet=False)
    os.waitpid(child, 0)
    baseline: Baseline = pickle.loads((scratch / "baseline").read_bytes())
    if (baseline.failed and not allow_failing) or not baseline.seconds:
        raise SystemExit(f"The tests of {room} fail on the unharmed code: {baseline.failed[:5]}")
    for test in baseline.failed:
        print(f"left out, since it fails on the unharmed code: {test}", file=sys.stderr)
        baseline.seconds.pop(test, None)
    for name in baseline.modules:
        try:
            importlib.import_module(name)
        except Exception:
            continue  # made up by a test, or importable only from its package
    _, status = os.waitpid(_fork(_run_tests, None, list(baseline.seconds), scratch), 0)
    if status != 0:
        raise SystemExit(f"The tests of {room} fail in a fork, though nothing was changed.")
    return baseline


def select_tests(mutant: Mutant, baseline: Baseline) -> list[str]:
    """List the tests that can notice a mutant, the quickest first.

    A line in a function is met by the tests that run it. A constant or a default is met by the
    tests that run a file of the room in which one of its names occurs.
    """
    lines = baseline.reached.get(str(mutant.path), {})
    if mutant.fault.in_function:
        tests = set().union(*(lines.get(line, set()) for line in mutant.fault.lines))
    else:
        tests = set().union(*lines.values())
        for name, others in baseline.reached.items():
            if mutant.fault.names & _names_in(name):
                tests |= set().union(*others.values())
    tests = {test for test in tests if test in baseline.seconds}
    return sorted(tests, key=lambda test: (baseline.seconds[test], test))


@cache
def _names_in(path: str) -> frozenset[str]:
    """Return every identifier of a module."""
    nodes = list(ast.walk(ast.parse(Path(path).read_text())))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return frozenset(names | {node.attr for node in nodes if isinstance(node, ast.Attribute)})


# --- Runs -----------------------------------------------------------------------------------------


class _MutantImporter(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Import one module from mutated source, and all others as usual."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        return importlib.util.spec_from_file_location(
            fullname,
            self.mutant.path,
            loader=self,
            submodule_search_locations=[str(self.mutant.path.parent)]
            if self.mutant.path.name == "__init__.py"
            else None,
        )

    def get_source(self, fullname: str) -> str:
        return self.mutant.source

    def is_package(self, fullname: str) -> bool:
        return self.mutant.path.name == "__init__.py"

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.mutant.source, str(self.mutant.path), "exec", dont_inherit=True)


def _run_tests(mutant: Mutant | None, tests: list[str], scratch: Path) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    os.chdir(scratch)
    if mutant is not None:
        sys.meta_path.insert(0, _MutantImporter(mutant))
    return _pytest(["-x", *(f"{ROOT}/{test}" for test in tests)], scratch)


def run_mutants(
    mutants: list[Mutant], baselines: dict[str, Baseline], jobs: int, minutes: float, scratch: Path
) -> dict[int, str]:
    """Test mutants in forks, `jobs` at once, until all are done or the time is up.

    Returns:
        Place in `mutants` -> outcome.
    """
    outcomes: dict[int, str] = {}
    running: dict[int, tuple[int, float, Path]] = {}
    waiting = list(enumerate(mutants))[::-1]
    end = time.monotonic() + 60 * minutes
    shown = time.monotonic()
    while running or (waiting and time.monotonic() < end):
        while waiting and len(running) < jobs and time.monotonic() < end:
            place, mutant = waiting.pop()
            baseline = baselines[mutant.room]
            tests = select_tests(mutant, baseline)
            if not tests:
                outcomes[place] = UNREACHED
                continue
            own = scratch / f"mutant-{place}"
            own.mkdir()
            usual = sum(baseline.seconds[test] for test in tests)
            deadline = time.monotonic() + SLACK_S + SLACK_FACTOR * usual
            running[_fork(_run_tests, mutant, tests, own)] = (place, deadline, own)
        for child, (place, deadline, own) in list(running.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                outcomes[place] = SURVIVED if status == 0 else KILLED
            elif time.monotonic() > deadline:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                outcomes[place] = TIMEOUT
            else:
                continue
            del running[child]
            shutil.rmtree(own, ignore_errors=True)
        if time.monotonic() - shown > 30:
            shown = time.monotonic()
            print(f"  {len(outcomes)} of {len(mutants)} mutants", file=sys.stderr, flush=True)
        time.sleep(0.005)
    return outcomes


def report(mutants: list[Mutant], outcomes: dict[int, str], totals: dict[str, int]) -> str:
    """Write the score of each room and its survivors as text."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for place, outcome in outcomes.items():
        counts[mutants[place].room][outcome] += 1
    lines = []
    for place in sorted(outcomes, key=lambda p: (str(mutants[p].path), mutants[p].fault.line)):
        mutant = mutants[place]
        if outcomes[place] in (SURVIVED, UNREACHED):
            where = f"{mutant.path.relative_to(ROOT)}:{mutant.fault.line}"
            lines += [f"{where}: {outcomes[place]}", f"  - {mutant.before}", f"  + {mutant.after}"]
    lines += ["", f"{'room':10} {'score':>7} {'tested':>7} {'of':>6} {'killed':>7} {'timeout':>8}"]
    lines[-1] += f" {'survived':>9} {'unreached':>10}"
    for room, total in totals.items():
        count = counts[room]
        tested = sum(count.values())
        score = (count[KILLED] + count[TIMEOUT]) / tested if tested else float("nan")
        lines.append(
            f"{room:10} {score:7.1%} {tested:7} {total:6} {count[KILLED]:7} {count[TIMEOUT]:8}"
            f" {count[SURVIVED]:9} {count[UNREACHED]:10}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rooms", nargs="*", default=ROOMS, help="packages below personae")
    parser.add_argument("--sample", type=int, help="mutants in all, drawn at random (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at once")
    parser.add_argument("--minutes", type=float, default=600, help="start none after this time")
    parser.add_argument(
        "--allow-failing", action="store_true", help="leave out tests that fail on unharmed code"
    )
    parser.add_argument("--out", type=Path, help="write the result here, too")
    options = parser.parse_args()

    rooms = options.rooms or ROOMS
    for room in rooms:  # now their dependencies are loaded; a fork imports personae anew
        package = importlib.import_module(f"personae.{room}")
        for found in pkgutil.walk_packages(package.__path__, f"personae.{room}."):
            importlib.import_module(found.name)
    for name in [m for m in sys.modules if m.split(".")[0] == "personae"]:
        del sys.modules[name]

    start = time.monotonic()
    share = None if options.sample is None else -(-options.sample // len(rooms))
    mutants: list[Mutant] = []
    totals, baselines = {}, {}
    with tempfile.TemporaryDirectory(prefix="mutation-") as temporary:
        scratch = Path(temporary)
        for room in rooms:
            baselines[room] = measure(room, scratch, options.allow_failing)
            folder = ROOT / "src/personae" / room
            drawn, totals[room] = find_mutants(folder, f"personae.{room}", share, options.seed)
            mutants += drawn
        random.Random(options.seed).shuffle(mutants)  # so that a run cut short is a sample, too
        ready = time.monotonic()
        outcomes = run_mutants(mutants, baselines, options.jobs, options.minutes, scratch)
    text = report(mutants, outcomes, totals)
    end = time.monotonic()
    text += f"\n\n{len(outcomes)} mutants in {end - ready:.0f} s, {ready - start:.0f} s to prepare"
    print(text)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
