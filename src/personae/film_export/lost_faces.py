"""Faces that the scan missed or was not sure of: a second search, which takes fainter ones too."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from av.video.frame import VideoFrame

from personae.core.arrays import Float64Array, UInt8Array
from personae.core.boxes import box_iou
from personae.core.compute import count_usable_cores
from personae.core.hooks import Hook
from personae.film_export.frame_reader import FrameReader
from personae.film_export.hidden_faces import SECOND_SEARCH, FacePath
from personae.film_export.regions import Regions
from personae.scan.retinaface import FaceDetections, RetinaFace, detector_input_size
from personae.scan.video_reader import reformat
from personae.weights import weight_file

if TYPE_CHECKING:
    from personae.project.manifest import Source

MIN_SCORE = 0.3
"""Lowest confidence of the detector. The scan takes faces from 0.5 on; below 0.3 nearly all is
cups, hands and flowers."""

SEARCHES_PER_S = 8
"""Frames per second that are searched; in between, a face is hidden where it was and will be."""

DETECTION_SIDE_PX = 960
"""Long side of the searched picture, as in the scan."""

MAX_THREADS = 4
"""More would wait for the decoder."""

MAX_STEP = 1.0
"""Largest distance from one finding of a face to the next, in widths of the larger."""

MAX_STEP_S = 1.0
"""Longest time from one finding of a face to the next."""

MAX_RATIO = 2.0
"""Largest ratio of the widths of a face in two findings."""

MIN_CLEAR_IOU = 0.4
"""IoU with the box of a face that stays clear from which a finding is that face."""


@dataclass(frozen=True)
class ShotFrames:
    """Where a shot is in the film."""

    first_frame: int
    last_frame: int
    start_pts: int
    end_pts: int
    """Exclusive."""


@dataclass(frozen=True)
class Finding:
    """A face of one frame."""

    frame: int
    box: Float64Array
    """(4,) x, y, w, h in pixels of the film as displayed."""


def find_lost_faces(
    film: Path,
    source: Source,
    fps: float,
    shots: Mapping[int, ShotFrames],
    spans: Iterable[tuple[int, int, int]],
    paths: Sequence[FacePath],
    hidden: Regions,
    clear: Regions,
    hook: Hook,
) -> list[FacePath]:
    """Search parts of a film for faces that are not hidden yet and do not stay clear.

    Args:
        film: The film file.
        source: What the project says of it.
        fps: Frames per second.
        shots: Number of a shot -> where it is.
        spans: Shot, first frame, and the frame after the last of each part.
        paths: The faces that are hidden.
        hidden: What is hidden of them.
        clear: Boxes of the faces that stay clear.
        hook: Called with the progress of the stage "search" in frames.

    Returns:
        A path for each face that was found. It has the track and character of a hidden path that it
        continues; otherwise it is unknown, and has the number `SECOND_SEARCH`.

    Raises:
        FilmError: The film cannot be read.
    """
    frames_of: dict[int, set[int]] = {}
    step = max(1, round(fps / SEARCHES_PER_S))
    for shot, first, end in spans:
        frames_of.setdefault(shot, set()).update(range(first, end, step), (end - 1,))
    found: list[FacePath] = []
    max_gap = max(step, round(MAX_STEP_S * fps))
    for shot, findings in _search(film, source, shots, frames_of, hook):
        lost = [
            one
            for one in findings
            if not hidden.cover(one.frame, one.box)
            and not (box_iou(one.box[None], clear.at(one.frame)) >= MIN_CLEAR_IOU).any()
        ]
        own = [path for path in paths if path.shot == shot]
        found += [_build_path(chain, shot, own, max_gap) for chain in _chain(lost, max_gap)]
    return found


def _search(
    film: Path,
    source: Source,
    shots: Mapping[int, ShotFrames],
    frames_of: Mapping[int, set[int]],
    hook: Hook,
) -> Iterator[tuple[int, list[Finding]]]:
    """Yield the findings in the wanted frames of each shot, in order of time."""
    entry = weight_file("retinaface-mobilenet025")
    entry.verify()
    detector = RetinaFace(entry.path(), "cpu", MIN_SCORE, threads=1)
    n_threads = min(MAX_THREADS, count_usable_cores())
    n_wanted, n_done = sum(map(len, frames_of.values())), 0
    with FrameReader(film) as reader, ThreadPoolExecutor(n_threads) as pool:
        size = _search_size(source, float(reader.stream.sample_aspect_ratio or 1))

        def search(image: UInt8Array) -> FaceDetections:
            return detector(image).scaled(source.width / size[0], source.height / size[1])

        for shot in sorted(frames_of):
            place, wanted = shots[shot], frames_of[shot]
            pending: deque[tuple[int, Future[FaceDetections]]] = deque()
            findings: list[Finding] = []
            frames = reader.read(place.start_pts, place.end_pts)
            for number, (_, frame) in enumerate(frames, place.first_frame):
                if number > max(wanted):
                    break
                if number not in wanted:
                    continue
                image = _shrink(frame, size, source.rotation)
                pending.append((number, pool.submit(search, image)))
                if len(pending) > 2 * n_threads:
                    findings += _complete(*pending.popleft())
                n_done += 1
                hook("search", n_done, n_wanted)
            for one in pending:
                findings += _complete(*one)
            yield shot, findings


def _search_size(source: Source, pixel_aspect: float) -> tuple[int, int]:
    """Return the width and height of the searched picture: as displayed, with square pixels."""
    aspect = 1 / pixel_aspect if source.rotation in (90, 270) else pixel_aspect
    return detector_input_size(round(source.width * aspect), source.height, DETECTION_SIDE_PX)


def _complete(frame: int, found: Future[FaceDetections]) -> list[Finding]:
    return [Finding(frame, box.astype(np.float64)) for box in found.result().boxes]


def _shrink(frame: VideoFrame, size: tuple[int, int], rotation: int) -> UInt8Array:
    """Return a frame as displayed in a size, (height, width, 3) BGR."""
    width, height = size[::-1] if rotation in (90, 270) else size
    image = reformat(frame, width, height, "bgr24", "BILINEAR").to_ndarray()
    return np.ascontiguousarray(np.rot90(image, -rotation // 90), dtype=np.uint8)


def _chain(findings: Sequence[Finding], max_gap: int) -> list[list[Finding]]:
    """Join the findings of a shot, in order of time, that may be one face."""
    chains: list[list[Finding]] = []
    for one in findings:
        near = [
            (_step(chain[-1].box, one.box), number)
            for number, chain in enumerate(chains)
            if 0 < one.frame - chain[-1].frame <= max_gap
        ]
        distance, number = min(near, default=(np.inf, -1))
        if distance <= MAX_STEP:
            chains[number].append(one)
        else:
            chains.append([one])
    return chains


def _step(box: Float64Array, other: Float64Array) -> float:
    """Return how far two boxes are apart, in widths of the larger; infinite for unlike sizes."""
    larger = max(box[2], other[2])
    if larger > MAX_RATIO * min(box[2], other[2]):
        return float("inf")
    return float(np.abs(box[:2] + box[2:] / 2 - other[:2] - other[2:] / 2).max() / larger)


def _build_path(
    chain: Sequence[Finding], shot: int, paths: Sequence[FacePath], max_gap: int
) -> FacePath:
    """Return the path of some findings; it belongs to the nearest path that it continues."""
    first, last = chain[0], chain[-1]
    ends = [
        (_step(path.boxes[-1], first.box), number)
        for number, path in enumerate(paths)
        if 0 < first.frame - path.last_frame <= max_gap
    ] + [
        (_step(path.boxes[0], last.box), number)
        for number, path in enumerate(paths)
        if 0 < path.first_frame - last.frame <= max_gap
    ]
    distance, number = min(ends, default=(np.inf, -1))
    frames = np.arange(first.frame, last.frame + 1)
    known = [one.frame for one in chain]
    sides = np.array([one.box for one in chain]).T
    return FacePath(
        track=paths[number].track if distance <= MAX_STEP else SECOND_SEARCH,
        character=paths[number].character if distance <= MAX_STEP else None,
        shot=shot,
        first_frame=first.frame,
        boxes=np.column_stack([np.interp(frames, known, side) for side in sides]),
        detected=np.isin(frames, known),
    )
