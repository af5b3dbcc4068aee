"""`project.json`: which film the folder is about, and which stages finished with which settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from personae.core.files import FileMark

FORMAT = 3
"""Version of the folder's layout; a folder of another version is refused in one sentence."""

STAGES = ("scan", "encode", "adapt", "cluster", "report")
"""Names of the stages in the order they run; each reads what earlier ones wrote."""


class Source(BaseModel):
    """The film: where it is and what it holds."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int
    mtime_ns: int
    content_hash: str  # of the size and of samples of the file
    container: str
    codec: str
    width: int  # pixels as displayed, after rotation
    height: int
    rotation: int  # degrees clockwise that were undone: 0, 90, 180, 270
    time_base: str  # seconds per tick: "1/90000"
    frame_rate: str | None  # average, rational: "24000/1001"
    constant_rate: str | None  # at which all frames come, exact: "24000/1001"; None: it varies
    audio_channels: int = 0  # of the first audio stream; 0: silent
    timecode: str | None  # of the first frame, as the container states it: "01:00:00:00"
    start_s: float  # time of the first frame
    container_start_s: float  # time at which the first stream of the file starts
    duration_s: float
    frames: int  # decoded


class StageRecord(BaseModel):
    """The record of a finished stage; a table without it counts as missing."""

    model_config = ConfigDict(frozen=True)

    parameters: dict[str, object]  # the stage's settings, as JSON holds them
    weights: dict[str, str]  # name -> sha256
    software: str  # personae's version
    reads: dict[str, str]  # earlier stage -> its digest
    inputs: dict[str, str] = {}  # what people have put into the folder -> its digest: "edits"
    digest: str  # of the film, the parameters, the weights, the inputs and the digests it reads
    files: dict[str, FileMark]  # path within the folder -> size and hash
    seconds: float
    finished: str  # ISO 8601, UTC
    facts: dict[str, object] = {}  # figures for the user: faces=120, characters=7

    @property
    def warnings(self) -> list[str]:
        """Sentences about what may be wrong with the film; empty for most stages."""
        found = self.facts.get("warnings")
        return [str(text) for text in found] if isinstance(found, list) else []


class Manifest(BaseModel):
    """The content of `project.json`."""

    format: int = FORMAT
    created: str
    source: Source | None = None  # None until the scan has finished
    stages: dict[str, StageRecord] = {}
    replaced: dict[str, StageRecord] = {}  # of stages whose files are being replaced at the moment
