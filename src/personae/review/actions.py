"""What a person does on the pages, as edits of the cast."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from personae.core.errors import EditError
from personae.project.edits import EnteredEdit
from personae.project.edits.names import clean_name
from personae.review.answers import enter_answer, statements_of
from personae.review.film import ReviewedFilm
from personae.review.film_state import FilmState
from personae.review.forms import Form
from personae.review.questions import Pair, Question

MAX_OFFERED_QUESTIONS = 2000
"""Questions that can still be answered after they were shown."""


class AskedQuestion(NamedTuple):
    """The next question of the queue."""

    state: FilmState
    """The cast that it is about."""

    question: Question | None
    """None where nothing is worth asking."""

    n_left: int
    """Questions that are left, this one included."""


class Actions:
    """Enters edits; every method returns what the person should be told."""

    def __init__(self, film: ReviewedFilm) -> None:
        self._film = film
        self._offered: OrderedDict[str, Question] = OrderedDict()
        self._skipped: dict[str, None] = {}

    def enter(self, form: Form) -> list[str]:
        """Enter the edit of a form; its field `verb` says which.

        Raises:
            EditError: The edit cannot be made.
            OutputError: It cannot be written.
        """
        verbs: dict[str, Callable[[Form], Sequence[EnteredEdit]]] = {
            "name": self._name,
            "merge": self._merge,
            "ignore": self._ignore,
            "confirm": self._confirm,
            "split": self._split,
            "move": self._move,
            "accept": self._accept_guesses,
            "undo": self._undo,
            "redo": self._redo,
        }
        enter = verbs.get(form.text("verb"))
        if enter is None:
            raise EditError(f"There is no verb {form.text('verb')[:20]!r}.")
        with self._film.lock:
            self._film.state()  # the labels of the form are those of the present cast
            return [note for entered in enter(form) for note in entered.notes]

    def next_question(self, ask_of_seen_together: bool) -> AskedQuestion:
        """Return the next question; those skipped come last."""
        with self._film.lock:
            state = self._film.state()
            questions = state.questions(ask_of_seen_together)
            if not questions:
                return AskedQuestion(state, None, 0)
            order = {id_: place for place, id_ in enumerate(self._skipped)}
            question = min(questions, key=lambda one: order.get(one.id, -1))
            self._offered[question.id] = question
            self._offered.move_to_end(question.id)
            while len(self._offered) > MAX_OFFERED_QUESTIONS:
                self._offered.popitem(last=False)
        return AskedQuestion(state, question, len(questions))

    def answer(self, form: Form) -> list[str]:
        """Enter the answer to a question that was shown; it is about the tracks that were shown.

        Raises:
            EditError: There was no such question, or the answer contradicts earlier edits.
            OutputError: The answer cannot be written.
        """
        answer = form.text("answer")
        with self._film.lock:
            question = self._offered.get(form.text("question"))
            if question is None:
                raise EditError("That question is not asked any more: answer this one.")
            if answer == "skip":
                self._skipped.pop(question.id, None)
                self._skipped[question.id] = None
                return []
            if answer not in ("yes", "no"):
                raise EditError("Answer yes, no or skip.")
            chosen = _chosen(question, form) if answer == "yes" else _refused(question)
            self._film.state()
            with self._film.project.edits.together(leave_out=True) as batch:
                enter_answer(batch, statements_of(question, chosen))
            refused = batch.refused or []
            if refused and not batch.entered:
                raise refused[0]
            notes = [note for one in batch.entered for note in one.notes]
            return [*(f"One pair is left out. {error}" for error in refused), *notes]

    def _name(self, form: Form) -> list[EnteredEdit]:
        who, name = form.text("who"), form.text("name").strip() or None
        character = self._film.state().by_label.get(who)
        if character is not None and character.name == name:
            return []
        return [self._film.project.edits.name(who, name)]

    def _merge(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.merge(*form.texts("character"))]

    def _ignore(self, form: Form) -> list[EnteredEdit]:
        who: list[str | list[int]] = [*form.texts("character")]
        tracks = form.numbers("track")
        if tracks:
            who.append(tracks)
        if not who:
            raise EditError("Nothing is selected.")
        return [self._film.project.edits.ignore(*who)]

    def _confirm(self, form: Form) -> list[EnteredEdit]:
        if not form.texts("character"):
            raise EditError("Nothing is selected.")
        return [self._film.project.edits.confirm(*form.texts("character"))]

    def _split(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.split(None, form.numbers("track"))]

    def _move(self, form: Form) -> Sequence[EnteredEdit]:
        """Give tracks to a character; a name that nobody has yet makes a new one."""
        edits, tracks, to = self._film.project.edits, form.numbers("track"), form.text("to").strip()
        if not tracks:
            raise EditError("Nothing is selected.")
        if not to:
            raise EditError("Say who they are: a label, or a name.")
        cast, moved = self._film.state().cast, set(tracks)
        if any(to in (one.label, one.name) for one in cast):
            return [edits.move(tracks, to)]
        name = clean_name(to)
        held = (set(one.tracks) for one in cast)
        has_rest = any(moved & members and members - moved for members in held)
        with edits.together() as batch:
            if has_rest:
                batch.split(None, tracks)
            batch.name(tracks, name)
        return batch.entered

    def _accept_guesses(self, form: Form) -> Sequence[EnteredEdit]:
        """Give every selected track to the character that the page has shown as its guess."""
        shown = dict(text.partition(":")[::2] for text in form.texts("guess"))
        tracks_of: dict[str, list[int]] = defaultdict(list)
        for track in form.numbers("track"):
            if label := shown.get(str(track)):
                tracks_of[label].append(track)
        if not tracks_of:
            raise EditError("No selected track has a guess.")
        with self._film.project.edits.together() as batch:
            for label, tracks in tracks_of.items():
                batch.move(tracks, label)
        return batch.entered

    def _undo(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.undo(form.number("edit"))]

    def _redo(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.redo(form.number("edit"))]


def _chosen(question: Question, form: Form) -> list[Pair]:
    """Return the pairs that a form says are one person; a single one need not be named."""
    if len(question.pairs) == 1:
        return list(question.pairs)
    places = sorted(set(form.numbers("chosen")))
    if not places and not question.as_it_is:
        raise EditError("Nobody is selected: select who is right, or answer that nothing is wrong.")
    if places and places[-1] >= len(question.pairs):
        raise EditError("That question is about fewer faces.")
    return [question.pairs[place] for place in places]


def _refused(question: Question) -> list[Pair]:
    """Return the pairs that are one person where no is the answer.

    The answer to several pairs is that nothing is wrong: nobody who is apart is one person, and
    whoever is together is one.
    """
    return [] if len(question.pairs) == 1 else question.as_it_is
