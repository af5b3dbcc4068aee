"""Count what a person does until the cast is right: with the queue of the review, and by hand.

    python benchmarks/review_operator.py [CLIP ...] [--third] [--learn] [--method NAME] [-o FOLDER]

A simulated operator knows the hand labels. It answers the questions of the queue while there are
any, and repairs what is left by hand: in order of screen time it moves tracks that are somebody
else, one action for each person among them, and merges characters of one person, two at a time;
then it assigns the unknown tracks, one action for each person. Compared are the queue with the cast
clustered anew after every answer, the queue alone, and repair by hand from the start. With
`--third` every film is taken at a third of its size, too. With `--learn` the first half of the
actions of the queue is followed by a run that learns from them, which is compared with going on
without it.

An action is an answer, a merge, or a move of tracks to one person. One answer says of all pairs
that a question shows which are one person. Clicks count the selecting too: 3 for a merge, one for
an answer and one for every pair whose selection has to be changed first; for a move one to open the
character, one for every track and one to move them. Looking costs nothing here, neither at the
pairs of a question, which are counted, nor for what is wrong, which repair by hand has to find.
Faces without a label are left as they are shown. The cast is right at a B-cubed F of 0.99 over the
labelled faces on tracks, or at the best that whole tracks can reach.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from clips import CLIPS, COMMAND
from helpers.answered_questions import answer_as_edits, regroup
from personae.metrics.clustering import bcubed
from personae.metrics.hand_labels import (
    LABEL_COLUMNS,
    LabelledFace,
    match_faces,
    read_labels,
    read_tracks,
)
from personae.pipeline.runner import recluster, run
from personae.pipeline.settings import Settings, recorded_settings
from personae.project import Project
from personae.project.edits import compile_edits
from personae.review.actions import Actions
from personae.review.film import FilmState, ReviewedFilm
from personae.review.forms import Form
from personae.review.queue import CLICKS_TO_MERGE, Pair, Question
from tables import markdown_table
from variants import VARIANTS, LabelledFilm

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
    pairs: int = 0
    """Pairs of groups that the questions showed."""
    start: float = 0.0
    """B-cubed F before the first action."""
    end: float = 0.0
    """B-cubed F after the last one."""
    target: float = 0.0
    """B-cubed F at which the cast is right."""

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
    def load(cls, project: Project, labelled: Sequence[LabelledFace]) -> Oracle:
        """Match the hand labels of a film to its tracks."""
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


class Session:
    """A folder under review, whose questions an oracle answers."""

    def __init__(self, folder: Path, oracle: Oracle) -> None:
        self.folder, self.oracle = folder, oracle
        self.film = ReviewedFilm(folder)
        self.film.evidence.measure(self.film.project, recorded_settings(self.film.project))
        self.actions = Actions(self.film)
        self._skipped: set[str] = set()

    def groups(self) -> Groups:
        """Return who is who now."""
        return Groups.of(self.film.state())

    def score(self) -> float:
        """Return the B-cubed F now."""
        return self.oracle.score(self.groups())

    def answer(self, effort: Effort) -> bool:
        """Answer the next question and cluster anew; return False where there is none."""
        question, _ = self.actions.next_question(ask_of_seen_together=False)
        if question is None:
            return False
        fields = {"question": question.id, "answer": "skip"}
        chosen = choose(question, self.oracle)
        if chosen is None:
            if question.id in self._skipped:
                return False  # only skipped questions are left
            self._skipped.add(question.id)
        else:
            places = [question.pairs.index(pair) for pair in chosen]
            fields |= {"answer": "yes" if chosen else "no", "chosen": places}
            effort.clicks += count_corrections(question, chosen)
        self.actions.answer(Form(urlencode(fields, doseq=True).encode()))
        effort.answers += 1
        effort.clicks += 1
        effort.pairs += len(question.pairs)
        recluster(self.folder, with_report=False, evidence=self.film.evidence)
        return True


def choose(question: Question, oracle: Oracle) -> list[Pair] | None:
    """Return the pairs of a question that are one person; None where nothing is known of any."""
    people = [(oracle.person(pair.left), oracle.person(pair.right)) for pair in question.pairs]
    if all(None in sides for sides in people):
        return None
    return [
        pair
        for pair, (left, right) in zip(question.pairs, people, strict=True)
        if (pair.is_selected if None in (left, right) else left == right)
    ]


def count_corrections(question: Question, chosen: list[Pair]) -> int:
    """Return how many pairs of several have to be selected, or no longer be so."""
    if len(question.pairs) == 1 or not chosen:
        return 0  # both have a button
    return sum(pair.is_selected != (pair in chosen) for pair in question.pairs)


def answer_and_recluster(
    folder: Path, oracle: Oracle, target: float, max_answers: int = MAX_ACTIONS
) -> Effort:
    """Answer the queue of a folder, which is clustered anew after every answer."""
    session = Session(folder, oracle)
    effort = Effort(start=session.score())
    while effort.answers < max_answers and session.score() < target:
        if not session.answer(effort):
            break
    if effort.answers == max_answers:
        effort.end = session.score()
        return effort
    return finish_by_hand(effort, session.groups(), oracle, target)


def answer_alone(folder: Path, oracle: Oracle, target: float) -> Effort:
    """Answer the queue of a folder without clustering it anew."""
    session = Session(folder, oracle)
    state = session.film.state()
    queue, groups = state.queue, session.groups()
    links = state.project.table("cannot_links")
    together = list(zip(links["track_a"].to_pylist(), links["track_b"].to_pylist(), strict=True))
    effort, edits, skipped = Effort(start=oracle.score(groups)), [], set()
    while queue and effort.answers < MAX_ACTIONS and oracle.score(groups) < target:
        asked = queue.build(groups.characters, groups.unknown, compile_edits(edits), together)
        question = next((one for one in asked if one.id not in skipped), None)
        if question is None:
            break
        effort.answers += 1
        effort.clicks += 1
        effort.pairs += len(question.pairs)
        chosen = choose(question, oracle)
        made = [*edits, *answer_as_edits(len(edits) + 1, question, chosen or [])]
        if chosen is None or compile_edits(made).contradictions:
            skipped.add(question.id)
            continue
        effort.clicks += count_corrections(question, chosen)
        edits = made
        groups = Groups(*regroup(groups.characters, groups.unknown, question, chosen))
    return finish_by_hand(effort, groups, oracle, target)


def answer_and_learn(film: Path, folder: Path, oracle: Oracle, target: float, half: int) -> Effort:
    """Answer so many questions, learn the film with them, and go on."""
    effort = answer_and_recluster(folder, oracle, target, half)
    settings = recorded_settings(Project.open(folder))
    adapt = settings.adapt.model_copy(update={"learn_edits": True})
    run(film, folder, replace(settings, adapt=adapt))
    further = answer_and_recluster(folder, oracle, target)
    return replace(
        further,
        answers=effort.answers + further.answers,
        repairs=effort.repairs + further.repairs,
        clicks=effort.clicks + further.clicks,
        pairs=effort.pairs + further.pairs,
        start=effort.start,
    )


@dataclass(frozen=True)
class Case:
    """A labelled film, and where its project folder is."""

    name: str
    film: LabelledFilm
    folder: Path


def measure_case(case: Case, method: str, learn: bool) -> dict[str, Effort]:
    """Return what every way of working took."""
    run(case.film.path, case.folder, Settings.from_flat(method=method))
    project = Project.open(case.folder)
    oracle = Oracle.load(project, case.film.labels)
    target = min(TARGET_B3F, oracle.best_score())
    start = Groups.of(ReviewedFilm(case.folder).state())
    with tempfile.TemporaryDirectory() as copies:
        copy = shutil.copytree(case.folder, Path(copies) / "copy.personae")
        queue = answer_and_recluster(copy, oracle, target)
        efforts = {
            "queue, clustered anew": queue,
            "queue alone": answer_alone(case.folder, oracle, target),
            "by hand": finish_by_hand(Effort(start=oracle.score(start)), start, oracle, target),
        }
        if learn and queue.answers > 1:
            copy = shutil.copytree(case.folder, Path(copies) / "learning.personae")
            efforts["queue, learned after half"] = answer_and_learn(
                case.film.path, copy, oracle, target, queue.actions // 2
            )
    for effort in efforts.values():
        effort.target = target
    return efforts


def list_cases(names: Sequence[str], folder: Path, third: bool) -> Iterator[Case]:
    """Yield the cases of some clips; films at a third of their size are made in the folder."""
    for name in names:
        clip = CLIPS[name]
        if not clip.present:
            print(f"{name} is not on this machine", file=sys.stderr)
            continue
        film = LabelledFilm(clip.video, read_labels(clip.labels))
        yield Case(name, film, folder / f"{name}.personae")
        if third:
            small = make_third(film, folder / f"{name}-third.mp4")
            yield Case(f"{name}, third size", small, folder / f"{name}-third.personae")


def make_third(film: LabelledFilm, path: Path) -> LabelledFilm:
    """Return a film at a third of its size, which is made unless it is there already."""
    labels = path.with_suffix(".labels.csv")
    if not (path.exists() and labels.exists()):
        write_labels(VARIANTS["third size"](film, film, path).labels, labels)
    return LabelledFilm(path, read_labels(labels))


def write_labels(faces: Sequence[LabelledFace], path: Path) -> None:
    """Write hand labels in the format of `read_labels`."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(LABEL_COLUMNS)
        writer.writerows((face.time_s, *face.box, face.person) for face in faces)


