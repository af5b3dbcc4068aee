"""The film under review: what the pages show, read anew whenever the folder has changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from personae.core.errors import PersonaeError
from personae.pipeline.kept_evidence import KeptEvidence
from personae.project import Character, Project
from personae.project.edits import CastList
from personae.project.edits.describe import describe_edit
from personae.project.edits.journal import EDITS
from personae.project.folder import MANIFEST
from personae.report.portraits import Portraits
from personae.review.group_similarity import GroupSimilarity
from personae.review.queue import Question, ReviewQueue, SettledPairs, Sides
from personae.review.similarity import load_similarity

if TYPE_CHECKING:
    from personae.project import Cast
    from personae.project.edits import CompiledEdits

MAX_REPLACEMENT_S, POLL_INTERVAL_S = 2.0, 0.02
"""How long a clustering may take to put its files in place, and how often that is looked at."""

MIN_TRACK_LENGTH_S = 1e-3
"""Lower bound of a track's length as a weight."""


@dataclass(frozen=True)
class ReviewTrack:
    """A track as the pages show it."""

    number: int
    start_s: float
    end_s: float
    status: str
    confidence: float
    """0..1 that it belongs to its character."""

    runner_up: str | None
    """Label of the next best character."""


@dataclass(frozen=True)
class Reversal:
    """An edit that can be undone or redone."""

    number: int
    text: str


@dataclass(frozen=True)
class Guess:
    """The character that an unknown track most probably is."""

    character: Character
    probability: float


@dataclass(frozen=True)
class ProposedSplit:
    """The best cut of a character into two."""

    sides: Sides
    """The larger side first."""

    probability: float
    """0..1 that the two sides are one person."""


@dataclass(frozen=True)
class FilmState:
    """The cast and the edits at one moment."""

    project: Project
    cast: Cast
    tracks: dict[int, ReviewTrack]
    edits: CompiledEdits
    to_undo: Reversal | None
    to_redo: Reversal | None
    problems: tuple[str, ...]
    names: tuple[str, ...]
    """Names to complete from: those of the cast list first, then those that were given."""

    queue: ReviewQueue | None
    """None where the crops are not encoded, so that nothing can be compared."""

    similarity: GroupSimilarity | None

    def title(self, label: str | None) -> str | None:
        """Return the name of a character, or its label where it has none."""
        if label is None:
            return None
        character = self.by_label.get(label)
        return label if character is None else character.name or label

    @cached_property
    def by_label(self) -> dict[str, Character]:
        """The characters by their labels."""
        return {one.label: one for one in self.cast}

    def by_typicality(self, tracks: Sequence[int]) -> tuple[int, ...]:
        """Return tracks, those that are long and surely of their character first."""

        def weight(number: int) -> tuple[float, int]:
            track = self.tracks[number]
            length = max(track.end_s - track.start_s, MIN_TRACK_LENGTH_S)
            return -track.confidence * length, number

        return tuple(sorted(tracks, key=weight))

    def questions(self, ask_of_seen_together: bool = False) -> list[Question]:
        """Return the queue, the most useful question first.

        Args:
            ask_of_seen_together: Ask about groups too that are on screen together at some time, as
                a person and its image in a mirror are.
        """
        if self.queue is None:
            return []
        if ask_of_seen_together not in self._questions:
            links = self.project.table("cannot_links")
            pairs = zip(links["track_a"].to_pylist(), links["track_b"].to_pylist(), strict=True)
            characters = [self.by_typicality(one.tracks) for one in self.cast]
            self._questions[ask_of_seen_together] = self.queue.build(
                characters, self.cast.unknown, self.edits, () if ask_of_seen_together else pairs
            )
        return self._questions[ask_of_seen_together]

    @cached_property
    def _questions(self) -> dict[bool, list[Question]]:
        """Queues that have been made."""
        return {}

    def split(self, character: Character) -> ProposedSplit | None:
        """Return the best cut of a character's tracks; None where it was answered, or is none."""
        if self.queue is None or self.similarity is None:
            return None
        self.similarity.calibrate([one.tracks for one in self.cast])
        sides = self.queue.split(self.by_typicality(character.tracks), self.edits)
        if sides is None or SettledPairs(self.edits).is_answered(*sides):
            return None
        same = self.similarity.probabilities(sides[:1], sides[1:])
        return ProposedSplit(sides, float(same[0, 0]))

    @cached_property
    def guesses(self) -> dict[int, Guess]:
        """The nearest character of every unknown track, of those that an edit does not rule out."""
        if self.similarity is None or not len(self.cast):
            return {}
        self.similarity.calibrate([one.tracks for one in self.cast])
        settled = SettledPairs(self.edits)
        characters = self.cast.characters
        unknown = [track for track in self.cast.unknown if self.similarity.knows(track)]
        found = self.similarity.track_probabilities(unknown, [one.tracks for one in characters])
        guesses = {}
        for track, row in zip(unknown, found, strict=True):
            for place in (-row).argsort(kind="stable"):
                if not settled.is_answered(characters[place].tracks, (track,)):
                    guesses[track] = Guess(characters[place], float(row[place]))
                    break
        return guesses


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
        self._state: tuple[object, FilmState] | None = None
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
            marks = (
                self.evidence.version,
                *(_mark(self.folder / name) for name in (MANIFEST, EDITS)),
            )
            if self._state is None or self._state[0] != marks:
                self._wait_for_clustering()
                self._load_pictures()
                self._state = marks, self._load_state()
            return self._state[1]

    def _wait_for_clustering(self) -> None:
        """Read which stages have finished; wait while a clustering puts its files in place."""
        until = time.monotonic() + MAX_REPLACEMENT_S
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
            to_undo=Reversal(undo.id, describe_edit(undo)) if undo else None,
            to_redo=Reversal(redo.id, describe_edit(redo)) if redo else None,
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


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file does."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
