"""A project folder, `FILM.personae/`: which stages have finished in it, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from pydantic import ValidationError

from personae.core.errors import ProjectError
from personae.core.files import FileMark, atomic_write
from personae.project.manifest import FORMAT, STAGES, Manifest, Source, StageRecord
from personae.project.tables import STAGE_OF_TABLE, file_name, read_table

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.core.arrays import Float32Array
    from personae.project.cast import Cast
    from personae.project.crop_store import StoredCrops
    from personae.project.edits import ProjectEdits
    from personae.project.track_set import ProjectTracks

MANIFEST = "project.json"
REVIEW_ITEMS = "review.json"
EMBEDDINGS = "embeddings.safetensors"
ADAPTATION = "adapt"
REPORT = "report.html"

Condition = Literal["finished", "missing", "stale", "damaged", "not needed"]


@dataclass(frozen=True)
class StageState:
    """The state of one stage; `why` is a sentence unless the stage has finished."""

    stage: str
    condition: Condition
    why: str = ""


class StoredReviewItem(TypedDict):
    """A decision of the clustering for a person to review, as `review.json` holds it."""

    kind: Literal["merge", "split", "unknown"]
    tracks: list[int]  # numbers as in the tables: one track of each side
    probability: float  # 0..1 that the two sides are one person
    text: str


class Project:
    """The folder of one film.

    Reading never writes and needs no lock. What is read must be finished, up to date and undamaged;
    otherwise a ProjectError states in one sentence what `personae run` has to make again.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._tables: dict[tuple[str, ...], pa.Table] = {}

    @classmethod
    def open(cls, folder: str | Path) -> Project:
        """Open an existing project folder.

        Raises:
            ProjectError: The folder is no project, is damaged, or has another format.
        """
        folder = Path(folder)
        path = folder / MANIFEST
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise ProjectError(
                f"{folder} is not a project folder (it has no {MANIFEST}): "
                "make one with `personae run FILM`."
            ) from None
        except OSError as error:
            raise ProjectError(f"{path} cannot be read ({error.strerror}).") from error
        return cls(folder, _parse(path, text))

    def refresh(self) -> None:
        """Read again which stages have finished; tables of unchanged stages stay in memory.

        Raises:
            ProjectError: The folder is damaged or has another format by now.
        """
        before, self.manifest = self.manifest.stages, Project.open(self.folder).manifest
        after = self.manifest.stages
        for key in list(self._tables):
            stage = STAGE_OF_TABLE[key[0]]
            if before.get(stage) != after.get(stage):
                del self._tables[key]
        self.__dict__.pop("review_items", None)

    @property
    def source(self) -> Source:
        """The film of the folder.

        Raises:
            ProjectError: The film has not been scanned yet.
        """
        if self.manifest.source is None:
            raise ProjectError(self._why_unfinished("scan"))
        return self.manifest.source

    def table(self, name: str, *columns: str) -> pa.Table:
        """Read a finished table, with the columns of `core.schema`.

        Args:
            name: shots, faces, tracks, crops, cannot_links or characters.
            *columns: Only these columns are read; the crops' JPEGs are hundreds of megabytes in
                a long film, and `crops` reads them one by one.

        Raises:
            ProjectError: The stage has not finished or has to run again, or the file is damaged
                or was written by another version.
            ValueError: There is no such table.
        """
        if (name, *columns) not in self._tables:
            if name not in STAGE_OF_TABLE:
                raise ValueError(
                    f"there is no table {name!r}; there are: {', '.join(STAGE_OF_TABLE)}"
                )
            path = self.file(STAGE_OF_TABLE[name], file_name(name))
            try:
                self._tables[name, *columns] = read_table(name, path, columns or None)
            except ValueError as error:
                raise ProjectError(
                    f"{path} was written by another version of personae: "
                    "`personae run` will make it again."
                ) from error
        return self._tables[name, *columns]

    def crops(self) -> StoredCrops:
        """Return the images of the `crops` table, in its order, each read on access."""
        from personae.project.crop_store import StoredCrops

        return StoredCrops(self.file("scan", file_name("crops")))

    @cached_property
    def review_items(self) -> list[StoredReviewItem]:
        """The least certain decisions of the clustering, least certain first."""
        text = self.file("cluster", REVIEW_ITEMS).read_bytes()
        items: list[StoredReviewItem] = json.loads(text)["review_items"]
        return items

    @property
    def report(self) -> Path:
        """Path of the report.

        Raises:
            ProjectError: The report has not been written.
        """
        self.require("report")
        return self.folder / REPORT

    def cast(self) -> Cast:
        """Return the characters by falling screen time.

        Raises:
            ProjectError: The clustering has not finished.
        """
        from personae.project.cast import Corrections, build_cast

        edits = self.edits.compiled()
        said = Corrections(edits.names, edits.reviewed, edits.ignored)
        return build_cast(self.table("tracks"), self.table("characters"), self.folder, said)

    @cached_property
    def edits(self) -> ProjectEdits:
        """What people have said about the cast, and the verbs to say more."""
        from personae.project.edits import ProjectEdits

        return ProjectEdits(self)

    def track_set(self, with_embeddings: bool = True, with_frames: bool = True) -> ProjectTracks:
        """Return the tracks that have crops, as adaptation and clustering take them.

        Args:
            with_embeddings: Read the embeddings too, if the encode stage has finished.
            with_frames: Read each crop's box in its frame, the frame's thumbnail, and the clothes.

        Raises:
            ProjectError: The scan has not finished.
        """
        from personae.project.track_set import BOX, CLOTHES, THUMBNAIL, build_track_set

        of_frames = (THUMBNAIL, CLOTHES) if with_frames else ()
        return build_track_set(
            tracks=self.table("tracks"),
            crops=self.table("crops", "track", "time_s", "width", "sharpness", *of_frames),
            cannot_links=self.table("cannot_links"),
            images=self.crops(),
            faces=self.table("faces", "crop", *BOX) if with_frames else None,
            embeddings=self._embeddings() if with_embeddings else None,
        )

    def file(self, stage: str, name: str) -> Path:
        """Return the path of a file that a finished stage wrote.

        Raises:
            ProjectError: The stage has not finished, or the file is not what it wrote.
        """
        record = self.require(stage)
        path = self.folder / name
        if name not in record.files or not _is_intact(path, record.files[name]):
            raise ProjectError(f"{path} is damaged or missing: `personae run` will make it again.")
        return path

    def require(self, stage: str) -> StageRecord:
        """Return the record of a finished stage.

        Raises:
            ProjectError: The stage has not finished, or an earlier stage has changed since.
        """
        state = self._recorded_state(stage)
        if state.condition != "finished":
            raise ProjectError(state.why)
        return self.manifest.stages[stage]

    def states(self) -> list[StageState]:
        """Return the state of every stage, reading all files to find damage."""
        return [self.state(stage) for stage in STAGES]

    def state(self, stage: str) -> StageState:
        """Return the state of one stage, reading all its files to find damage."""
        state = self._recorded_state(stage)
        damaged = self.damaged_file(stage)
        if state.condition == "finished" and damaged is not None:
            why = f"{damaged} is damaged or missing: `personae run` will make it again."
            return StageState(stage, "damaged", why)
        # a finished clustering that reads the adaptation would be stale now, so this one does not
        clustered = self._recorded_state("cluster").condition == "finished"
        if stage == "adapt" and state.condition in ("missing", "stale") and clustered:
            return StageState(stage, "not needed", "The clustering method needs no adaptation.")
        return state

    def damaged_file(self, stage: str) -> Path | None:
        """Return the first file that is not what the stage wrote; None where all are intact."""
        record = self.manifest.stages.get(stage)
        for name, wanted in record.files.items() if record else ():
            if not _is_intact(self.folder / name, wanted):
                return self.folder / name
        return None

    def add_record(self, stage: str, record: StageRecord, source: Source | None = None) -> None:
        """Write the record of a finished stage and, after a scan, what the film is."""
        replaced = {name: old for name, old in self.manifest.replaced.items() if name != stage}
        update: dict[str, object] = {
            "stages": {**self.manifest.stages, stage: record},
            "replaced": replaced,
        }
        if source is not None:
            update["source"] = source
        self._write(self.manifest.model_copy(update=update))

    def set_film_path(self, path: str) -> None:
        """Write that the film is at another path now."""
        source = self.source.model_copy(update={"path": path})
        self._write(self.manifest.model_copy(update={"source": source}))

    def drop_records(self, stages: Iterable[str]) -> None:
        """Remove the records of stages whose files are about to change.

        What they were made with is kept as `replaced` until new ones are added.
        """
        dropped = set(stages)
        if dropped & set(self.manifest.stages):
            records = self.manifest.stages
            kept = {name: record for name, record in records.items() if name not in dropped}
            replaced = {name: record for name, record in records.items() if name in dropped}
            replaced = {**self.manifest.replaced, **replaced}
            self._write(self.manifest.model_copy(update={"stages": kept, "replaced": replaced}))

    def _write(self, manifest: Manifest) -> None:
        with atomic_write(self.folder / MANIFEST) as stream:
            stream.write(manifest.model_dump_json(indent=2).encode() + b"\n")
        self.manifest = manifest
        self._tables.clear()
        self.__dict__.pop("review_items", None)

    def _embeddings(self) -> Float32Array | None:
        """Return the (n, d) embeddings of the crops; None where the encode stage must run."""
        if self._recorded_state("encode").condition != "finished":
            return None
        from safetensors.numpy import load_file

        base: Float32Array = load_file(self.file("encode", EMBEDDINGS))["base"]
        return base

    def _recorded_state(self, stage: str) -> StageState:
        """Return the state of a stage according to the records alone."""
        record = self.manifest.stages.get(stage)
        if record is None:
            return StageState(stage, "missing", self._why_unfinished(stage))
        for earlier, digest in record.reads.items():
            below = self._recorded_state(earlier)
            if below.condition != "finished" or self.manifest.stages[earlier].digest != digest:
                return StageState(stage, "stale", self._why_stale(stage, earlier))
        return StageState(stage, "finished")

    def _why_unfinished(self, stage: str) -> str:
        return (
            f"The {stage} stage of {self.folder} has not finished: `personae run` will finish it."
        )

    def _why_stale(self, stage: str, earlier: str) -> str:
        return (
            f"The {stage} stage of {self.folder} was made from an earlier {earlier} stage: "
            "`personae run` will make it again."
        )


def create_project(folder: Path, created: str) -> Project:
    """Open `folder` as a project, writing an empty manifest where there is none.

    Args:
        folder: An existing folder.
        created: The time now, ISO 8601.

    Raises:
        ProjectError: The manifest is damaged or has another format.
        OutputError: The manifest cannot be written.
    """
    if (folder / MANIFEST).exists():
        return Project.open(folder)
    project = Project(folder, Manifest(created=created))
    project._write(project.manifest)
    return project


def _is_intact(path: Path, wanted: FileMark) -> bool:
    try:
        return path.stat().st_size == wanted.size and FileMark.of(path) == wanted
    except OSError:
        return False


def _parse(path: Path, text: bytes) -> Manifest:
    damaged = f"{path} is damaged: delete it, and `personae run` will start this folder again."
    try:
        content = json.loads(text)
    except ValueError:
        raise ProjectError(damaged) from None
    version = content.get("format") if isinstance(content, dict) else None
    if isinstance(version, int) and version != FORMAT:
        raise ProjectError(
            f"{path.parent} has folder format {version} and this personae reads format {FORMAT}: "
            "use the version that made it, or name another folder with -o."
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError:
        raise ProjectError(damaged) from None
