"""The face of a photograph as a vector, made as those of a film's faces are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from personae.catalogue.schema import catalogues
from personae.core.arrays import Float32Array
from personae.core.errors import CatalogueError
from personae.core.grouping import unit_rows

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase
    from personae.encode import Encoder
    from personae.scan.retinaface import RetinaFace

PHOTO_ENDINGS = frozenset([".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"])
"""Endings of the files that are taken for photos in a folder."""


@dataclass(frozen=True)
class PhotoFace:
    """The one face of a photo."""

    sha256: str
    """Of the file."""

    content: bytes
    """The file."""

    ending: str
    """Of its name, such as ``.jpg``."""

    vector: Float32Array
    """(d,) of length 1."""


class PhotoReader:
    """Finds the face of photos and encodes it with the network of a catalogue."""

    def __init__(self, catalogue: CatalogueBase) -> None:
        """Load nothing yet.

        Args:
            catalogue: The catalogue whose faces the photos are to be compared with.
        """
        self._catalogue = catalogue
        self._detector: RetinaFace | None = None
        self._encoder: Encoder | None = None

    def read(self, path: Path) -> PhotoFace:
        """Read a photo.

        Raises:
            CatalogueError: It cannot be read, or does not show exactly one face.
        """
        import cv2

        from personae.scan.alignment import align_crop, encode_crop

        try:
            content = path.read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise CatalogueError(f"The photo {path} cannot be read ({reason}).") from error
        decoded = None
        if content:
            decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise CatalogueError(f"{path} is no picture that can be read: use JPEG or PNG.")
        bgr = np.asarray(decoded, dtype=np.uint8)
        landmarks = self._find_face(path, bgr)
        rgb = np.ascontiguousarray(bgr[..., ::-1])
        jpeg = encode_crop(align_crop(rgb, landmarks))  # exposure and loss as in a film's crops
        crop = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        vector = self._load_encoder().encode(np.asarray(crop, dtype=np.uint8)[None])
        return PhotoFace(
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            ending=path.suffix.lower(),
            vector=unit_rows(vector)[0].astype(np.float32),
        )

    def _find_face(self, path: Path, bgr: np.typing.NDArray[np.uint8]) -> Float32Array:
        """Return the (5, 2) landmarks of the only face; CatalogueError where there is not one."""
        import cv2

        from personae.core.config import ScanConfig
        from personae.scan.retinaface import RetinaFace, detector_input_size
        from personae.weights import weight_file

        if self._detector is None:
            self._detector = RetinaFace(
                weight_file("retinaface-mobilenet025").path(),
                min_score=ScanConfig().min_start_score,
            )
        height, width = bgr.shape[:2]
        size = detector_input_size(width, height, ScanConfig().detection_size)
        shrunk = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        faces = self._detector(np.asarray(shrunk, dtype=np.uint8))
        faces = faces.scaled(width / size[0], height / size[1])
        if len(faces) != 1:
            counted = f"{len(faces)} faces" if len(faces) else "no face that is large enough"
            raise CatalogueError(
                f"{path} shows {counted}: use a photo of one person, or cut one out of it."
            )
        landmarks: Float32Array = faces.landmarks[0]
        return landmarks

    def _load_encoder(self) -> Encoder:
        """Load the network that the catalogue's films are encoded by."""
        if self._encoder is None:
            from personae.pipeline.encoder import load_encoder_of
            from personae.pipeline.settings import Settings

            settings = Settings.from_flat(**self._catalogue.location.config.settings)
            encoder = load_encoder_of(settings)
            with self._catalogue.database.read() as connection:
                known = connection.execute(select(catalogues.c.encoder)).scalar()
            if known is not None and known != encoder.weight_sha256:
                raise CatalogueError(
                    "The face network of the catalogue's films is not the one of its settings: "
                    "run the films again, or restore the weight file."
                )
            self._encoder = encoder
        return self._encoder


def list_photos(paths: list[Path]) -> list[Path]:
    """Return the photos that some paths name: files, and folders with all that lie in them.

    Raises:
        CatalogueError: A path does not exist, or a folder holds no photo.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix.lower() in PHOTO_ENDINGS)
            if not inside:
                raise CatalogueError(f"There is no photo in the folder {path}: use JPEG or PNG.")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise CatalogueError(f"There is no file {path}.")
    return found
