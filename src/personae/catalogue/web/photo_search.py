"""Search by a picture that was sent; it is not kept."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path, PurePath
from threading import Lock
from typing import TYPE_CHECKING

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from personae.catalogue.photo_face import PhotoReader
from personae.catalogue.search import FoundCharacter, find_photo
from personae.core.errors import CatalogueError, EditError

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

MAX_PHOTO_BYTES = 12_000_000
MAX_FORM_BYTES = MAX_PHOTO_BYTES + 20_000
"""Bytes of a form with a photo."""

MAX_PIXELS = 60_000_000
"""Pixels of a photo; small files can hold huge pictures."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")


class PhotoSearch:
    """Searches a catalogue; the networks are loaded once, and one search runs at a time."""

    def __init__(
        self, catalogue: CatalogueBase, by: str | None = None, reader: PhotoReader | None = None
    ) -> None:
        """Load nothing yet.

        Args:
            catalogue: The catalogue.
            by: Who searches, for the log.
            reader: Reads the photos; None: a new one.
        """
        self._catalogue, self._by = catalogue, by
        self._lock = Lock()
        self._reader = reader or PhotoReader(catalogue)

    def find(self, content: bytes, name: str) -> list[FoundCharacter]:
        """Return who may be the person of a photo; the search is logged.

        The photo lies in a temporary file for as long as it is read.

        Args:
            content: The photo.
            name: Its file's name, for messages.

        Raises:
            CatalogueError: It does not show exactly one face, or there is nothing to search.
            EditError: It is no picture, or too large.
        """
        check_photo(content, name)
        plain = PurePath(name).name or "photo"
        with self._lock, tempfile.TemporaryDirectory(prefix="personae-") as scratch:
            path = Path(scratch) / "photo"
            path.write_bytes(content)
            try:
                return find_photo(self._catalogue, path, who=self._by, reader=self._reader)
            except CatalogueError as error:
                raise CatalogueError(str(error).replace(str(path), plain)) from None


async def read_photo(request: Request) -> tuple[bytes, str]:
    """Return the photo of a form and its name; it never touches the disk.

    Raises:
        EditError: There is none, or it is too large.
    """
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=10)
    parser.spool_max_size = MAX_FORM_BYTES
    try:
        form = await parser.parse()
    except (MultiPartException, HTTPException, KeyError) as error:
        raise EditError("The form cannot be read.") from error
    try:
        photo = form.get("photo")
        content = await photo.read() if isinstance(photo, UploadFile) else b""
        if not content or not isinstance(photo, UploadFile):
            raise EditError("Choose a photo first.")
        return content, photo.filename or "photo"
    finally:
        await form.close()


def check_photo(content: bytes, name: str) -> None:
    """Refuse what is no picture, or too large to be opened.

    Raises:
        EditError: It is.
    """
    from PIL import Image

    if len(content) > MAX_PHOTO_BYTES:
        raise EditError(
            f"{name} is larger than {MAX_PHOTO_BYTES // 1_000_000} MB: make it smaller."
        )
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            pixels = image.width * image.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise EditError(f"{name} is no picture that can be read: use JPEG or PNG.") from None
    if pixels > MAX_PIXELS:
        raise EditError(f"{name} has more than {MAX_PIXELS // 1_000_000} million pixels.")
