"""Kill a run at every point where it touches the disk, go on, and compare the results.

    PYTHONPATH=tests python -m helpers.crash_points FOLDER [STEP]

Fakes take the places of the slow rooms. A point is a call that syncs, renames, removes or makes a
file or folder, or a call of the hook. The process kills itself there with SIGKILL; at a sync the
file is cut in half first, as a machine that loses power may leave it. With STEP, only every
STEP-th point is tried. Prints one JSON object: how many points there are, and which went wrong.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

# Parent and children share these imports; no thread may start before the forks.
import cv2  # noqa: F401
import pyarrow.parquet  # noqa: F401
import safetensors.numpy  # noqa: F401

from helpers.fake_stages import FAKE_STAGES
from personae.core.hooks import Hook, silent_hook
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings

SETTINGS = Settings.from_flat(iterations=2)


def run_fakes(
    film: Path, folder: Path, settings: Settings = SETTINGS, hook: Hook = silent_hook
) -> None:
    run(film, folder, settings, hook, FAKE_STAGES)


class Countdown:
    """Kills the process at its n-th event."""

    def __init__(self, point: int) -> None:
        self.left = point

    def event(self, descriptor: int | None = None) -> None:
        self.left -= 1
        if self.left == 0:
            if descriptor is not None and not os.path.isdir(f"/proc/self/fd/{descriptor}"):
                os.truncate(f"/proc/self/fd/{descriptor}", os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        for name in ("replace", "rename", "mkdir", "unlink", "rmdir", "fsync"):
            setattr(os, name, self._counted(getattr(os, name), name))

    def _counted(self, real: Callable[..., object], name: str) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            self.event(given[0] if name == "fsync" else None)
            return real(*given, **named)

        return call

    def hook(self, stage: str, done: int, total: int | None, **facts: object) -> None:
        self.event()


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked process; its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def results(folder: Path) -> dict[str, str]:
    """What a reader of the folder could see: every file's hash, and the digests of the stages."""
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "project.json"
    }
    stages = json.loads((folder / "project.json").read_text())["stages"]
    return {**found, **{stage: record["digest"] for stage, record in stages.items()}}


def main(place: Path, step: int) -> None:
    film = place / "a.mp4"
    film.write_bytes(b"film" * 50)
    expected = place / "expected"
    # the same film run with other settings before: every stage is replaced
    earlier = place / "earlier"
    in_child(lambda: run_fakes(film, expected))
    in_child(lambda: run_fakes(film, earlier, Settings.from_flat(iterations=1, stride=2)))
    wanted, wrong, points = results(expected), {}, {}
    for start, before in (("new", None), ("replacing", earlier)):
        for point in range(1, 10_000, step):
            folder = place / f"{start}-{point}"
            if before is not None:
                shutil.copytree(before, folder)

            def killed(folder: Path = folder, point: int = point) -> None:
                countdown = Countdown(point)
                countdown.watch()
                run_fakes(film, folder, hook=countdown.hook)

            code = in_child(killed)
            if code == 0:
                break
            again = in_child(lambda folder=folder: run_fakes(film, folder))
            if code != -signal.SIGKILL or again != 0:
                wrong[f"{start} {point}"] = f"first run ended with {code}, second with {again}"
            elif results(folder) != wanted:
                got = results(folder)
                differing = {name for name in {*wanted, *got} if wanted.get(name) != got.get(name)}
                wrong[f"{start} {point}"] = f"differs in {sorted(differing)}"
            shutil.rmtree(folder)
        points[start] = point - step
    print(json.dumps({"points": points, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
