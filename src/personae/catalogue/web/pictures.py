"""Pictures of characters and people: crops of the films, and photos that people were named by."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from personae.catalogue.films import get_film
from personae.catalogue.schema import characters, photos
from personae.catalogue.storage import join_path, local_path, open_file
from personae.catalogue.vectors import open_vector_store
from personae.core.errors import CatalogueError
from personae.core.files import file_version
from personae.project import Project
from personae.project.folder import MANIFEST

if TYPE_CHECKING:
    from sqlalchemy import Column

    from personae.catalogue.base import CatalogueBase
    from personae.project.crop_store import StoredCrops

MAX_OPEN_CROPS = 8
"""Films whose crops stay open; each holds some 10 MB."""

PHOTO_SIDE = 160
"""Longer side in pixels of a photo that is shown."""


class Pictures:
    """Finds pictures, as addresses of the pages, and reads them."""

    def __init__(self, catalogue: CatalogueBase) -> None:
        self._catalogue = catalogue
        self._lock = Lock()
        self._crops: OrderedDict[int, tuple[object, StoredCrops]] = OrderedDict()

    def of_characters(self, numbers: Sequence[int], count: int = 1) -> dict[int, list[str]]:
        """Return addresses of pictures of some characters, those of the typical track first.

        Args:
            numbers: Of characters.
            count: How many of each, where there are as many.
        """
        if not numbers:
            return {}
        query = select(characters.c.id, characters.c.anchor_track).where(
            characters.c.id.in_(numbers)
        )
        with self._catalogue.database.read() as connection:
            anchors = {row.id: row.anchor_track for row in connection.execute(query)}
        try:
            rows = open_vector_store(self._catalogue.location).read("crop", characters=numbers)
        except CatalogueError:
            return {}  # the pages work without pictures
        found: dict[int, list[tuple[bool, str]]] = defaultdict(list)
        for film, character, track, crop in zip(
            *(getattr(rows, name).tolist() for name in ("film_ids", "character_ids", "tracks")),
            rows.crops.tolist(),
            strict=True,
        ):
            is_other = track != anchors.get(character)
            found[character].append((is_other, f"/face/{film}/{crop}.jpg"))
        return {
            number: [address for _, address in sorted(some, key=lambda one: one[0])[:count]]
            for number, some in found.items()
        }

    def of_films(self, numbers: Sequence[int], count: int) -> dict[int, list[str]]:
        """Return addresses of pictures of the leading characters of some films."""
        return self._of_groups(characters.c.film_id, numbers, count)

    def of_people(self, numbers: Sequence[int], count: int) -> dict[int, list[str]]:
        """Return addresses of pictures of some people, one a character; else their photos."""
        found = self._of_groups(characters.c.person_id, numbers, count)
        missing = [number for number in numbers if not found.get(number)]
        query = select(photos.c.id, photos.c.person_id).where(photos.c.person_id.in_(missing))
        with self._catalogue.database.read() as connection:
            for photo, person in connection.execute(query.order_by(photos.c.id)):
                found.setdefault(person, []).append(f"/photo/{photo}.jpg")
        return {number: some[:count] for number, some in found.items()}

    def _of_groups(
        self, group: Column[int], numbers: Sequence[int], count: int
    ) -> dict[int, list[str]]:
        """Return a picture each of the characters that are longest on screen, by a column."""
        order = [characters.c.seconds.desc(), characters.c.id]
        place = func.row_number().over(partition_by=group, order_by=order).label("place")
        ranked = (
            select(characters.c.id, group.label("group"), place)
            .where(group.in_(numbers))
            .order_by(*order)
            .subquery()
        )
        query = select(ranked).where(ranked.c.place <= count).order_by(ranked.c.place)
        with self._catalogue.database.read() as connection:
            rows = connection.execute(query).all()
        pictures = self.of_characters([row.id for row in rows])
        found: dict[int, list[str]] = defaultdict(list)
        for row in rows:
            found[row.group] += pictures.get(row.id, [])
        return dict(found)

    def read_crop(self, film_id: int, crop: int) -> bytes | None:
        """Return a crop of a film as a JPEG file; None where there is none.

        Raises:
            CatalogueError: There is no such film.
            ProjectError: Its folder is damaged.
        """
        with self._lock:
            crops = self._open_crops(film_id)
            if crops is None or not 0 <= crop < len(crops):
                return None
            return crops.jpeg(crop)

    def read_photo(self, number: int) -> bytes | None:
        """Return a photo of a person as a small JPEG file; None where there is none."""
        from PIL import Image, ImageOps

        query = select(photos.c.file).where(photos.c.id == number)
        with self._catalogue.database.read() as connection:
            name = connection.execute(query).scalar()
        if name is None:
            return None
        try:
            with open_file(join_path(self._catalogue.location.photos, name)) as stream:
                image = Image.open(BytesIO(stream.read()))
            upright = ImageOps.exif_transpose(image).convert("RGB")
        except (OSError, ValueError, Image.DecompressionBombError):
            return None
        upright.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
        made = BytesIO()
        upright.save(made, "JPEG", quality=85)
        return made.getvalue()

    def _open_crops(self, film_id: int) -> StoredCrops | None:
        """Return the crops of a film, opened anew where its folder has changed."""
        try:
            folder = local_path(get_film(self._catalogue, film_id).folder)
        except CatalogueError:
            self._crops.pop(film_id, None)  # it has been forgotten
            raise
        if folder is None or not (folder / MANIFEST).exists():
            return None
        mark = file_version(folder / MANIFEST)
        known = self._crops.get(film_id)
        if known is None or known[0] != mark:
            known = mark, Project.open(folder).crops()
            self._crops[film_id] = known
        self._crops.move_to_end(film_id)
        while len(self._crops) > MAX_OPEN_CROPS:
            self._crops.popitem(last=False)
        return known[1]


def first_of(pictures: Mapping[int, Sequence[str]], number: int | None) -> str | None:
    """Return the first picture of somebody; None where there is none."""
    found = pictures.get(number, ()) if number is not None else ()
    return found[0] if found else None
