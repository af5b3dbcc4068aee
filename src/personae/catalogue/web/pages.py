"""What each page of a catalogue shows, as plain values for the templates."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from personae.catalogue.films import Film, count_states, list_films
from personae.catalogue.people.statement_list import list_statements
from personae.catalogue.suggestions import Suggestion, list_suggestions
from personae.catalogue.web.listing import (
    count_characters,
    count_open_suggestions,
    list_parts,
    read_moments,
    search_people,
)
from personae.catalogue.web.pictures import Pictures, first_of
from personae.catalogue.web.posters import has_poster
from personae.core.time import format_clock
from personae.report.formatting import (
    format_count,
    format_count_of,
    format_percent,
    format_whole_seconds,
)
from personae.report.rendering import template_environment
from personae.review.pages import links_to_pages, page_of

if TYPE_CHECKING:
    from personae.catalogue.catalogue import Catalogue
    from personae.catalogue.people.registry import Person
    from personae.catalogue.people.statement_list import Statement
    from personae.catalogue.search import FoundCharacter

FILMS_PER_PAGE = 60
PEOPLE_PER_PAGE = 90
PARTS_PER_PAGE = 20
SUGGESTIONS_PER_PAGE = 60
FACES_PER_FILM = 4
FACES_PER_PERSON = 4


class CataloguePages:
    """Renders the pages of a catalogue; all values are escaped."""

    def __init__(self, catalogue: Catalogue, pictures: Pictures) -> None:
        self._catalogue, self._pictures = catalogue, pictures
        self._templates = template_environment("personae.catalogue.web")
        self._templates.globals.update(
            count_of=format_count_of,
            count=format_count,
            seconds=format_whole_seconds,
            exact_clock=format_clock,
            percent=format_percent,
            odds=format_odds,
        )

    def films(self, page: int, chrome: dict[str, object]) -> str:
        """Render the films in the order in which they were added."""
        films = list_films(self._catalogue)
        shown = list(page_of(films, page, FILMS_PER_PAGE))
        return self._render(
            "films.html",
            chrome,
            cards=self._cards(shown),
            more=links_to_pages("/", page, len(films), FILMS_PER_PAGE),
            **self._progress(shown),
        )

    def progress(self, numbers: list[int]) -> str:
        """Render how far the films are, and the cards of those that were not finished."""
        wanted = set(numbers)
        films = [film for film in list_films(self._catalogue) if film.id in wanted]
        return self._templates.get_template("progress.html").render(
            cards=self._cards(films), **self._progress(films)
        )

    def people(self, search: str, page: int, chrome: dict[str, object]) -> str:
        """Render the people, those of most films first."""
        found = search_people(self._catalogue, search)
        shown = page_of(found, page, PEOPLE_PER_PAGE)
        pictures = self._pictures.of_people([one.id for one in shown], FACES_PER_PERSON)
        return self._render(
            "people.html",
            chrome,
            cards=[{"person": one, "faces": pictures.get(one.id, [])} for one in shown],
            search=search,
            n_found=len(found),
            more=links_to_pages("/people", page, len(found), PEOPLE_PER_PAGE, q=search),
        )

    def person(
        self, person: Person, page: int, retracted: Statement | None, chrome: dict[str, object]
    ) -> str:
        """Render a person: the appearances film by film, and what people have said.

        Args:
            person: The person.
            page: Which part of the films.
            retracted: What was taken back last and can be said again.
            chrome: What every page shows.
        """
        parts = list_parts(self._catalogue, person.id)
        shown = page_of(parts, page, PARTS_PER_PAGE)
        numbers = [part.character_id for part in shown]
        pictures = self._pictures.of_characters(numbers, 3)
        about = [
            one
            for one in list_suggestions(self._catalogue)
            if person.id in (one.person_id, one.other_person_id)
        ]
        return self._render(
            "person.html",
            chrome,
            person=person,
            portrait=self._pictures.of_people([person.id], 1).get(person.id, []),
            parts=[
                {
                    "part": part,
                    "faces": pictures.get(part.character_id, []),
                    "moments": read_moments(self._catalogue, part),
                    "is_confirmed": part.confirmed
                    or (part.name is not None and part.name == person.name),
                }
                for part in shown
            ],
            n_parts=len(parts),
            n_suggestions=len(about),
            statements=list_statements(self._catalogue, person.id),
            retracted=retracted,
            more=links_to_pages(f"/person/{person.id}", page, len(parts), PARTS_PER_PAGE),
        )

    def suggestions(self, page: int, chrome: dict[str, object]) -> str:
        """Render the open suggestions, the surest first."""
        found = list_suggestions(self._catalogue)
        shown = list(page_of(found, page, SUGGESTIONS_PER_PAGE))
        return self._render(
            "suggestions.html",
            chrome,
            rows=self._suggestion_rows(shown),
            n_found=len(found),
            more=links_to_pages("/suggestions", page, len(found), SUGGESTIONS_PER_PAGE),
        )

    def search(
        self, found: list[FoundCharacter] | None, photo: str, chrome: dict[str, object]
    ) -> str:
        """Render the search, and what it has found by a photo.

        Args:
            found: Who may be the person of the photo; None where nothing was searched.
            photo: Name of the photo's file.
            chrome: What every page shows.
        """
        pictures = self._pictures.of_characters([one.character_id for one in found or ()], 3)
        return self._render(
            "search.html",
            chrome,
            photo=photo,
            found=None
            if found is None
            else [{"one": one, "faces": pictures.get(one.character_id, [])} for one in found],
        )

    def _render(self, template: str, chrome: dict[str, object], **values: object) -> str:
        """Render a template with what all pages show."""
        return self._templates.get_template(template).render(
            title_of_catalogue=self._catalogue.location.folder.rstrip("/").rpartition("/")[2],
            n_suggestions_open=count_open_suggestions(self._catalogue),
            **chrome,
            **values,
        )

    def _progress(self, shown: list[Film]) -> dict[str, object]:
        counts = count_states(self._catalogue)
        unfinished = [film.id for film in shown if film.state in ("waiting", "running")]
        return {"counts": counts, "n_films": sum(counts.values()), "unfinished": unfinished}

    def _cards(self, films: list[Film]) -> list[dict[str, object]]:
        numbers = [film.id for film in films]
        pictures = self._pictures.of_films(numbers, FACES_PER_FILM)
        characters = count_characters(self._catalogue, numbers)
        return [
            {
                "film": film,
                "poster": f"/poster/{film.id}.jpg" if has_poster(film) else None,
                "faces": pictures.get(film.id, []),
                "n_characters": characters.get(film.id),
            }
            for film in films
        ]

    def _suggestion_rows(self, shown: list[Suggestion]) -> list[dict[str, object]]:
        characters, people = set[int](), set[int]()
        for one in shown:
            characters |= {n for n in (one.character_id, one.other_character_id) if n is not None}
            people |= {n for n in (one.person_id, one.other_person_id) if n is not None}
        of_characters = self._pictures.of_characters(sorted(characters))
        of_people = self._pictures.of_people(sorted(people), 1)
        return [
            {
                "one": one,
                "faces": [
                    face
                    for face in (
                        first_of(of_characters, one.character_id),
                        first_of(of_characters, one.other_character_id),
                        first_of(of_people, one.person_id),
                        first_of(of_people, one.other_person_id),
                    )
                    if face is not None
                ][:2],
            }
            for one in shown
        ]


def format_odds(log_odds: float) -> str:
    """Return log-odds as a percentage with a decimal."""
    return f"{100 / (1 + exp(-log_odds)):.1f} %"
