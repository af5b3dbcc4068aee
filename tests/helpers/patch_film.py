"""Real films in which finely checked patches stand for faces, with the tables of their scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from helpers.fake_film import NamedProject, write_project
from personae.core.arrays import UInt8Array
from personae.core.content_hash import compute_content_hash
from personae.project.manifest import Source
from personae.scan.video_file import probe

SIZE = (240, 320)
"""Height and width of the picture as displayed."""
RATE = 25
FACE = (40, 48)
"""Width and height of a patch."""
STRIDE = 5
"""Frames from one detection of a track to the next."""


@dataclass(frozen=True)
class Patch:
    """A patch that moves straight through some frames, and where the scan saw it."""

    first: int
    end: int
    """Exclusive."""
    start: tuple[float, float]
    """Left and top in its first frame."""
    speed: tuple[float, float] = (0.0, 0.0)
    """Pixels per frame."""
    seen: tuple[tuple[int, int], ...] = ()
    """First frame and the frame after the last of each of its tracks."""
    label: str | None = None
    alone: tuple[int, ...] = ()
    """Frames in which it was detected without a track."""
    confidence: float = 0.95

    def box(self, frame: int) -> tuple[float, float, float, float]:
        """Return left, top, width and height in a frame."""
        x, y = (self.start[i] + self.speed[i] * (frame - self.first) for i in (0, 1))
        return (x, y, *FACE)


@dataclass(frozen=True)
class PatchFilm:
    """A film of patches with its project folder."""

    film: Path
    project: NamedProject
    patches: Sequence[Patch]
    shots: Sequence[tuple[int, int]] = field(default=())


def draw_frame(patches: Sequence[Patch], number: int, shot: int) -> UInt8Array:
    """Return the picture of a frame, (h, w, 3)."""
    ramp = np.linspace(60 + 40 * shot, 160, SIZE[1], dtype=np.float32)
    image = np.repeat(np.tile(ramp, (SIZE[0], 1))[..., None], 3, axis=2).astype(np.uint8)
    checks = (np.indices((FACE[1], FACE[0])) // 4).sum(axis=0) % 2
    texture = np.repeat((40 + 170 * checks).astype(np.uint8)[..., None], 3, axis=2)
    for patch in patches:
        if patch.first <= number < patch.end:
            x, y, w, h = (round(value) for value in patch.box(number))
            left, top = max(0, x), max(0, y)
            right, bottom = min(SIZE[1], x + w), min(SIZE[0], y + h)
            if left < right and top < bottom:
                image[top:bottom, left:right] = texture[top - y : bottom - y, left - x : right - x]
    return image


def measure_texture(frame: av.VideoFrame, box: Sequence[float], rotation: int = 0) -> float:
    """Return how finely structured the middle of a box is, in grey levels; patches have over 50."""
    grey = np.rot90(frame.to_ndarray(format="gray"), -rotation // 90)
    x, y, w, h = box
    left, right = max(0, round(x + w / 8)), round(x + w * 7 / 8)
    top, bottom = max(0, round(y + h / 8)), round(y + h * 7 / 8)
    part = np.ascontiguousarray(grey[top:bottom, left:right]).astype(np.float32)
    return float(np.abs(part - cv2.blur(part, (9, 9))).mean()) if part.size else 0.0


def decode(path: Path) -> list[av.VideoFrame]:
    """Return every frame of a film."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def patch_film(
    folder: Path,
    patches: Sequence[Patch],
    shots: Sequence[tuple[int, int]],
    *,
    film: Path | None = None,
    rotation: int = 0,
    pixel_format: str = "yuv420p",
    start_pts: int = 0,
    names: dict[str, str] | None = None,
) -> PatchFilm:
    """Write a film of patches and its project folder.

    Args:
        folder: Receives both.
        patches: The patches.
        shots: First frame and the frame after the last of each shot.
        film: An existing film of these patches, instead of writing one.
        rotation: Degrees clockwise by which players turn the film.
        pixel_format: In which it is encoded.
        start_pts: Of the first frame, in 1/12800 s.
        names: Label of a character -> its name.
    """
    path = film or folder / "film.mp4"
    if film is None:
        _encode(path, patches, shots, rotation, pixel_format, start_pts)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pts, time_base = [frame.pts for frame in container.decode(stream)], stream.time_base
    pts.append(2 * pts[-1] - pts[-2])
    rows = _tables(patches, shots, pts, time_base)
    media = probe(path)
    known = {name: value for name, value in vars(media).items() if name in Source.model_fields}
    source = Source(
        path=str(path),
        size=path.stat().st_size,
        mtime_ns=0,
        content_hash=compute_content_hash(path),
        **{**known, "frames": len(pts) - 1, "constant_rate": str(RATE)},
    )
    project = write_project(folder / "film.personae", rows, source, names=names)
    return PatchFilm(path, project, patches, shots)


