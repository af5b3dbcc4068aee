"""Make a labelled film of a given length from the labelled clips that are present.

    python benchmarks/long_film.py MINUTES [--seed N] [--to FOLDER] [--clips NAME ...]

The clips follow one another in segments that are shown differently each time: another slowly moving
window of the frame, another speed, mirrored or not, other brightness, contrast and colour. Every
segment is encoded once and cached; the film is the concatenation of its segments' packets, so that
a longer film with the same seed begins like a shorter one. People keep their names in all segments.
The labels are written beside the film, `FILM.labels.csv`, in the format of the clips' own. The film
has no sound, and its cast is that of the clips, however long it is.
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

import av
import av.filter

from clips import CLIPS
from measure import replace_when_done
from personae.core.digest import file_sha256
from personae.metrics.hand_labels import LABEL_COLUMNS, LabelledFace, read_labels
from segments import FPS, HEIGHT, WIDTH, Segment, SourceClip, sample_segments, transform_labels
from variants import LabelledFilm

ENCODING = {"preset": "superfast", "crf": "23", "threads": "2"}
"""The number of threads is fixed because x264's output depends on it."""
DEFAULT_FOLDER = Path(tempfile.gettempdir()) / "personae-bench"


def make_long_film(
    minutes: float, folder: Path = DEFAULT_FOLDER, seed: int = 0, clips: tuple[str, ...] = ()
) -> LabelledFilm:
    """Return a film of a length, which is made unless it is in the folder already.

    Args:
        minutes: Length of the film.
        folder: Where the film, its labels and its segments are stored.
        seed: Seed of the segments.
        clips: Names of the clips; all that are present by default.
    """
    present = {
        name: clip for name, clip in CLIPS.items() if name in (clips or CLIPS) and clip.present
    }
    files = (file for clip in present.values() for file in (clip.video, clip.labels))
    content = (sorted(file_sha256(file) for file in files), ENCODING)
    digest = hashlib.sha256(repr(content).encode()).hexdigest()[:8]
    path = folder / f"film-{minutes:g}min-{len(present)}clips-seed{seed}-{digest}.mp4"
    labels = path.with_suffix(".labels.csv")
    if not (path.exists() and labels.exists()):
        sources = {
            name: SourceClip.open(LabelledFilm(clip.video, read_labels(clip.labels)))
            for name, clip in present.items()
        }
        write_film(path, labels, sources, round(minutes * 60 * FPS), seed)
    return LabelledFilm(path, read_labels(labels))


