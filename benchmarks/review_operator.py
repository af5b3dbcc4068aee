"""Count what a person does until the cast is right: with the queue of the review, and by hand.

    python benchmarks/review_operator.py [CLIP ...] [--method NAME] [-o FOLDER]

A simulated operator knows the hand labels. It answers the questions of the queue while there are
any, and repairs what is left by hand: in order of screen time it moves tracks that are somebody
else, one action for each person among them, and merges characters of one person; then it assigns
the unknown tracks, one action for each person. Compared are the queue with the cast clustered anew
after every answer, the queue alone, and repair by hand from the start.

An action is an answer, a merge, or a move of tracks to one person. Clicks count the selecting too:
3 for a merge, one for an answer; for a move one to open the character, one for every track and one
to move them. Finding what is wrong costs nothing here, though only repair by hand has to do it. The
cast is right at a B-cubed F of 0.99 over the labelled faces on tracks, or at the best that whole
tracks can reach.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from clips import CLIPS, COMMAND, Clip
from helpers.answered_questions import answer_as_edit, regroup
from personae.metrics.clustering import bcubed
from personae.metrics.hand_labels import match_faces, read_labels, read_tracks
from personae.pipeline.runner import recluster
from personae.project import Project
from personae.project.edits import compile_edits
from personae.review.actions import Actions
from personae.review.film import FilmState, ReviewedFilm
from personae.review.forms import Form
from personae.review.queue import CLICKS_TO_MERGE, ReviewQueue
from personae.review.similarity import load_similarity
from tables import markdown_table

TARGET_B3F = 0.99
CLICKS_TO_OPEN_AND_MOVE = 2
MAX_ACTIONS = 1000
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


@dataclass
class Effort:
    """What it took."""

    answers: int = 0
    repairs: int = 0
    clicks: int = 0
    start: float = 0.0
    """B-cubed F before the first action."""
    end: float = 0.0
    """B-cubed F after the last one."""

    @property
    def actions(self) -> int:
        """All actions."""
        return self.answers + self.repairs


@dataclass(frozen=True)
class Oracle:
    """Somebody who knows every labelled face."""

    faces: list[tuple[int, str]]
    """Track and person of every labelled face that lies on a track."""
    people: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @classmethod
    def load(cls, project: Project, labels: Path) -> Oracle:
        """Match the hand labels of a clip to its tracks."""
        labelled = read_labels(labels)
        with tempfile.TemporaryDirectory() as folder:
            faces = Path(folder) / "faces.csv"
            command = [*COMMAND, "export", "faces", str(project.folder), "-o", str(faces)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            matches = match_faces(labelled, read_tracks(faces))
        pairs = zip(matches, labelled, strict=True)
        found = cls([(int(track), face.person) for track, face in pairs if track is not None])
        for track, person in found.faces:
            found.people[track][person] += 1
        return found

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


def repair_by_hand(groups: Groups, oracle: Oracle) -> Iterator[tuple[Groups, int]]:
    """Yield the groups after every repair, and its clicks."""
    home: dict[str, int] = {}
    characters, unknown = list(groups.characters), list(groups.unknown)
    place = 0
    while place < len(characters):
        person = oracle.person(characters[place])
        if person is None:
            place += 1
            continue
        strangers: dict[str, list[int]] = defaultdict(list)
        for track in characters[place]:
            own = oracle.person([track])
            if own is not None and own != person:
                strangers[own].append(track)
        for other, tracks in strangers.items():
            characters[place] = tuple(t for t in characters[place] if t not in tracks)
            known = [k for k, one in enumerate(characters) if oracle.person(one) == other]
            if known:
                characters[known[0]] += tuple(tracks)
            else:
                characters.append(tuple(tracks))
            yield Groups(list(characters), list(unknown)), len(tracks) + CLICKS_TO_OPEN_AND_MOVE
        if person in home:
            characters[home[person]] += characters.pop(place)
            yield Groups(list(characters), list(unknown)), CLICKS_TO_MERGE
        else:
            home[person] = place
            place += 1
    for person in sorted({own for one in unknown if (own := oracle.person([one])) is not None}):
        tracks = tuple(one for one in unknown if oracle.person([one]) == person)
        unknown = [one for one in unknown if one not in tracks]
        if person in home:
            characters[home[person]] += tracks
        else:
            home[person] = len(characters)
            characters.append(tracks)
        yield Groups(list(characters), list(unknown)), len(tracks) + CLICKS_TO_OPEN_AND_MOVE


def finish_by_hand(effort: Effort, groups: Groups, oracle: Oracle, target: float) -> Effort:
    """Repair by hand until the target is reached."""
    effort.end = oracle.score(groups)
    for repaired, clicks in repair_by_hand(groups, oracle):
        if effort.end >= target:
            break
        effort.end = oracle.score(repaired)
        effort.repairs += 1
        effort.clicks += clicks
    return effort


def answer_and_recluster(folder: Path, oracle: Oracle, target: float) -> Effort:
    """Answer the queue of a folder, which is clustered anew after every answer."""
    film = ReviewedFilm(folder)
    actions, effort = Actions(film), Effort(start=oracle.score(Groups.of(film.state())))
    skipped: set[str] = set()
    while effort.answers < MAX_ACTIONS and oracle.score(Groups.of(film.state())) < target:
        question, _ = actions.next_question()
        if question is None:
            break
        left, right = oracle.person(question.left), oracle.person(question.right)
        known = left is not None and right is not None
        answer = ("yes" if left == right else "no") if known else "skip"
        if answer == "skip":
            if question.id in skipped:
                break  # only skipped questions are left
            skipped.add(question.id)
        actions.answer(Form(urlencode({"question": question.id, "answer": answer}).encode()))
        effort.answers += 1
        effort.clicks += 1
        recluster(folder, with_report=False)
    return finish_by_hand(effort, Groups.of(film.state()), oracle, target)


def answer_alone(folder: Path, oracle: Oracle, target: float) -> Effort:
    """Answer the queue of a folder without clustering it anew."""
    state = ReviewedFilm(folder).state()
    queue, groups = ReviewQueue(load_similarity(state.project)), Groups.of(state)
    links = state.project.table("cannot_links")
    together = list(zip(links["track_a"].to_pylist(), links["track_b"].to_pylist(), strict=True))
    effort, edits, skipped = Effort(start=oracle.score(groups)), [], set()
    while effort.answers < MAX_ACTIONS and oracle.score(groups) < target:
        asked = queue.build(groups.characters, groups.unknown, compile_edits(edits), together)
        question = next((one for one in asked if one.id not in skipped), None)
        if question is None:
            break
        effort.answers += 1
        effort.clicks += 1
        left, right = oracle.person(question.left), oracle.person(question.right)
        made = [*edits, answer_as_edit(effort.answers, question, left == right)]
        if left is None or right is None or compile_edits(made).contradictions:
            skipped.add(question.id)
            continue
        edits = made
        groups = Groups(*regroup(groups.characters, groups.unknown, question, left == right))
    return finish_by_hand(effort, groups, oracle, target)


def measure_clip(name: str, clip: Clip, folder: Path, method: str) -> list[tuple[str, ...]]:
    """Return the rows of a clip, one for every way of working."""
    if not folder.exists():
        command = [*COMMAND, "run", str(clip.video), "-o", str(folder), "--method", method, "-q"]
        subprocess.run(command, check=True)
    project = Project.open(folder)
    oracle = Oracle.load(project, clip.labels)
    target = min(TARGET_B3F, oracle.best_score())
    with tempfile.TemporaryDirectory() as copies:
        copy = shutil.copytree(folder, Path(copies) / "copy.personae")
        start = Groups.of(ReviewedFilm(folder).state())
        efforts = {
            "queue, clustered anew": answer_and_recluster(copy, oracle, target),
            "queue alone": answer_alone(folder, oracle, target),
            "by hand": finish_by_hand(Effort(start=oracle.score(start)), start, oracle, target),
        }
    return [
        (
            name,
            f"{one.start:.3f}",
            f"{target:.3f}",
            way,
            str(one.answers),
            str(one.repairs),
            str(one.actions),
            str(one.clicks),
            f"{one.end:.3f}",
        )
        for way, one in efforts.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=["demo"], help=", ".join(CLIPS))
    parser.add_argument("--method", default="personae")
    parser.add_argument("-o", "--output", type=Path, help="keep the project folders here")
    given = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as temporary:
        place = given.output or Path(temporary)
        for name in given.clips:
            if not CLIPS[name].present:
                print(f"{name} is not on this machine", file=sys.stderr)
                continue
            rows += measure_clip(name, CLIPS[name], place / f"{name}.personae", given.method)
    header = ("clip", "start", "target", "way", "answers", "repairs", "actions", "clicks", "end")
    print("\n".join(markdown_table(header, rows)))


if __name__ == "__main__":
    main()