def _encode(
    path: Path,
    patches: Sequence[Patch],
    shots: Sequence[tuple[int, int]],
    rotation: int,
    pixel_format: str,
    start_pts: int,
) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=RATE, options={"preset": "ultrafast", "crf": "12", "bf": "2"}
        )
        height, width = SIZE if rotation in (0, 180) else SIZE[::-1]
        stream.height, stream.width, stream.pix_fmt = height, width, pixel_format
        stream.codec_context.time_base = stream.time_base = Fraction(1, 12800)
        if rotation:
            stream.set_display_rotation(-rotation)
        for shot, (first, end) in enumerate(shots):
            for number in range(first, end):
                image = np.rot90(draw_frame(patches, number, shot), rotation // 90)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts, frame.time_base = start_pts + 512 * number, Fraction(1, 12800)
                container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _tables(
    patches: Sequence[Patch], shots: Sequence[tuple[int, int]], pts: list[int], time_base: Fraction
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that a scan and a clustering would have written."""
    seconds = [float(ticks * time_base) for ticks in pts]
    rows: dict[str, list[dict[str, Any]]] = {"tracks": [], "characters": [], "faces": []}
    rows["shots"] = [
        {
            "shot": number,
            "first_frame": first,
            "last_frame": end - 1,
            "start_pts": pts[first],
            "end_pts": pts[end],
            "start_s": seconds[first],
            "end_s": seconds[end],
        }
        for number, (first, end) in enumerate(shots)
    ]

    def add_face(patch: Patch, frame: int, track: int, detected: bool) -> None:
        rows["faces"].append(
            {
                "frame": frame,
                "pts": pts[frame],
                "time_s": seconds[frame],
                "shot": next(i for i, (a, b) in enumerate(shots) if a <= frame < b),
                "track": track,
                **dict(zip("xywh", patch.box(frame), strict=True)),
                "score": 0.9 if detected else float("nan"),
                "landmarks": [1.0] * 10 if detected else None,
                "interpolated": not detected,
                "crop": -1,
            }
        )

    for patch in patches:
        for first, end in patch.seen:
            track = len(rows["tracks"])
            for frame in range(first, end):
                add_face(patch, frame, track, (frame - first) % STRIDE == 0 or frame == end - 1)
            rows["tracks"].append(
                {
                    "track": track,
                    "shot": rows["faces"][-1]["shot"],
                    "first_frame": first,
                    "last_frame": end - 1,
                    "start_s": seconds[first],
                    "end_s": seconds[end],
                    "faces": 1 + (end - first) // STRIDE,
                    "crops": 0,
                    "median_width": float(FACE[0]),
                    "quality": 0.8,
                    "status": "kept",
                }
            )
            rows["characters"].append(
                {
                    "track": track,
                    "character": patch.label,
                    "confidence": patch.confidence if patch.label else 0.0,
                    "runner_up": None,
                    "ignored": False,
                }
            )
        for frame in patch.alone:
            add_face(patch, frame, -1, True)
    rows["faces"].sort(key=lambda row: row["frame"])
    rows["faces"] = [{"face": number, **row} for number, row in enumerate(rows["faces"])]
    return rows
