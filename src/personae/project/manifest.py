"""`project.json`: what film this folder is about, and which stages have finished with which settings."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from personae.core.files import FileMark

FORMAT = 1
"""Version of the folder's layout; a folder of another version is refused with a clear sentence."""

STAGES = ("scan", "embed", "adapt", "cluster", "report")
"""In the order they run; each reads what the earlier ones wrote."""


class Source(BaseModel):
    """The film: where it is and what it holds."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int
    mtime_ns: int
    content_hash: str  # quick: of the size and of pieces of the file
    container: str
    codec: str
    width: int  # as displayed, after rotation
    height: int
    rotation: int  # degrees clockwise that were undone: 0, 90, 180, 270
    time_base: str  # "1/90000"
    frame_rate: str | None  # average, rational: "24000/1001"
    start_s: float  # time of the first frame
    duration_s: float
    frames: int  # decoded


class StageRecord(BaseModel):
    """A finished stage. A table without this marker is not there."""

    model_config = ConfigDict(frozen=True)

    parameters: dict[str, Any]
    weights: dict[str, str]  # name -> sha256
    software: str  # personae's version
    reads: dict[str, str]  # earlier stage -> its digest
    digest: str  # of the source, the parameters, the weights and the digests it reads
    files: dict[str, FileMark]  # path within the folder -> what it held
    seconds: float
    finished: str  # ISO 8601, UTC
    facts: dict[str, Any] = {}  # what is worth showing: faces=120, people=7


class Manifest(BaseModel):
    """The whole of `project.json`."""

    format: int = FORMAT
    created: str
    source: Source | None = None  # None until the scan has finished
    stages: dict[str, StageRecord] = {}
