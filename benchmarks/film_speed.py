"""Measure how long `personae reel` and `personae blur` take, in multiples of a film's length.

    python benchmarks/film_speed.py [FILM ...] [--heights H ...] [--to FOLDER]

Every film is enlarged or reduced to each height, gets a tone for its sound, and is scanned; this is
kept in the folder and not measured. The reel is that of the first character, of whole shots; the
copy hides everybody. Each measurement is a new process: seconds from start to exit, processor
seconds of all threads, largest resident memory, and both times divided by the length of the film
that was written. By default the film is the demo.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from clips import COMMAND
from measure import Cost, measure_cost

DEMO = Path(__file__).parents[1] / "examples" / "demo.mp4"
DEFAULT_FOLDER = Path(tempfile.gettempdir()) / "personae-film-speed"
SAMPLE_RATE = 48_000
COLUMNS = (
    "film",
    "height",
    "verb",
    "film_s",
    "wall_s",
    "cpu_s",
    "peak_mib",
    "wall/film",
    "cpu/film",
)


def scale_film(film: Path, height: int, path: Path) -> None:
    """Write a film in another size, with a tone for its sound."""
    with av.open(str(film)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        width = round(stream.width * height / stream.height / 2) * 2
        video = target.add_stream(
            "libx264", rate=stream.average_rate, options={"preset": "veryfast", "crf": "18"}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = video.time_base = stream.time_base
        sound = target.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        start_s, done = None, 0
        for frame in source.decode(stream):
            start_s = frame.time if start_s is None else start_s
            image = frame.reformat(width, height, "yuv420p")
            image.pts, image.time_base = frame.pts, frame.time_base
            image.pict_type = av.video.frame.PictureType.NONE
            target.mux(video.encode(image))
            place = np.arange(done, round((frame.time - start_s) * SAMPLE_RATE) + 1)
            tone = np.tile(np.sin(place * 0.05).astype(np.float32) / 4, (2, 1))
            part = av.AudioFrame.from_ndarray(tone, format="fltp", layout="stereo")
            part.sample_rate, part.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
            part.pts = done + round(start_s * SAMPLE_RATE)
            target.mux(sound.encode(part))
            done = int(place[-1]) + 1
        target.mux(video.encode())
        target.mux(sound.encode())


def length_s(film: Path) -> float:
    """Return the seconds from a film's first frame to the end of its last."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)


def measure_verbs(film: Path, folder: Path) -> dict[str, tuple[Path, Cost]]:
    """Return what each verb wrote and its cost."""
    project = film.with_suffix(".personae")
    quiet = ("--progress", "none", "--quiet")
    if not (project / "report.html").exists():
        measure_cost([*COMMAND, "run", str(film), "-o", str(project), "--method", "hac", *quiet])
    words = {"reel": ("P01", "--whole-shots"), "blur": ()}
    measured = {}
    for verb, arguments in words.items():
        out = folder / f"{film.stem}.{verb}.mp4"
        command = [*COMMAND, verb, str(project), *arguments, "-o", str(out), *quiet]
        measured[verb] = (out, measure_cost(command))
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="*", type=Path, default=[DEMO])
    parser.add_argument("--heights", nargs="*", type=int, default=[360, 720, 1080])
    parser.add_argument("--to", type=Path, default=DEFAULT_FOLDER)
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for film in given.films:
        for height in given.heights:
            scaled = given.to / f"{film.stem}-{height}.mp4"
            if not scaled.exists():
                part = scaled.with_suffix(".part.mp4")
                scale_film(film, height, part)
                part.rename(scaled)
            for verb, (out, cost) in measure_verbs(scaled, given.to).items():
                seconds = length_s(out)
                shares = (f"{cost.wall_s / seconds:.2f}", f"{cost.cpu_s / seconds:.2f}")
                row = (film.stem, height, verb, f"{seconds:.1f}", cost.wall_s, cost.cpu_s)
                print(f"| {' | '.join(map(str, (*row, cost.peak_mib, *shares)))} |")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
