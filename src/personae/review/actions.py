"""What a person does on the pages, as edits of the cast."""

from __future__ import annotations

from collections import OrderedDict, defaultdict

from personae.core.errors import EditError
from personae.project.edits import EnteredEdit
from personae.project.edits.names import clean_name
from personae.review.film import ReviewedFilm
from personae.review.forms import Form
from personae.review.queue import Question

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

    def next_question(self) -> tuple[Question | None, int]:
        """Return the next question, those skipped last, and how many there are."""
        with self._film.lock:
            questions = self._film.state().questions
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
        with self._film.lock:
            self._film.state()
            return list(self._enter_answer(question, answer == "yes").notes)

    def _enter_answer(self, question: Question, is_same: bool) -> EnteredEdit:
        edits, left, right = self._film.project.edits, question.left, question.right
        match question.kind, is_same:
            case "parts", True:
                return edits.confirm((*left, *right))
            case "parts", False:
                return edits.split(None, right)
            case "unknown", True:
                return edits.move(right, left)
            case "characters", True:
                return edits.merge(left, right)
        return edits.different(left, right)

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
        """Give every selected track to the character that it most probably is."""
        guesses = self._film.state().guesses
        tracks_of: dict[str, list[int]] = defaultdict(list)
        for track in form.numbers("track"):
            if track in guesses:
                tracks_of[guesses[track].character.label].append(track)
        if not tracks_of:
            raise EditError("No selected track has a guess.")
        edits = self._film.project.edits
        return [edits.move(tracks, label) for label, tracks in tracks_of.items()]

    def _undo(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.undo(form.number("edit"))]

    def _redo(self, form: Form) -> list[EnteredEdit]:
        return [self._film.project.edits.redo(form.number("edit"))]