def summarise(found: dict[str, dict[str, Effort]]) -> list[str]:
    """Return sentences about all cases that were not right from the start."""
    worked = [ways for ways in found.values() if ways["by hand"].actions]
    if not worked:
        return ["Every cast was right from the start."]
    sentences = []
    for way in ("queue, clustered anew", "queue alone"):
        ratios = [ways[way].actions / ways["by hand"].actions for ways in worked]
        total = sum(ways[way].actions for ways in worked)
        by_hand = sum(ways["by hand"].actions for ways in worked)
        clicks = sum(ways[way].clicks for ways in worked)
        clicks_by_hand = sum(ways["by hand"].clicks for ways in worked)
        sentences.append(
            f"{way}: {total} actions against {by_hand} by hand in {len(worked)} casts, "
            f"{statistics.mean(ratios):.2f} of them on average; {clicks} clicks against "
            f"{clicks_by_hand}."
        )
    learned = [ways for ways in worked if "queue, learned after half" in ways]
    if learned:
        plain, taught = (
            sum(ways[way].actions for ways in learned)
            for way in ("queue, clustered anew", "queue, learned after half")
        )
        sentences.append(
            f"Learning after half of the actions of {len(learned)} casts: {taught} actions instead "
            f"of {plain}, {plain - taught} fewer."
        )
    return sentences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=["demo"], help=", ".join(CLIPS))
    parser.add_argument("--method", default="personae")
    parser.add_argument("--third", action="store_true", help="films at a third of their size, too")
    parser.add_argument("--learn", action="store_true", help="learn after half of the actions, too")
    parser.add_argument("-o", "--output", type=Path, help="keep the project folders here")
    given = parser.parse_args()
    found: dict[str, dict[str, Effort]] = {}
    header = (
        *("clip", "start", "target", "way", "answers", "repairs", "actions", "clicks"),
        *("pairs shown", "end"),
    )
    print("\n".join(markdown_table(header, [])), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        place = given.output or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        for case in list_cases(given.clips, place, given.third):
            found[case.name] = measure_case(case, given.method, given.learn)
            for way, one in found[case.name].items():
                numbers = (one.answers, one.repairs, one.actions, one.clicks, one.pairs)
                scores = (f"{one.start:.3f}", f"{one.target:.3f}")
                cells = (case.name, *scores, way, *map(str, numbers), f"{one.end:.3f}")
                print(f"| {' | '.join(cells)} |", flush=True)
    print()
    print("\n".join(summarise(found)))


if __name__ == "__main__":
    main()
