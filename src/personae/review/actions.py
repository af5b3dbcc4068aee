"""What a person does on the pages, as edits of the cast."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable

from personae.core.errors import EditError
from personae.project.edits import EnteredEdit
from personae.project.edits.names import clean_name
from personae.review.film import ReviewedFilm
from personae.review.forms import Form
from personae.review.queue import Pair, Question, Tracks

MAX_OFFERED_QUESTIONS = 2000
"""Questions that can still be answered after they were shown."""


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
        enter = {
            "name": self._name,
            "merge": self._merge,
            "ignore": self._ignore,
            "confirm": self._confirm,
            "split": self._split,
            "move": self._move,
            "accept": self._accept_guesses,
            "undo": self._undo,
            "redo": self._redo,
        }.get(form.text("verb"))
        if enter is None:
            raise EditError(f"There is no verb {form.text('verb')[:20]!r}.")
        with self._film.lock:
            self._film.state()  # the labels of the form are those of the present cast
            return [note for entered in enter(form) for note in entered.notes]

    def next_question(self, ask_of_seen_together: bool) -> tuple[Question | None, int]:
        """Return the next question, those skipped last, and how many there are."""
        with self._film.lock:
            questions = self._film.state().questions(ask_of_seen_together)
            if not questions:
                return None, 0
            order = {id_: place for place, id_ in enumerate(self._skipped)}
            question = min(questions, key=lambda one: order.get(one.id, -1))
            self._offered[question.id] = question
            self._offered.move_to_end(question.id)
            while len(self._offered) > MAX_OFFERED_QUESTIONS:
                self._offered.popitem(last=False)
        return question, len(questions)

    def answer(self, form: Form) -> list[str]:
        """Enter the answer to a question that was shown; it is about the tracks that were shown.

        Raises:
            EditError: There was no such question, or the answer contradicts earlier edits.
            OutputError: The answer cannot be written.
        """
        question = self._offered.get(form.text("question"))
        if question is None:
            raise EditError("That question is not asked any more: answer this one.")
        answer = form.text("answer")
        if answer == "skip":
            self._skipped.pop(question.id, None)
            self._skipped[question.id] = None
            return []
        if answer not in ("yes", "no"):
            raise EditError("Answer yes, no or skip.")
        chosen = _chosen(question, form) if answer == "yes" else []
        with self._film.lock:
            self._film.state()
            entered = self._enter_answer(question, chosen)
            return [note for one in entered for note in one.notes]

    def _enter_answer(self, question: Question, chosen: list[Pair]) -> list[EnteredEdit]:
        """Enter which pairs of a question are one person; the others are two."""
        edits = self._film.project.edits
        others = [pair for pair in question.pairs if pair not in chosen]
        if question.kind == "parts":
            whole = [[*pair.left, *pair.right] for pair in chosen]
            confirmed = [edits.confirm(*whole)] if whole else []
            return [*confirmed, *(edits.split(None, pair.right) for pair in others)]
        return [
            *(edits.merge(left, *group) for left, group in _by_left(chosen)),
            *(edits.different(left, *group) for left, group in _by_left(others)),
        ]

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

    def _move(self, form: Form) -> list[EnteredEdit]:
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
        return [*([edits.split(None, tracks)] if has_rest else []), edits.name(tracks, name)]

    def _accept_guesses(self, form: Form) -> list[EnteredEdit]:
        """Give every selected track to the character that the page has shown as its guess."""
        shown = dict(text.partition(":")[::2] for text in form.texts("guess"))
        tracks_of: dict[str, list[int]] = defaultdict(list)
        for track in form.numbers("track"):
            if label := shown.get(str(track)):
                tracks_of[label].append(track)
        if not tracks_of:
            raise EditError("No selected track has a guess.")
        edits = self._film.project.edits
        return [edits.move(tracks, label) for label, tracks in tracks_of.items()]

    def _undo(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.undo(form.number("edit"))]

    def _redo(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.redo(form.number("edit"))]


def _chosen(question: Question, form: Form) -> list[Pair]:
    """Return the pairs that a form says are one person; a single one need not be named."""
    if len(question.pairs) == 1:
        return list(question.pairs)
    places = sorted(set(form.numbers("chosen")))
    if not places:
        raise EditError("Nobody is selected: select who is right, or answer that nobody is.")
    if places[-1] >= len(question.pairs):
        raise EditError("That question is about fewer faces.")
    return [question.pairs[place] for place in places]


def _by_left(pairs: Iterable[Pair]) -> Iterable[tuple[Tracks, list[Tracks]]]:
    """Return the right sides of some pairs by their left side."""
    found: dict[Tracks, list[Tracks]] = defaultdict(list)
    for pair in pairs:
        found[pair.left].append(pair.right)
    return found.items()
