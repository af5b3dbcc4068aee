"""Does everything a run needs work on this machine? Each check really does the thing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from personae.core.arrays import UInt8Array
from personae.core.errors import PersonaeError
from personae.core.files import mark

PROBE = Path(__file__).parent / "probe"
"""A photograph of a face, and its embedding by the encoder's original runtime; see tools/build_probe.py."""

LEAST_COSINE = 0.99
"""Two decoders' JPEGs and two onnxruntimes' landmarks differ by less; a wrong network or crop by far more."""

LEAST_FREE = 1 << 30
"""Bytes: a two-hour film's crops, embeddings and report take a few hundred megabytes."""

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
class Check:
    """One line of the doctor's findings."""

    name: str
    passed: bool
    found: str


def checkup() -> list[Check]:
    """Try everything a run needs, in the current directory."""
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


def models_as_dicts() -> list[dict[str, Any]]:
    """Describe every network that is carried or can be fetched.

    `present` tells whether its file is on this machine, `problem` what is wrong with it (None: nothing).
    """
    from personae.weights import DOWNLOADS, WEIGHTS
    from personae.weights.downloads import cache_folder

    found: list[dict[str, Any]] = []
    for entry in WEIGHTS.values():
        try:
            entry.verify()
            problem = None
        except PersonaeError as error:
            problem = str(error)
        found.append(
            {**asdict(entry), "shipped": True, "present": entry.path().exists(), "problem": problem}
        )
    for other in DOWNLOADS.values():
        path = cache_folder() / other.file
        altered = path.exists() and mark(path).sha256 != other.sha256
        about = {"name": other.encoder, "role": "encoder", "source": other.url, **asdict(other)}
        problem = f"{path} has been altered: delete it and fetch it again" if altered else None
        found.append({**about, "shipped": False, "present": path.exists(), "problem": problem})
    return found


def probe_crop() -> tuple[UInt8Array, float]:
    """Detect the probe's face and align it: the crop and the detector's confidence."""
    import cv2

    from personae.scan.alignment import aligned_crop
    from personae.scan.retinaface import RetinaFace
    from personae.weights import weight

    picture = cv2.imread(str(PROBE / "face.jpg"))
    if picture is None:
        raise _Failed(f"{PROBE / 'face.jpg'} cannot be read: reinstall personae")
    faces = RetinaFace(weight("retinaface-mobilenet025").path())(
        np.asarray(picture, dtype=np.uint8)
    )
    if len(faces) != 1:
        raise _Failed(f"{len(faces)} faces found in a portrait of one")
    image = np.ascontiguousarray(np.asarray(picture, dtype=np.uint8)[..., ::-1])
    return aligned_crop(image, faces.landmarks[0]), float(faces.scores[0])


class _Failed(Exception):
    """A check found something wrong; its text says what."""


def _try(name: str, test: Callable[[], str]) -> Check:
    try:
        return Check(name, True, test())
    except _Failed as failure:
        return Check(name, False, str(failure))
    except Exception as error:  # whatever breaks here would break a run: that is the finding
        return Check(name, False, f"{type(error).__name__}: {error}")


def _versions() -> str:
    found = [f"Python {platform.python_version()}", f"personae {version('personae')}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            raise _Failed(f"{name} is not installed: pip install {name}") from None
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
        raise _Failed(
            f"{', '.join(others)} overwrites opencv-python: uninstall both, then install opencv-python"
        )
    return "opencv-python alone"


def _decoding() -> str:
    import av

    from personae.scan.video_reader import Film

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grey.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("h264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(12):
                picture = np.full((48, 64, 3), 20 * number, dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        greys = [float(frame.rgb().mean()) for frame in Film(path)]
    worst = (
        max(abs(grey - 20 * number) for number, grey in enumerate(greys)) if greys else float("inf")
    )
    if len(greys) != 12 or worst > 6:
        raise _Failed(f"{len(greys)} of 12 frames came back, off by up to {worst:.1f} grey levels")
    return f"12 of 12 frames of a generated H.264 film, off by at most {worst:.1f} grey levels"


def _weights() -> str:
    present = [one for one in models_as_dicts() if one["shipped"] or one["present"]]
    for one in present:
        if one["problem"]:
            raise _Failed(one["problem"])
    return f"{', '.join(one['name'] for one in present)} unaltered"


def _detector() -> str:
    return f"one face found in a portrait, confidence {probe_crop()[1]:.3f}"


def _encoder() -> str:
    from personae.encode import load_encoder

    reference = json.loads((PROBE / "reference.json").read_text())
    embedding = load_encoder(reference["encoder"]).embed(probe_crop()[0][None], flip=False)[0]
    cosine = float(embedding @ np.array(reference["embedding"]) / np.linalg.norm(embedding))
    if not cosine >= LEAST_COSINE:
        raise _Failed(
            f"cosine {cosine:.4f} with the original runtime's embedding, less than {LEAST_COSINE}"
        )
    return f"cosine {cosine:.4f} with the original runtime's embedding of the same portrait"


def _writing() -> str:
    here = Path.cwd()
    try:
        with tempfile.NamedTemporaryFile(dir=here) as stream:
            stream.write(b"x")
    except OSError as error:
        raise _Failed(
            f"{here} cannot be written ({error.strerror}): give `personae run` a folder with -o"
        ) from None
    return str(here)


def _free_disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < LEAST_FREE:
        raise _Failed(
            f"{free / 2**30:.2f} GiB here; keep at least {LEAST_FREE / 2**30:.0f} GiB for a long film"
        )
    return f"{free / 2**30:.1f} GiB here"


def _threads() -> str:
    import torch

    from personae.core.compute import prepare_torch

    prepare_torch()
    return f"{torch.get_num_threads()} of {os.cpu_count()} cores"


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        return "none; everything runs on the CPU"
    a = torch.ones(64, 64, device="cuda")
    if float((a @ a)[0, 0]) != 64:
        raise _Failed("a product of two matrices of ones comes out wrong on the GPU")
    return str(torch.cuda.get_device_name())
