"""Ways of working on a cast until it is right: answers to the queue, and repair by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from helpers.answered_questions import answer_as_edits, regroup
from personae.core.errors import ContradictionError
from personae.pipeline.runner import recluster, run
from personae.pipeline.settings import recorded_settings
from personae.project import Project
from personae.project.edits import compile_edits
from personae.review.actions import Actions
from personae.review.film import ReviewedFilm
from personae.review.forms import Form
from personae.review.questions import CLICKS_TO_ANSWER, Pair, Question
from review_by_hand import HandRepair
from review_oracle import Groups, Oracle

MAX_ACTIONS = 1000


@dataclass
class Effort:
    """What it took."""

    answers: int = 0
    repairs: int = 0
    clicks: int = 0
    seen: int = 0
    """Pairs of the questions, and tracks of the characters that were gone through by hand."""
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


def finish_by_hand(
    effort: Effort, groups: Groups, oracle: Oracle, target: float, several_at_once: bool = False
) -> Effort:
    """Repair by hand until the target is reached."""
    effort.end = oracle.score(groups)
    seen = 0
    for repair in HandRepair(groups, oracle, several_at_once).run():
        if effort.end >= target:
            break
        effort.end = oracle.score(repair.groups)
        effort.repairs += 1
        effort.clicks += repair.clicks
        seen = repair.seen
    effort.seen += seen
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
        question = self.actions.next_question(ask_of_seen_together=False).question
        if question is None or not question.is_worth_asking:
            return False
        chosen = choose(question, self.oracle)
        if chosen is None:
            if question.id in self._skipped:
                return False  # only skipped questions are left
            self._send(question, "skip")
        else:
            effort.clicks += count_corrections(question, chosen)
            places = [question.pairs.index(pair) for pair in chosen]
            is_refused = chosen == ([] if len(question.pairs) == 1 else question.as_it_is)
            try:
                self._send(question, "no" if is_refused else "yes", places)
            except ContradictionError:  # a group is several people
                self._send(question, "skip")
        effort.answers += 1
        effort.clicks += CLICKS_TO_ANSWER
        effort.seen += len(question.pairs)
        recluster(self.folder, with_report=False, evidence=self.film.evidence)
        return True

    def _send(self, question: Question, answer: str, chosen: Sequence[int] = ()) -> None:
        """Send what the page would send."""
        fields = {"question": question.id, "answer": answer, "chosen": chosen}
        self.actions.answer(Form(urlencode(fields, doseq=True).encode()))
        if answer == "skip":
            self._skipped.add(question.id)


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
    if len(question.pairs) == 1 or chosen == question.as_it_is:
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
        if question is None or not question.is_worth_asking:
            break
        effort.answers += 1
        effort.clicks += CLICKS_TO_ANSWER
        effort.seen += len(question.pairs)
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
        seen=effort.seen + further.seen,
        start=effort.start,
    )
