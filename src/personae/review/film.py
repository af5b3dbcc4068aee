"""The film under review: what the pages show, read anew whenever the folder has changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import RLock

from personae.core.errors import PersonaeError, ProjectError
from personae.core.files import FileVersion, file_version
from personae.pipeline.kept_evidence import KeptEvidence
from personae.project import Project
from personae.project.edits import CastList
from personae.project.edits.journal import EDITS
from personae.project.folder import MANIFEST
from personae.report.portraits import Portraits
from personae.review.film_state import FilmState, Reversal, ReviewTrack
from personae.review.group_similarity import GroupSimilarity
from personae.review.queue import ReviewQueue
from personae.review.similarity import load_similarity

MAX_REPLACEMENT_S, POLL_INTERVAL_S = 2.0, 0.02
"""How long a clustering may take to put its files in place, and how often that is looked at."""

Marks = tuple[object, ...]
"""What changes when the folder does."""


class ReviewedFilm:
    """A project folder whose pages are served; several threads may read it at once."""

    def __init__(self, folder: Path, cast_list: CastList | None = None) -> None:
        """Open a folder.

        Raises:
            ProjectError: It is no project folder, or its film has not been clustered.
        """
        self.folder = folder
        self.lock = RLock()
        """Held while the project is read or edited."""
        self.project = Project.open(folder)
        self.evidence = KeptEvidence()
        """By which groups are compared once it is measured; until then by their faces alone."""
        self._cast_list = cast_list
        self._scan = ""
        self._compared: tuple[object, GroupSimilarity | None] = (None, None)
        self._state: tuple[Marks, FilmState] | None = None
        self.state()

    @property
    def version(self) -> str:
        """A few digits that change when the film is scanned anew, for addresses of pictures."""
        return self._scan[:8]

    def state(self) -> FilmState:
        """Return the cast and the edits as they are now.

        Raises:
            ProjectError: The folder is damaged, or a run is making it again.
        """
        with self.lock:
            if self._state is None or self._state[0] != self._marks():
                self._state = self._load()
            return self._state[1]

    def _marks(self) -> Marks:
        files = (_version(self.folder / name) for name in (MANIFEST, EDITS))
        return (self.evidence.version, *files)

    def _load(self) -> tuple[Marks, FilmState]:
        """Load the cast; again where a run has put other files in place meanwhile."""
        until = time.monotonic() + MAX_REPLACEMENT_S
        while True:
            marks = self._marks()
            self._wait_for_clustering(until)
            try:
                self._load_pictures()
                return marks, self._load_state()
            except (ProjectError, OSError) as error:
                if time.monotonic() < until and marks != self._marks():
                    continue
                if isinstance(error, ProjectError):
                    raise
                raise ProjectError(
                    f"{self.folder} cannot be read ({error.strerror or error}): reload the page, "
                    "or start the review again."
                ) from error

    def _wait_for_clustering(self, until: float) -> None:
        """Read which stages have finished; wait while a clustering puts its files in place."""
        self.project.refresh()
        while "cluster" not in self.project.manifest.stages and time.monotonic() < until:
            time.sleep(POLL_INTERVAL_S)
            self.project.refresh()

    def best_crops(self, tracks: Sequence[int], count: int) -> list[int]:
        """Return the crops that show some tracks best, one of every track first."""
        return self._portraits.select(tracks, count)

    def track_of_crop(self, crop: int) -> tuple[int, float] | None:
        """Return the track that a crop is of, and its time; None where there is no such crop."""
        with self.lock:
            crops = self.project.table("crops", "track", "time_s")
            if not 0 <= crop < len(crops):
                return None
            return crops["track"][crop].as_py(), crops["time_s"][crop].as_py()

    def crop_jpeg(self, crop: int) -> bytes | None:
        """Return a crop as a JPEG file; None where there is no crop of that number."""
        with self.lock:
            return self._crops.jpeg(crop) if 0 <= crop < len(self._crops) else None

    def _load_pictures(self) -> None:
        scan = self.project.require("scan").digest
        if scan != self._scan:
            self._portraits, self._crops = Portraits(self.project), self.project.crops()
            self._scan = scan

    def _load_state(self) -> FilmState:
        project = self.project
        edits, cast = project.edits, project.cast()
        similarity = self._load_similarity()
        compiled = edits.compiled()
        listed = self._cast_list.names() if self._cast_list else []
        undo, redo = edits.edit_to_undo(), edits.edit_to_redo()
        return FilmState(
            project=project,
            cast=cast,
            tracks=_load_tracks(project),
            edits=compiled,
            to_undo=Reversal(undo.id, edits.describe(undo)) if undo else None,
            to_redo=Reversal(redo.id, edits.describe(redo)) if redo else None,
            problems=tuple(edits.problems()),
            names=tuple(dict.fromkeys([*listed, *sorted(compiled.names)])),
            queue=self._queue,
            similarity=similarity,
        )

    def _load_similarity(self) -> GroupSimilarity | None:
        """Load the descriptors of the tracks, unless those of the last time are still right."""
        stages = self.project.manifest.stages
        digests = [stages[one].digest if one in stages else None for one in ("encode", "adapt")]
        key = (self.evidence.version, *digests)
        if self._compared[0] != key:
            try:
                found = load_similarity(self.project, self.evidence)
            except (PersonaeError, ValueError):
                found = None  # the pages work without; only nothing is suggested
            self._compared = key, found
            self._queue = None if found is None else ReviewQueue(found)
        return self._compared[1]


def _load_tracks(project: Project) -> dict[int, ReviewTrack]:
    spans, characters = project.table("tracks"), project.table("characters")
    said = zip(
        *(characters[name].to_pylist() for name in ("track", "confidence", "runner_up")),
        strict=True,
    )
    of_track = {track: (confidence, runner_up) for track, confidence, runner_up in said}
    rows = zip(
        *(spans[name].to_pylist() for name in ("track", "start_s", "end_s", "status")), strict=True
    )
    return {
        track: ReviewTrack(track, start_s, end_s, status, *of_track[track])
        for track, start_s, end_s, status in rows
    }


def _version(path: Path) -> FileVersion | None:
    """Return the version of a file; None where there is none."""
    try:
        return file_version(path)
    except FileNotFoundError:
        return None
