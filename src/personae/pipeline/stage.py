"""Interface of a stage: what its result depends on, what it checks first, and how it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from personae.core.files import FileTransaction
from personae.core.hooks import Hook
from personae.pipeline.kept_evidence import KeptEvidence
from personae.pipeline.settings import Settings
from personae.project.folder import Project
from personae.project.manifest import Source

CHECKPOINT_SUFFIX = ".checkpoint"
"""Ending of a folder in which a stage keeps what it has finished while it runs."""


@dataclass(frozen=True)
class StageContext:
    """The inputs of a stage's run."""

    project: Project
    film: Path
    content_hash: str
    """Of the film."""

    settings: Settings
    digest: str
    """Of everything that the stage's result depends on."""

    files: FileTransaction
    """The stage writes its files through it; they are put in place once the stage has ended."""

    hook: Hook

    evidence: KeptEvidence = field(default_factory=KeptEvidence)
    """The evidence of the film, where it was measured before."""


@dataclass(frozen=True)
class StageResult:
    """What a stage returns beside its files."""

    facts: dict[str, object] = field(default_factory=dict)
    """Figures for the user, such as ``tracks=14``; `warnings` is a list of sentences."""

    source: Source | None = None
    """After a scan, what the film is."""


class Stage(ABC):
    """One step from the film to its report; names everything that its result depends on."""

    name: str

    version: int
    """Raised whenever the stage's code changes its results, so that old ones are made again."""

    def is_needed(self, settings: Settings) -> bool:
        """Return whether a run with these settings includes the stage."""
        return True

    def check_settings(self, settings: Settings) -> None:  # noqa: B027 -- most have none to check
        """Refuse before any work settings that the stage cannot honour.

        Raises:
            SettingError: A value cannot be used.
            WeightsError: A weight file is missing.
        """

    def check_film(self, film: Path) -> None:  # noqa: B027 -- only one stage reads it
        """Refuse before any work a file that the stage cannot read.

        Raises:
            FilmError: The file cannot be read as a film.
        """

    @abstractmethod
    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return the settings that the result depends on, as plain data for the digest."""

    def weights(self, settings: Settings) -> dict[str, str]:
        """Return name -> sha256 of every weight file that the stage uses."""
        return {}

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Return the names of the earlier stages whose files the stage reads."""
        return ()

    def inputs(self, project: Project, parameters: Mapping[str, object]) -> dict[str, str]:
        """Return what people have put into the folder that the result depends on.

        Args:
            project: The project.
            parameters: Those of the stage.

        Returns:
            Name -> digest; empty where there is nothing.
        """
        return {}

    @abstractmethod
    def run(self, context: StageContext) -> StageResult:
        """Do the work, writing through `context.files`."""
