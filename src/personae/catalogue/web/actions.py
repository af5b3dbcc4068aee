"""What a person does on the pages of a catalogue, as its statements and names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from personae.catalogue.lock import people_locked
from personae.catalogue.people.statement_list import Statement
from personae.catalogue.people.statements import (
    restore_statement,
    retract_statement,
    say_different,
    say_same,
)
from personae.catalogue.web.listing import Part, get_person, list_parts
from personae.core.errors import CatalogueError, EditError
from personae.review.forms import Form

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue

PAGES = re.compile(r"/(people|person/\d{1,9}|suggestions|search)?")
"""Paths of the pages that a form may lead back to."""

MAX_SELECTED = 500
"""People or suggestions of one form."""


class CatalogueActions:
    """Enters what a form says; every method returns what the person should be told."""

    def __init__(self, catalogue: Catalogue, by: str | None = None) -> None:
        """Enter nothing yet.

        Args:
            catalogue: The catalogue.
            by: Who says so, for the statements.
        """
        self._catalogue, self._by = catalogue, by
        self._retracted: Statement | None = None

    def retracted_of(self, person_id: int) -> Statement | None:
        """Return what was taken back last, where it is about a person and can be said again."""
        last = self._retracted
        if last is None or person_id not in (last.one.person_id, last.other.person_id):
            return None
        return last

    def enter(self, form: Form) -> list[str]:
        """Enter what a form says; its field `verb` says which.

        Raises:
            CatalogueError: It contradicts an earlier statement, or what it is about is gone.
            EditError: It cannot be entered.
        """
        enter = {
            "name": self._name,
            "same": self._same,
            "different": self._different,
            "leave": self._leave,
            "accept": self._accept,
            "refuse": self._refuse,
            "retract": self._retract,
            "restore": self._restore,
        }.get(form.text("verb"))
        if enter is None:
            raise EditError(f"There is no verb {form.text('verb')[:20]!r}.")
        return enter(form)

    def _name(self, form: Form) -> list[str]:
        number, name = form.number("person"), form.text("name").strip() or None
        if get_person(self._catalogue, number).name != name:
            self._catalogue.name_person(str(number), name)
        return []

    def _same(self, form: Form) -> list[str]:
        first, *others = self._selected_parts(form)
        with people_locked(self._catalogue):
            for other in others:
                number = say_same(self._catalogue, first.character_id, other.character_id, self._by)
        return [f"They are person {number} now."]

    def _different(self, form: Form) -> list[str]:
        parts = self._selected_parts(form)
        with people_locked(self._catalogue):
            for place, one in enumerate(parts):
                for other in parts[place + 1 :]:
                    say_different(self._catalogue, one.character_id, other.character_id, self._by)
        return ["They are different people, and stay so."]

    def _leave(self, form: Form) -> list[str]:
        """Say that some characters of a person are somebody else."""
        parts = {
            one.character_id: one for one in list_parts(self._catalogue, form.number("person"))
        }
        leaving = [parts[number] for number in form.numbers("character") if number in parts]
        staying = [one for one in parts.values() if one not in leaving]
        if not leaving:
            raise EditError("Nothing is selected.")
        if not staying:
            raise EditError("Somebody has to stay: select those who are somebody else.")
        longest = max(staying, key=lambda one: one.seconds)
        with people_locked(self._catalogue):
            for one in leaving:
                say_different(self._catalogue, longest.character_id, one.character_id, self._by)
        return []

    def _accept(self, form: Form) -> list[str]:
        for number in _selected(form, "suggestion"):
            self._catalogue.accept(number, by=self._by)
        return []

    def _refuse(self, form: Form) -> list[str]:
        for number in _selected(form, "suggestion"):
            self._catalogue.refuse(number)
        return []

    def _retract(self, form: Form) -> list[str]:
        with people_locked(self._catalogue):
            self._retracted = retract_statement(self._catalogue, form.number("statement"))
        return []

    def _restore(self, form: Form) -> list[str]:
        last = self._retracted
        if last is None or last.id != form.number("statement"):
            raise EditError("This cannot be undone any more: say it again.")
        with people_locked(self._catalogue):
            restore_statement(self._catalogue, last)
        self._retracted = None
        return []

    def _selected_parts(self, form: Form) -> list[Part]:
        """Return the longest part of every selected person: statements are about characters."""
        numbers = _selected(form, "person")
        if len(numbers) < 2:
            raise EditError("Select two people or more.")
        found = []
        for number in numbers:
            parts = list_parts(self._catalogue, number)
            if not parts:
                person = get_person(self._catalogue, number)
                raise CatalogueError(
                    f"{person.name or f'Person {number}'} has been found in no film yet: accept a "
                    "suggestion first."
                )
            found.append(max(parts, key=lambda one: one.seconds))
        return found


def _selected(form: Form, name: str) -> list[int]:
    numbers = list(dict.fromkeys(form.numbers(name)))
    if not numbers:
        raise EditError("Nothing is selected.")
    if len(numbers) > MAX_SELECTED:
        raise EditError(f"Select at most {MAX_SELECTED} at a time.")
    return numbers
