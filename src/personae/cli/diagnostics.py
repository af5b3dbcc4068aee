"""Tests that everything a run needs works on this machine; each one does the real thing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from personae.core.arrays import UInt8Array

PROBE = Path(__file__).parent / "probe"
"""A photograph of a face and its embedding by the encoder's original runtime.

Made by tools/build_probe.py.
"""

MIN_COSINE = 0.99
"""With the reference embedding. JPEG decoders and onnxruntime versions change it by less than the
rest to 1; a wrong network or crop changes it by far more."""

MIN_FREE_BYTES = 1 << 30
"""Crops, embeddings and report of a two-hour film take a few hundred megabytes."""

DECODED_FRAMES = 12
"""Frames of the film that the decoding test generates."""

MAX_GREY_ERROR = 6
"""Grey levels of 0..255 by which lossy coding may change a plain frame."""

LIBRARIES = (
    "av",
    "numpy",
    "onnxruntime",
    "opencv-python",
    "pyarrow",
    "scenedetect",
    "scipy",
    "torch",
    "trackers",
)


@dataclass(frozen=True)
class DiagnosticResult:
    """The result of one test."""

    name: str
    passed: bool
    found: str
    """What was found, or what went wrong."""


def run_diagnostics() -> list[DiagnosticResult]:
    """Test everything that a run needs, in the current directory."""
    tests: dict[str, Callable[[], str]] = {
        "versions": _versions,
        "one OpenCV": _one_opencv,
        "decoding": _decoding,
        "weights": _weights,
        "face detector": _detector,
        "face-ID network": _encoder,
        "writing here": _writing,
        "free disk": _free_disk,
        "torch threads": _threads,
        "GPU": _gpu,
    }
    return [_try(name, test) for name, test in tests.items()]


def probe_crop() -> tuple[UInt8Array, float]:
    """Detect the face of the probe and align it.

    Returns:
        The (S, S, 3) RGB crop, and the detector's confidence in 0..1.

    Raises:
        DiagnosticError: The probe cannot be read, or not exactly one face was found.
    """
    import cv2

    from personae.scan.alignment import align_crop
    from personae.scan.retinaface import RetinaFace
    from personae.weights import weight_file

    photograph = cv2.imread(str(PROBE / "face.jpg"))
    if photograph is None:
        raise DiagnosticError(f"{PROBE / 'face.jpg'} cannot be read: reinstall personae")
    bgr = np.asarray(photograph, dtype=np.uint8)
    faces = RetinaFace(weight_file("retinaface-mobilenet025").path())(bgr)
    if len(faces) != 1:
        raise DiagnosticError(f"{len(faces)} faces found in a portrait of one")
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    return align_crop(rgb, faces.landmarks[0]), float(faces.scores[0])


class DiagnosticError(Exception):
    """A test found something wrong; its text says what."""


def _try(name: str, test: Callable[[], str]) -> DiagnosticResult:
    try:
        return DiagnosticResult(name, True, test())
    except DiagnosticError as failure:
        return DiagnosticResult(name, False, str(failure))
    except Exception as error:  # whatever breaks here would break a run
        return DiagnosticResult(name, False, f"{type(error).__name__}: {error}")


def _versions() -> str:
    found = [f"Python {platform.python_version()}", f"personae {version('personae')}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            raise DiagnosticError(f"{name} is not installed: pip install {name}") from None
    return ", ".join(found)


def _one_opencv() -> str:
    others = []
    for name in (
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ):
        try:
            others.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    if others:
        raise DiagnosticError(
            f"{', '.join(others)} overwrites opencv-python: "
            "uninstall both, then install opencv-python"
        )
    return "opencv-python alone"


def _decoding() -> str:
    import av

    from personae.scan.video_reader import VideoReader

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grey.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("h264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(DECODED_FRAMES):
                frame = np.full((48, 64, 3), 20 * number, dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        greys = [float(frame.to_rgb().mean()) for frame in VideoReader(path)]
    errors = [abs(grey - 20 * number) for number, grey in enumerate(greys)]
    worst = max(errors, default=float("inf"))
    frames = f"{len(greys)} of {DECODED_FRAMES} frames"
    if len(greys) != DECODED_FRAMES or worst > MAX_GREY_ERROR:
        raise DiagnosticError(f"{frames} came back, off by up to {worst:.1f} grey levels")
    return f"{frames} of a generated H.264 film, off by at most {worst:.1f} grey levels"


def _weights() -> str:
    from personae.weights.inventory import list_models

    present = [model for model in list_models() if model.shipped or model.present]
    for model in present:
        if model.problem:
            raise DiagnosticError(model.problem)
    return f"{', '.join(model.name for model in present)} unaltered"


def _detector() -> str:
    return f"one face found in a portrait, confidence {probe_crop()[1]:.3f}"


def _encoder() -> str:
    from personae.encode import load_encoder

    reference = json.loads((PROBE / "reference.json").read_text())
    embedding = load_encoder(reference["encoder"]).encode(probe_crop()[0][None], flip=False)[0]
    cosine = float(embedding @ np.array(reference["embedding"]) / np.linalg.norm(embedding))
    if not cosine >= MIN_COSINE:
        raise DiagnosticError(
            f"cosine {cosine:.4f} with the original runtime's embedding, less than {MIN_COSINE}"
        )
    return f"cosine {cosine:.4f} with the original runtime's embedding of the same portrait"


def _writing() -> str:
    here = Path.cwd()
    try:
        with tempfile.NamedTemporaryFile(dir=here) as stream:
            stream.write(b"x")
    except OSError as error:
        raise DiagnosticError(
            f"{here} cannot be written ({error.strerror}): name another folder with -o"
        ) from None
    return str(here)


def _free_disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < MIN_FREE_BYTES:
        raise DiagnosticError(
            f"{free / 2**30:.2f} GiB here; keep at least {MIN_FREE_BYTES / 2**30:.0f} GiB "
            "for a long film"
        )
    return f"{free / 2**30:.1f} GiB here"


def _threads() -> str:
    import torch

    from personae.core.compute import configure_torch

    configure_torch()
    return f"{torch.get_num_threads()} of {os.cpu_count()} cores"


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        return "none; everything runs on the CPU"
    a = torch.ones(64, 64, device="cuda")
    if float((a @ a)[0, 0]) != 64:
        raise DiagnosticError("a product of two matrices of ones comes out wrong on the GPU")
    return str(torch.cuda.get_device_name())
