"""What the films of a catalogue have taught the network, for the next film to start from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlalchemy import select

from personae.adapt.student_weights import STUDENT_FILE
from personae.catalogue.schema import films
from personae.catalogue.storage import join_path, open_file
from personae.core.content_hash import compute_content_hash
from personae.core.errors import CatalogueError, ProjectError, SettingError
from personae.core.files import FileMark, reraise_write_errors
from personae.pipeline.encoder import hash_encoder_weights
from personae.pipeline.learned import needs_adaptation
from personae.pipeline.settings import Settings
from personae.project.folder import ADAPTATION, MANIFEST
from personae.project.manifest import Manifest, StageRecord

if TYPE_CHECKING:
    from personae.catalogue.base import CatalogueBase

WEIGHTS_FILE = f"{ADAPTATION}/{STUDENT_FILE}"
"""Within a project folder."""


class NothingLearnedError(CatalogueError):
    """No film of the catalogue has learned anything that fits."""


@contextmanager
def starting_from_catalogue(
    catalogue: CatalogueBase, film: Path, settings: Settings
) -> Iterator[Settings]:
    """Give settings with which a film's adaptation starts from what a catalogue has learned.

    That is the network of the finished film with the highest number that was adapted at the same
    depth and with the same encoder. Of a film that is in the catalogue itself, it is the highest
    one below its own.

    Args:
        catalogue: The catalogue.
        film: The film that is to be run.
        settings: Those of its run.

    Returns:
        The settings with `initial_weights`: a copy that is there until the block ends.

    Raises:
        NothingLearnedError: No film of the catalogue has learned anything that fits.
        CatalogueError: Its storage cannot be reached.
        SettingError: The settings adapt nothing, or name other weights already.
        FilmError: The film cannot be read.
        ProjectError: The folder of the film that has learned is damaged.
    """
    if not needs_adaptation(settings):
        raise SettingError(
            f"The method {settings.cluster.method!r} adapts nothing, so it cannot start from a "
            "catalogue: leave out one of the two."
        )
    if settings.adapt.initial_weights is not None:
        raise SettingError("Start from a catalogue or from initial_weights, not from both.")
    folder, record = _find_learned_film(catalogue, film, settings)
    with tempfile.TemporaryDirectory(prefix="personae-") as scratch:
        copy = Path(scratch) / STUDENT_FILE
        path = join_path(folder, WEIGHTS_FILE)
        try:
            with (
                open_file(path) as stream,
                reraise_write_errors(copy),
                copy.open("wb") as out,
            ):
                shutil.copyfileobj(stream, out)
        except FileNotFoundError:
            copy.touch()
        if FileMark.of(copy) != record.files[WEIGHTS_FILE]:
            raise ProjectError(f"{path} is damaged or missing: run its film again.")
        started = settings.adapt.model_copy(update={"initial_weights": copy})
        yield replace(settings, adapt=started)


def _find_learned_film(
    catalogue: CatalogueBase, film: Path, settings: Settings
) -> tuple[str, StageRecord]:
    """Return the project folder of the film to start from, and the record of its adaptation."""
    finished = select(films.c.folder).where(films.c.state == "done").order_by(films.c.id.desc())
    own = select(films.c.id).where(films.c.content_hash == compute_content_hash(film))
    with catalogue.database.read() as connection:
        number = connection.execute(own).scalar()
        if number is not None:
            finished = finished.where(films.c.id < number)
        names = list(connection.execute(finished).scalars())
    place = catalogue.location.folder
    if not names:
        before = "" if number is None else f" before film {number}, which this one is"
        raise NothingLearnedError(
            f"{place} has no finished film{before} to start from: run its films with `personae "
            "catalogue run` first."
        )
    depth = "last" if settings.adapt.depth == "auto" else settings.adapt.depth
    encoder = hash_encoder_weights(settings)
    for name in names:
        folder = catalogue.location.project_folder(name)
        record = _read_manifest(folder).stages.get("adapt")
        if record is None or WEIGHTS_FILE not in record.files:
            continue
        if record.facts.get("depth") == depth and encoder.items() <= record.weights.items():
            return folder, record
    raise NothingLearnedError(
        f"No finished film of {place} has kept what it learned with the encoder "
        f"{settings.encode.encoder} at depth {depth}: set those of the catalogue, or run a film of "
        "it again with this version of personae."
    )


def _read_manifest(folder: str) -> Manifest:
    path = join_path(folder, MANIFEST)
    try:
        with open_file(path) as stream:
            return Manifest.model_validate_json(stream.read())
    except FileNotFoundError:
        raise ProjectError(f"{path} is missing: run its film again.") from None
    except ValidationError as error:
        raise ProjectError(f"{path} is damaged: run its film again.") from error
