"""A project folder, `FILM.personae/`: what is finished in it, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from personae.core.errors import ProjectError
from personae.core.files import FileMark, mark, replacing
from personae.project.manifest import FORMAT, STAGES, Manifest, Source, StageRecord
from personae.project.tables import STAGE_OF_TABLE, file_name, read_table

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project.cast import Cast
    from personae.project.crop_store import StoredCrops
    from personae.project.track_set import ProjectTracks

MANIFEST = "project.json"
CHECKS = "checks.json"
EMBEDDINGS = "embeddings.safetensors"
ADAPTATION = "adapt"
REPORT = "report.html"

Condition = Literal["finished", "missing", "stale", "damaged", "not needed"]


@dataclass(frozen=True)
class StageState:
    """How a stage stands; `why` is a sentence unless it is finished."""

    stage: str
    condition: Condition
    why: str = ""


class Project:
    """The folder of one film.

    Reading never writes and needs no lock. Whatever is asked for must be finished, up to date and undamaged;
    otherwise a ProjectError says in one sentence what `personae run` has to make again.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._tables: dict[tuple[str, ...], pa.Table] = {}

    @classmethod
    def open(cls, folder: str | Path) -> Project:
        """Open an existing project folder; ProjectError where it is none, damaged or too new."""
        folder = Path(folder)
        path = folder / MANIFEST
        try:
            text = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise ProjectError(
                f"{folder} is not a project folder (it has no {MANIFEST}): make one with `personae run FILM`."
            ) from None
        except OSError as error:
            raise ProjectError(f"{path} cannot be read ({error.strerror}).") from error
        return cls(folder, _parse(path, text))

    @property
    def source(self) -> Source:
        """The film this folder is about; ProjectError where it has not been scanned yet."""
        if self.manifest.source is None:
            raise ProjectError(self._unfinished("scan"))
        return self.manifest.source

    def table(self, name: str, *columns: str) -> pa.Table:
        """Read a finished table (shots, faces, tracks, crops, links, characters) as in `core.schema`.

        With `columns`, only those are read: the pictures of all crops are hundreds of megabytes in a long
        film, and `crops` gives them one by one. Raises ProjectError where the stage has not finished, has to
        be run again, or the file is damaged or another version's.
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
                    f"{path} was written by another version of personae: `personae run` will make it again."
                ) from error
        return self._tables[name, *columns]

    def crops(self) -> StoredCrops:
        """Give the pictures of the `crops` table, in its order, each read when it is asked for."""
        from personae.project.crop_store import StoredCrops

        return StoredCrops(self.file("scan", file_name("crops")))

    @cached_property
    def checks(self) -> list[dict[str, Any]]:
        """The decisions of the clustering nearest to the edge, nearest first.

        Each has `kind` ("merge", "split" or "unknown"), `tracks` (as in the tables), `probability`, `text`.
        """
        text = self.file("cluster", CHECKS).read_bytes()
        checks: list[dict[str, Any]] = json.loads(text)["checks"]
        return checks

    @property
    def report(self) -> Path:
        """Where the report lies; ProjectError where it has not been written."""
        self.require("report")
        return self.folder / REPORT

    def cast(self) -> Cast:
        """List the characters by falling screen time."""
        from personae.project.cast import read_cast

        return read_cast(self)

    def track_set(self, embedded: bool = True, placed: bool = True) -> ProjectTracks:
        """Give the tracks that have crops, as every adapting or clustering method takes them.

        With `embedded`, the embeddings are there too, once their stage has finished; with `placed`, where and
        in what picture each crop was seen.
        """
        from personae.project.track_set import read_tracks

        return read_tracks(self, embedded, placed)

    def file(self, stage: str, name: str) -> Path:
        """Find a file of a finished stage; ProjectError where it is not what the stage wrote."""
        record = self.require(stage)
        path = self.folder / name
        if name not in record.files or not _holds(path, record.files[name]):
            raise ProjectError(f"{path} is damaged or missing: `personae run` will make it again.")
        return path

    def require(self, stage: str) -> StageRecord:
        """Give the record of a finished stage whose inputs have not changed since; ProjectError otherwise."""
        state = self._paper_state(stage)
        if state.condition != "finished":
            raise ProjectError(state.why)
        return self.manifest.stages[stage]

    def states(self) -> list[StageState]:
        """Judge every stage, reading all its files to find damage."""
        return [self.state(stage) for stage in STAGES]

    def state(self, stage: str) -> StageState:
        """Judge one stage, reading all its files to find damage."""
        state = self._paper_state(stage)
        damaged = self.damaged_file(stage)
        if state.condition == "finished" and damaged is not None:
            why = f"{damaged} is damaged or missing: `personae run` will make it again."
            return StageState(stage, "damaged", why)
        if stage == "adapt" and state.condition in ("missing", "stale"):
            cluster = self._paper_state("cluster")
            if (
                cluster.condition == "finished"
                and "adapt" not in self.manifest.stages["cluster"].reads
            ):
                return StageState(stage, "not needed", "The clustering method needs no adaptation.")
        return state

    def damaged_file(self, stage: str) -> Path | None:
        """Find the first file of a stage that is not what the stage wrote."""
        record = self.manifest.stages.get(stage)
        for name, wanted in record.files.items() if record else ():
            if not _holds(self.folder / name, wanted):
                return self.folder / name
        return None

    def record(self, stage: str, record: StageRecord, source: Source | None = None) -> None:
        """Write the marker of a finished stage (and, after a scan, what the film is)."""
        update: dict[str, Any] = {"stages": {**self.manifest.stages, stage: record}}
        if source is not None:
            update["source"] = source
        self._write(self.manifest.model_copy(update=update))

    def film_moved(self, path: str) -> None:
        """Note that the film lies at another path now."""
        self._write(
            self.manifest.model_copy(
                update={"source": self.source.model_copy(update={"path": path})}
            )
        )

    def forget(self, stages: Iterable[str]) -> None:
        """Drop the markers of stages whose files are about to change."""
        gone = set(stages)
        if gone & set(self.manifest.stages):
            kept = {
                name: record for name, record in self.manifest.stages.items() if name not in gone
            }
            self._write(self.manifest.model_copy(update={"stages": kept}))

    def _write(self, manifest: Manifest) -> None:
        with replacing(self.folder / MANIFEST) as stream:
            stream.write(manifest.model_dump_json(indent=2).encode() + b"\n")
        self.manifest = manifest
        self._tables.clear()
        self.__dict__.pop("checks", None)

    def _paper_state(self, stage: str) -> StageState:
        """Judge a stage by the markers alone."""
        record = self.manifest.stages.get(stage)
        if record is None:
            return StageState(stage, "missing", self._unfinished(stage))
        for earlier, digest in record.reads.items():
            below = self._paper_state(earlier)
            if below.condition != "finished":
                return StageState(stage, "stale", self._stale(stage, earlier))
            if self.manifest.stages[earlier].digest != digest:
                return StageState(stage, "stale", self._stale(stage, earlier))
        return StageState(stage, "finished")

    def _unfinished(self, stage: str) -> str:
        return (
            f"The {stage} stage of {self.folder} has not finished: `personae run` will finish it."
        )

    def _stale(self, stage: str, earlier: str) -> str:
        return (
            f"The {stage} stage of {self.folder} was made from an earlier {earlier} stage: "
            "`personae run` will make it again."
        )


def create(folder: Path, created: str) -> Project:
    """Make `folder` a project folder unless it is one; ProjectError where it holds other things."""
    if (folder / MANIFEST).exists():
        return Project.open(folder)
    project = Project(folder, Manifest(created=created))
    project._write(project.manifest)
    return project


def _holds(path: Path, wanted: FileMark) -> bool:
    try:
        return path.stat().st_size == wanted.size and mark(path) == wanted
    except OSError:
        return False


def _parse(path: Path, text: bytes) -> Manifest:
    damaged = f"{path} is damaged: delete it, and `personae run` will start this folder anew."
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
