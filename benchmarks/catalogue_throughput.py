"""Throughput of `personae catalogue run` on this machine.

`films` runs cuts of the demo film (each one's content differs) in new catalogues: one at a time in
one process with all cores, then on Ray with one worker a core. `pieces` scans one film in one go
and in pieces, each part on one core, and runs it on two workers in one piece and in two. `database`
measures how many films a second workers claim and finish, on SQLite and on PostgreSQL where it is
installed. `storage` measures how quickly this machine's disk writes and reads a file.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "examples" / "demo.mp4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    films = verbs.add_parser("films", help="one at a time against two workers")
    films.add_argument("--films", type=int, default=4)
    films.add_argument("--seconds", type=float, default=15.0, help="of each cut")
    pieces = verbs.add_parser("pieces", help="one film in pieces")
    pieces.add_argument("--film", type=Path, default=DEMO)
    pieces.add_argument("--pieces", type=int, default=4)
    pieces.add_argument("--without-ray", action="store_true", help="only the parts of the scan")
    verbs.add_parser("database", help="claims a second")
    verbs.add_parser("storage", help="bytes a second")
    options = parser.parse_args()
    {
        "films": lambda: measure_films(options.films, options.seconds),
        "pieces": lambda: measure_pieces(options.film, options.pieces, options.without_ray),
        "database": measure_database,
        "storage": measure_storage,
    }[options.verb]()


def measure_films(count: int, seconds: float) -> None:
    """Print how long some films take, one at a time and two at a time."""
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "films"
        folder.mkdir()
        length = cut_demo(folder, count, seconds)
        print(f"{count} cuts of the demo film, {length:.0f} s together; {cores} cores")
        print(f"load of the machine before: {os.getloadavg()[0]:.1f} (0: nothing else runs)")
        print("| how | wall | x film | films an hour |")
        print("| --- | --- | --- | --- |")
        walls = {}
        for how, words in (
            ("in this process, one at a time, all cores", ["--in-process"]),
            ("Ray, 1 worker with all cores", ["--workers", "1"]),
            (f"Ray, {cores} workers with 1 core", ["--workers", str(cores)]),
        ):
            catalogue = Path(scratch) / f"catalogue{len(walls)}"
            command(["init", catalogue])
            command(["add", catalogue, folder])
            wall = command(["run", catalogue, *words, "--quiet"])
            walls[how] = wall
            print(
                f"| {how} | {wall:.1f} s | {wall / length:.2f} | {3600 * count / wall:.0f} |",
                flush=True,
            )
        first, *_, last = walls.values()
        print(f"{cores} workers are {first / last:.2f} times as fast as one at a time.")


def measure_pieces(film: Path, count: int, without_ray: bool) -> None:
    """Print how long the parts of a scan in pieces take, and what two workers gain by them."""
    os.environ["OMP_NUM_THREADS"] = "1"
    from personae.core.hooks import silent_hook
    from personae.pipeline.scan_pieces import join_pieces, write_piece
    from personae.pipeline.settings import Settings
    from personae.project.crop_store import CropsWriter
    from personae.scan import scan_film
    from personae.scan.film_range import FilmRange, divide_film

    print(f"{film.name}; load of the machine before: {os.getloadavg()[0]:.1f}")
    settings = Settings()
    with tempfile.TemporaryDirectory() as scratch, CpuClock() as clock:
        whole, joined = Path(scratch) / "whole.parquet", Path(scratch) / "joined.parquet"
        with CropsWriter(whole) as crops:
            scan_film(film, settings.scan, crop_sink=crops.add)
        clock.lap("scan in one go")
        ranges: list[FilmRange] = []
        film_pass = divide_film(film, count, ranges.append)
        clock.lap("pass that finds the shots")
        folders = [Path(scratch) / str(one.number) for one in ranges]
        for one, folder in zip(ranges, folders, strict=True):
            folder.mkdir()
            write_piece(film, one, settings, folder, silent_hook)
            clock.lap(f"piece {one.number}, {one.frames} frames")
        with CropsWriter(joined) as crops:
            join_pieces(folders, film_pass, crops.add)
        clock.lap("join")
        same = whole.read_bytes() == joined.read_bytes()
        print(f"The crops are {'the same to the byte' if same else 'NOT the same'}.")
    if without_ray:
        return
    with tempfile.TemporaryDirectory() as scratch:
        walls = []
        for pieces in (1, 2):
            catalogue = Path(scratch) / f"catalogue{pieces}"
            command(["init", catalogue, "--depth", "head"])
            command(["add", catalogue, film])
            wall = command(["run", catalogue, "--workers", "2", "--pieces", str(pieces), "--quiet"])
            walls.append(wall)
            print(f"catalogue run, 2 workers, pieces: {pieces}: {wall:.1f} s", flush=True)
        print(f"Two pieces are {walls[0] / walls[1]:.2f} times as fast as one.")


class CpuClock:
    """Prints the wall and processor seconds of one thing after the other."""

    def __enter__(self) -> CpuClock:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        print("| what | wall | CPU |")
        print("| --- | --- | --- |")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def lap(self, what: str) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        print(f"| {what} | {wall - self._wall:.1f} s | {cpu - self._cpu:.1f} s |", flush=True)
        self._wall, self._cpu = wall, cpu


def cut_demo(folder: Path, count: int, seconds: float) -> float:
    """Write cuts of the demo film, each from another second on; return their seconds together."""
    import av

    total = 0.0
    for number in range(count):
        with av.open(str(DEMO)) as film:
            duration = film.duration / 1e6
            start = number * (duration - seconds) / max(1, count - 1)
            source = film.streams.video[0]
            with av.open(str(folder / f"cut{number}.mp4"), "w") as out:
                target = out.add_stream("h264", rate=source.average_rate)
                target.width, target.height = source.width, source.height
                target.pix_fmt = "yuv420p"
                film.seek(int(start / source.time_base), stream=source)
                frames = 0
                for frame in film.decode(source):
                    if frame.time < start:
                        continue
                    if frame.time >= start + seconds:
                        break
                    pixels = frame.to_ndarray(format="rgb24")
                    out.mux(target.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                    frames += 1
                out.mux(target.encode())
                total += frames / float(source.average_rate)
    return total


def command(words: list[object]) -> float:
    """Run the command, and return its seconds."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "personae.cli", "catalogue", *map(str, words)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def measure_database() -> None:
    """Print how many films a second are claimed, renewed once and finished."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.postgres_server import create_database, find_binaries, postgres_server

    print("| database | workers | films a second | ms a change |")
    print("| --- | --- | --- | --- |")
    for workers in (1, 8):
        measure_claims("SQLite", None, workers)
    binaries = find_binaries()
    if binaries is None:
        print("PostgreSQL is not installed here.")
        return
    with postgres_server(binaries, safe=True) as url:
        for workers in (1, 8, 32):
            measure_claims("PostgreSQL", create_database(url, f"claims{workers}"), workers)


def measure_claims(name: str, url: str | None, workers: int, count: int = 1000) -> None:
    from sqlalchemy import insert

    from personae.catalogue import create_catalogue, jobs, open_catalogue
    from personae.catalogue.schema import films

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "catalogue"
        with create_catalogue(folder, database=url) as catalogue:
            rows = [
                {
                    "path": f"/{number}",
                    "name": str(number),
                    "content_hash": str(number),
                    "size": 1,
                    "folder": str(number),
                    "added_at": 0.0,
                    "state": "waiting",
                    "attempts": 0,
                }
                for number in range(count)
            ]
            with catalogue.database.begin() as connection:
                connection.execute(insert(films), rows)

        def work(number: int) -> None:
            with open_catalogue(folder) as own:
                while job := jobs.claim_film(own, f"worker{number}"):
                    jobs.renew_lease(own.database, job, 60.0, "scan", 1, 2)
                    jobs.finish_film(own.database, job, 1.0)

        threads = [threading.Thread(target=work, args=[number]) for number in range(workers)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
    print(
        f"| {name} | {workers} | {count / seconds:.0f} | {1000 * seconds / count / 3:.2f} |",
        flush=True,
    )


def measure_storage(size: int = 1 << 30) -> None:
    """Print how quickly a file of a gibibyte is written to the disk, and read again."""
    block = os.urandom(1 << 24)
    with tempfile.NamedTemporaryFile(dir=ROOT) as file:
        started = time.perf_counter()
        for _ in range(size // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        wrote = time.perf_counter() - started
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        started = time.perf_counter()
        with open(file.name, "rb") as again:
            while again.read(1 << 24):
                pass
        read = time.perf_counter() - started
    print(f"written and synced: {size / wrote / 1e6:.0f} MB/s; read: {size / read / 1e6:.0f} MB/s")


if __name__ == "__main__":
    main()
