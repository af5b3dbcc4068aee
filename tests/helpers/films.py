"""Tiny films for tests, written with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from personae.core.arrays import UInt8Array

DEMO = Path(__file__).parents[2] / "examples" / "demo.mp4"


def frames_at(times: Iterable[float], film: Path = DEMO) -> list[UInt8Array]:
    """Return the frames of a film at some times in seconds, (h, w, 3) RGB."""
    wanted = sorted(times)
    found: list[UInt8Array] = []
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            while len(found) < len(wanted) and frame.time >= wanted[len(found)] - 1e-6:
                found.append(frame.to_ndarray(format="rgb24"))
            if len(found) == len(wanted):
                return found
    raise ValueError(f"{film} ends before {wanted[-1]} s")


def write_film(
    path: Path, frames: Iterable[UInt8Array], rate: int = 25, index_first: bool = False
) -> Path:
    """Write an H.264 film; with its index at the head, a cut-off file still opens."""
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", options=options) as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = container.add_stream(
                    "h264", rate=rate, options={"preset": "ultrafast", "g": "10"}
                )
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """Write a second of silence without video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for _ in range(43):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate = 44100
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def set_rotation(path: Path) -> None:
    """Flag an MP4 as recorded by an upright telephone: players turn it 90 degrees clockwise."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def shifting(frame: UInt8Array, count: int) -> list[UInt8Array]:
    """Return an image that moves a pixel to the right per frame, so that no two are equal."""
    return [np.roll(frame, shift, axis=1) for shift in range(count)]


def scenery(seed: int) -> np.ndarray:
    """Return a wide smooth random image to move a camera over, (144, 1024, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 16, 3)).astype(np.uint8)
    return cv2.resize(coarse, (1024, 144), interpolation=cv2.INTER_CUBIC)


def pan(seed: int, frames: int, speed: int = 2) -> list[np.ndarray]:
    """Return the frames of a pan with camera noise."""
    rng, wide = np.random.default_rng(seed), scenery(seed)
    return [
        np.clip(
            wide[:, i * speed : i * speed + 256] + rng.normal(0, 2, (144, 256, 3)), 0, 255
        ).astype(np.uint8)
        for i in range(frames)
    ]


def texture(height: int = 96, width: int = 128, seed: int = 0) -> UInt8Array:
    """Return an image of 6 by 8 cells of random colours, (height, width, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    return np.ascontiguousarray(
        np.kron(coarse, np.ones((height // 6, width // 8, 1), dtype=np.uint8))
    )


def encode_film(
    path: Path,
    frames: Sequence[UInt8Array],
    pts: Sequence[int] | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    time_base: Fraction | None = None,
    timecode: str | None = None,
    rate: int | Fraction = 25,
) -> Path:
    """Write an H.264 film frame by frame, with its own pts, rotation, aspect and timecode."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if time_base:
            stream.codec_context.time_base = time_base
        if timecode:
            stream.metadata["timecode"] = timecode
        if rotation:
            stream.set_display_rotation(rotation)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for number, frame in enumerate(frames):
            image = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if pts is not None:
                image.pts, image.time_base = pts[number], time_base
            container.mux(stream.encode(image))
        container.mux(stream.encode())
    return path