def write_film(
    path: Path, labels: Path, sources: dict[str, SourceClip], n_frames: int, seed: int
) -> None:
    """Write a film of `n_frames` frames and its labels; segments of a killed call are kept."""
    folder = path.parent / "segments"
    folder.mkdir(parents=True, exist_ok=True)
    pieces: list[Path] = []
    faces: list[LabelledFace] = []
    done, segments = 0, sample_segments(sources, seed)
    while done < n_frames:
        segment = next(segments)
        source = sources[segment.clip]
        piece, length = _encode_cached(segment, source, folder, n_frames - done)
        for face in transform_labels(segment, source, length):
            faces.append(replace(face, time_s=face.time_s + done / FPS))
        pieces.append(piece)
        done += length
        print(f"\r{path.name}: {done} of {n_frames} frames", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    concatenate(pieces, path)
    _write_labels(faces, path, labels)


def _encode_cached(
    segment: Segment, source: SourceClip, folder: Path, max_frames: int
) -> tuple[Path, int]:
    """Return a segment's file and number of frames; the last one is cut to the end of the film."""
    length = min(int(source.duration_s / segment.speed * FPS), max_frames)
    content = (segment, source.sha256, length, ENCODING)
    piece = folder / f"{hashlib.sha256(repr(content).encode()).hexdigest()[:16]}.mp4"
    if not piece.exists():
        with replace_when_done(piece) as temporary:
            encode_segment(segment, source, temporary, length)
    return piece, length


def encode_segment(segment: Segment, source: SourceClip, path: Path, n_frames: int) -> None:
    """Encode the first frames of a segment; FFmpeg's filters change the images.

    Raises:
        RuntimeError: the clip has fewer frames.
    """
    with (
        av.open(str(source.film.path)) as source_container,
        av.open(str(path), "w", format="mp4") as container,
    ):
        source_stream = source_container.streams.video[0]
        source_stream.thread_type = "AUTO"
        stream = container.add_stream("libx264", rate=FPS, options=ENCODING)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        graph = _make_filters(segment, source_stream)
        written = 0
        for frame in _apply_filters(graph, source_container.decode(source_stream)):
            container.mux(stream.encode(frame))
            written += 1
            if written == n_frames:
                break
        container.mux(stream.encode())
    if written < n_frames:
        raise RuntimeError(f"{source.film.path} has {written} frames, not {n_frames}")


def _make_filters(segment: Segment, stream: av.VideoStream) -> av.filter.Graph:
    """Return the chain of filters that shows a segment."""
    window, graph = segment.window, av.filter.Graph()
    x, y = (f"2*floor(({s}+{v}*t)/2)" for s, v in zip(window.start, window.velocity, strict=True))
    grade = {
        "y": f"clip((val-126)*{segment.contrast}+126+{segment.brightness},16,235)",
        "u": f"clip((val-128)*{segment.saturation}+128,16,240)",
        "v": f"clip((val-128)*{segment.saturation}+128+{segment.red},16,240)",
    }
    filters = [
        ("setpts", "PTS-STARTPTS"),
        ("crop", f"{window.width}:{window.height}:'{x}':'{y}'"),
        ("setpts", f"PTS/{segment.speed}"),
        ("fps", str(FPS)),
        ("scale", f"{WIDTH}:{HEIGHT}:flags=bilinear"),
        ("format", "yuv420p"),
        ("lutyuv", ":".join(f"{plane}='{value}'" for plane, value in grade.items())),
    ]
    if segment.mirrored:
        filters.append(("hflip", ""))
    nodes = [graph.add_buffer(template=stream), *(graph.add(name, args) for name, args in filters)]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph


def _apply_filters(
    graph: av.filter.Graph, frames: Iterator[av.VideoFrame]
) -> Iterator[av.VideoFrame]:
    """Push frames through a filter graph and yield its output."""
    for frame in chain(frames, [None]):
        graph.vpush(frame)
        while True:
            try:
                yield graph.vpull()
            except (av.BlockingIOError, av.EOFError):  # it needs more input, or has ended
                break


def concatenate(pieces: list[Path], path: Path) -> None:
    """Concatenate files of the same encoding packet by packet.

    Raises:
        RuntimeError: a file is encoded differently from the first.
    """
    with (
        replace_when_done(path) as temporary,
        av.open(str(temporary), "w", format="mp4") as container,
    ):
        stream, extradata, offset = None, None, 0
        for piece in pieces:
            with av.open(str(piece)) as piece_container:
                piece_stream = piece_container.streams.video[0]
                if stream is None:
                    stream = container.add_stream_from_template(piece_stream)
                    extradata = piece_stream.codec_context.extradata
                elif piece_stream.codec_context.extradata != extradata:
                    raise RuntimeError(f"{piece} is not encoded like the other segments")
                frame_duration = round(1 / (FPS * piece_stream.time_base))
                for packet in piece_container.demux(piece_stream):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = stream
                    container.mux(packet)
                offset += piece_stream.frames * frame_duration


def _write_labels(faces: list[LabelledFace], film: Path, path: Path) -> None:
    with (
        replace_when_done(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("video", *LABEL_COLUMNS))
        for face in faces:
            box = (f"{v:.1f}" for v in face.box)
            writer.writerow((film.name, f"{face.time_s:.3f}", *box, face.person))


def main() -> None:
    """Make the film and print its path."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--to",
        type=Path,
        default=DEFAULT_FOLDER,
        help=f"folder for films (default: {DEFAULT_FOLDER})",
    )
    parser.add_argument(
        "--clips", nargs="*", default=[], choices=CLIPS, help="default: all that are present"
    )
    options = parser.parse_args()
    film = make_long_film(options.minutes, options.to, options.seed, tuple(options.clips))
    people = len({face.person for face in film.labels})
    print(f"{film.path}: {len(film.labels)} labelled faces of {people} people")


if __name__ == "__main__":
    main()
