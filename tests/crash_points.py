"""Kill a run at every point where it touches the disk, go on, and compare with an uninterrupted run.

    python tests/crash_points.py FOLDER [STEP]

Stand-ins take the slow rooms' places. A point is a call that syncs, renames, removes or makes a file or
folder, or a call of the hook. The process kills itself there with SIGKILL; at a sync the file is cut in half
first, as a machine that loses power may leave it. With STEP, only every STEP-th point is tried. Prints one
JSON object: how many points there are, and which went wrong and how.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import fake_rooms

fake_rooms.install()

# Parent and children share these imports; no thread may start before the forks.
import cv2  # noqa: E402, F401
import pyarrow.parquet  # noqa: E402, F401
import safetensors.numpy  # noqa: E402, F401

import personae.pipeline.runner as runner  # noqa: E402
from personae.pipeline.settings import Settings  # noqa: E402

SETTINGS = Settings.of(iterations=2)


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

    def _counted(self, real: Any, name: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            self.event(given[0] if name == "fsync" else None)
            return real(*given, **named)

        return call

    def hook(self, stage: str, done: int, total: int | None, **facts: object) -> None:
        self.event()


def in_child(work: Any) -> int:
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
    earlier = (
        place / "earlier"
    )  # the same film run with other settings before: every stage is replaced
    in_child(lambda: runner.run(film, expected, SETTINGS))
    in_child(lambda: runner.run(film, earlier, Settings.of(iterations=1, stride=2)))
    wanted, wrong, points = results(expected), {}, {}
    for start, before in (("new", None), ("replacing", earlier)):
        for point in range(1, 10_000, step):
            folder = place / f"{start}-{point}"
            if before is not None:
                shutil.copytree(before, folder)

            def killed(folder: Path = folder, point: int = point) -> None:
                countdown = Countdown(point)
                countdown.watch()
                runner.run(film, folder, SETTINGS, countdown.hook)

            code = in_child(killed)
            if code == 0:
                break
            again = in_child(lambda folder=folder: runner.run(film, folder, SETTINGS))
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
