"""Who is who in a film under review, and somebody who knows it: the hand labels."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clips import COMMAND
from personae.metrics.clustering import bcubed
from personae.metrics.hand_labels import LabelledFace, match_faces, read_tracks
from personae.project import Project
from personae.review.film_state import FilmState

Tracks = tuple[int, ...]


@dataclass(frozen=True)
class Groups:
    """Who is who at one moment."""

    characters: list[Tracks]
    """By falling screen time."""
    unknown: list[int]

    @classmethod
    def of(cls, state: FilmState) -> Groups:
        """Return the cast of a film."""
        characters = [state.by_typicality(one.tracks) for one in state.cast]
        return cls(characters, list(state.cast.unknown))


@dataclass(frozen=True)
class Oracle:
    """Somebody who knows every labelled face."""

    faces: list[tuple[int, str]]
    """Track and person of every labelled face that lies on a track."""
    people: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Track -> how many of its faces are of whom."""

    def __post_init__(self) -> None:
        """Count the faces of every track."""
        for track, person in self.faces:
            self.people[track][person] += 1

    @classmethod
    def load(cls, project: Project, labelled: Sequence[LabelledFace]) -> Oracle:
        """Match the hand labels of a film to its tracks."""
        with tempfile.TemporaryDirectory() as folder:
            faces = Path(folder) / "faces.csv"
            command = [*COMMAND, "export", "faces", str(project.folder), "-o", str(faces)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            matches = match_faces(labelled, read_tracks(faces))
        pairs = zip(matches, labelled, strict=True)
        return cls([(int(track), face.person) for track, face in pairs if track is not None])

    def person(self, tracks: Sequence[int]) -> str | None:
        """Return who most faces of some tracks are; None where none is labelled."""
        votes: Counter[str] = Counter()
        for track in tracks:
            votes.update(self.people.get(track, {}))
        return max(sorted(votes), key=lambda one: votes[one]) if votes else None

    def score(self, groups: Groups) -> float:
        """Return the B-cubed F of the labelled faces on tracks."""
        cluster_of = {t: place for place, group in enumerate(groups.characters) for t in group}
        clusters = [cluster_of.get(track, -1) for track, _ in self.faces]
        return float(bcubed([person for _, person in self.faces], clusters).f)

    def best_score(self) -> float:
        """Return the score where every track is with the person of most of its faces."""
        by_person: dict[str | None, list[int]] = defaultdict(list)
        for track in self.people:
            by_person[self.person([track])].append(track)
        return self.score(Groups([tuple(one) for one in by_person.values()], []))
