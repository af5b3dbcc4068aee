"""Make a film of a stated length, with labels, from the labelled clips that are present.

    python benchmarks/long_film.py MINUTES [--seed N] [--to FOLDER] [--clips NAME ...]

The clips follow one another in ever new takes: another window of the picture that moves slowly, another
speed, mirrored or not, other brightness, contrast and colour. Every take is encoded once and kept; the film
is its takes' packets one after another, so that a longer film of the same seed begins like a shorter one.
People keep their names through all takes. Beside the film stand its labels, `FILM.labels.csv`, in the
format of the clips' own. The film has no sound, and however long it is, its cast is that of the clips.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import av
import av.filter

from clips import CLIPS
from measure import in_one_stroke
from personae.metrics.hand_labels import LABEL_COLUMNS, LabelledFace, read_labels
from personae.weights.registry import sha256_of
from takes import FPS, HEIGHT, WIDTH, Source, Take, carried, takes
from variants import Film

ENCODING = {"preset": "superfast", "crf": "23", "threads": "2"}
"""The number of threads is stated because x264's output depends on it."""
CACHE = Path(tempfile.gettempdir()) / "personae-bench"
"""Where films go unless another folder is named."""


def long_film(
    minutes: float, folder: Path = CACHE, seed: int = 0, clips: tuple[str, ...] = ()
) -> Film:
    """Give a film of that length with its labels, making whatever of it is not in the folder already.

    The clips are those named, or all that are present.
    """
    present = {
        name: clip for name, clip in CLIPS.items() if name in (clips or CLIPS) and clip.present
    }
    of = (
        sorted(sha256_of(file) for clip in present.values() for file in (clip.video, clip.labels)),
        ENCODING,
    )
    known_by = hashlib.sha256(repr(of).encode()).hexdigest()[:8]
    path = folder / f"film-{minutes:g}min-{len(present)}clips-seed{seed}-{known_by}.mp4"
    labels = path.with_suffix(".labels.csv")
    if not (path.exists() and labels.exists()):
        films = {name: Film(clip.video, read_labels(clip.labels)) for name, clip in present.items()}
        sources = {name: Source.of(film) for name, film in films.items()}
        make(path, labels, sources, round(minutes * 60 * FPS), seed)
    return Film(path, read_labels(labels))


def make(path: Path, labels: Path, sources: dict[str, Source], frames: int, seed: int) -> None:
    """Write a film of so many frames, and its labels; a killed call leaves finished takes behind."""
    folder = path.parent / "takes"
    folder.mkdir(parents=True, exist_ok=True)
    pieces: list[Path] = []
    faces: list[LabelledFace] = []
    done, upcoming = 0, takes(sources, seed)
    while done < frames:
        take = next(upcoming)
        source = sources[take.clip]
        piece, length = _piece(take, source, folder, frames - done)
        faces += [replace(f, time_s=f.time_s + done / FPS) for f in carried(take, source, length)]
        pieces.append(piece)
        done += length
        print(f"\r{path.name}: {done} of {frames} frames", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    join(pieces, path)
    _write_labels(faces, path, labels)


def _piece(take: Take, source: Source, folder: Path, most_frames: int) -> tuple[Path, int]:
    """Give a take's file and number of frames; the last take of a film is cut where the film ends."""
    whole = int(source.seconds / take.speed * FPS)
    length = min(whole, most_frames)
    name = hashlib.sha256(repr((take, source.digest, length, ENCODING)).encode()).hexdigest()[:16]
    piece = folder / f"{name}.mp4"
    if not piece.exists():
        with in_one_stroke(piece) as unfinished:
            encode(take, source, unfinished, length)
    return piece, length


def encode(take: Take, source: Source, path: Path, frames: int) -> None:
    """Encode the first `frames` frames of a take; FFmpeg's filters do all the work on the pictures.

    RuntimeError if the clip gives fewer frames.
    """
    with (
        av.open(str(source.film.path)) as given,
        av.open(str(path), "w", format="mp4") as container,
    ):
        stream = given.streams.video[0]
        stream.thread_type = "AUTO"
        target = container.add_stream("libx264", rate=FPS, options=ENCODING)
        target.width, target.height, target.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        graph = _filters(take, stream)
        written = 0
        for picture in _filtered(graph, given.decode(stream)):
            container.mux(target.encode(picture))
            written += 1
            if written == frames:
                break
        container.mux(target.encode())
    if written < frames:
        raise RuntimeError(f"{source.film.path} gave {written} frames, not {frames}")


def _filters(take: Take, stream: Any) -> av.filter.Graph:
    """Chain the filters that show a take."""
    window, graph = take.window, av.filter.Graph()
    x, y = (f"2*floor(({s}+{v}*t)/2)" for s, v in zip(window.start, window.drift, strict=True))
    grade = {
        "y": f"clip((val-126)*{take.contrast}+126+{take.brightness},16,235)",
        "u": f"clip((val-128)*{take.saturation}+128,16,240)",
        "v": f"clip((val-128)*{take.saturation}+128+{take.red},16,240)",
    }
    steps = [
        ("setpts", "PTS-STARTPTS"),
        ("crop", f"{window.width}:{window.height}:'{x}':'{y}'"),
        ("setpts", f"PTS/{take.speed}"),
        ("fps", str(FPS)),
        ("scale", f"{WIDTH}:{HEIGHT}:flags=bilinear"),
        ("format", "yuv420p"),
        ("lutyuv", ":".join(f"{plane}='{value}'" for plane, value in grade.items())),
    ]
    if take.mirrored:
        steps.append(("hflip", ""))
    links = [graph.add_buffer(template=stream), *(graph.add(name, args) for name, args in steps)]
    graph.link_nodes(*links, graph.add("buffersink")).configure()
    return graph


def _filtered(graph: av.filter.Graph, frames: Iterator[Any]) -> Iterator[Any]:
    """Push frames through a graph and give what comes out."""
    for frame in chain(frames, [None]):
        graph.vpush(frame)
        while True:
            try:
                yield graph.vpull()
            except (av.BlockingIOError, av.EOFError):  # it wants more, or has given all
                break


def join(pieces: list[Path], path: Path) -> None:
    """Write pieces of equal encoding one after another into one film, packet by packet.

    RuntimeError if a piece is encoded otherwise than the first.
    """
    with (
        in_one_stroke(path) as unfinished,
        av.open(str(unfinished), "w", format="mp4") as container,
    ):
        target, first, offset = None, None, 0
        for piece in pieces:
            with av.open(str(piece)) as given:
                stream = given.streams.video[0]
                if target is None:
                    target, first = (
                        container.add_stream_from_template(stream),
                        stream.codec_context.extradata,
                    )
                elif stream.codec_context.extradata != first:
                    raise RuntimeError(f"{piece} is not encoded like the other takes")
                step = round(1 / (FPS * stream.time_base))
                for packet in given.demux(stream):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = (
                        packet.pts + offset,
                        packet.dts + offset,
                        target,
                    )
                    container.mux(packet)
                offset += stream.frames * step


def _write_labels(faces: list[LabelledFace], film: Path, path: Path) -> None:
    with (
        in_one_stroke(path) as unfinished,
        open(unfinished, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("video", *LABEL_COLUMNS))
        for face in faces:
            box = (f"{v:.1f}" for v in face.box)
            writer.writerow((film.name, f"{face.time_s:.3f}", *box, face.person))


def main() -> None:
    """Make the film and say where it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--to", type=Path, default=CACHE, help=f"folder for films (default: {CACHE})"
    )
    parser.add_argument(
        "--clips", nargs="*", default=[], choices=CLIPS, help="default: all that are present"
    )
    options = parser.parse_args()
    film = long_film(options.minutes, options.to, options.seed, tuple(options.clips))
    people = len({face.person for face in film.labels})
    print(f"{film.path}: {len(film.labels)} labelled faces of {people} people")


if __name__ == "__main__":
    main()
