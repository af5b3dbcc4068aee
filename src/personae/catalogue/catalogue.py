"""A catalogue of films and the verbs on it; each is done by the module that it names."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from personae.catalogue.base import CatalogueBase

if TYPE_CHECKING:
    from pathlib import Path

    from personae.catalogue.appearances import PersonInFilm
    from personae.catalogue.films import AddedFilms, Film
    from personae.catalogue.forgetting import Receipt
    from personae.catalogue.people.gallery import AddedPhotos
    from personae.catalogue.people.registry import Person
    from personae.catalogue.progress import CatalogueHook
    from personae.catalogue.running import RunSummary
    from personae.catalogue.search import FoundCharacter
    from personae.catalogue.suggestions import Suggestion
    from personae.project.folder import Project


class Catalogue(CatalogueBase):
    """Many films: which they are, how far they are, and who appears in them.

    Made by `create_catalogue` and `open_catalogue`; used as a context manager, or closed.
    """

    def add(self, *paths: str | os.PathLike[str]) -> AddedFilms:
        """Add films, or folders with all films below them; each content is added once.

        Raises:
            CatalogueError: A folder holds no film, or a storage cannot be reached.
        """
        from personae.catalogue.films import add_films

        return add_films(self, [os.fspath(path) for path in paths])

    def films(self) -> list[Film]:
        """Return the films in the order in which they were added."""
        from personae.catalogue.films import list_films

        return list_films(self)

    def film_project(self, film_id: int) -> AbstractContextManager[Project]:
        """Open the project of a film; where its folder is a URL, a copy that ends with the block.

        Raises:
            CatalogueError: There is no such film, or its storage cannot be reached.
            ProjectError: The film has not been run yet.
        """
        from personae.catalogue.projects import open_film_project

        return open_film_project(self, film_id)

    def run(
        self,
        *,
        workers: int | None = None,
        ray_address: str | None = None,
        in_process: bool = False,
        retry: bool = False,
        pieces: int | None = None,
        in_order: bool = False,
        device: str | None = None,
        hook: CatalogueHook | None = None,
    ) -> RunSummary:
        """Run all waiting films, and place the characters of each among the people.

        Args:
            workers: How many films at a time; by default as many as memory and cores bear.
            ray_address: Of a Ray cluster's head, HOST:PORT; None: this machine.
            in_process: Run one film after the other in this process, without Ray.
            retry: Run films again that have failed.
            pieces: In how many pieces every film is scanned, which the workers share; by default a
                long film in as many as there are workers without a film. The tables are the same.
            in_order: Run one film after the other, each starting from what the earlier ones have
                taught the network.
            device: Where networks run; by default as the catalogue's settings say.
            hook: Called about twice a second with the films under way.

        Raises:
            SettingError: A setting cannot be used.
            CatalogueError: The database or the cluster cannot be reached, or no worker can run any
                film, and why; films under way wait again.
        """
        from personae.catalogue.progress import silent_hook
        from personae.catalogue.running import run_films

        return run_films(
            self,
            workers=workers,
            ray_address=ray_address,
            in_process=in_process,
            retry=retry,
            pieces=pieces,
            in_order=in_order,
            device=device,
            hook=hook or silent_hook,
        )

    def refresh(self) -> list[str]:
        """Take in what people have edited in the films since; a sentence for each that fails."""
        from personae.catalogue.indexing import refresh_index

        return refresh_index(self)

    def people(self) -> list[Person]:
        """Return all people, those of most films first."""
        from personae.catalogue.people.registry import list_people

        return list_people(self)

    def add_photos(self, name: str, *photos: str | Path) -> AddedPhotos:
        """Add photos of a named person, and suggest the characters that they show.

        Raises:
            CatalogueError: A photo is not there, or none shows exactly one face.
            EditError: The text cannot be a name.
        """
        from personae.catalogue.people.gallery import add_photos

        return add_photos(self, name, photos)

    def name_person(self, who: str, name: str | None) -> None:
        """Name a person, or take the name away; characters get it as a suggestion.

        Args:
            who: A name or number of a person, or ``FILM:P03``.
            name: The name.

        Raises:
            CatalogueError: There is nobody of this name, or several people have it.
            EditError: The text cannot be a name.
        """
        from personae.catalogue.naming import name_person_of

        name_person_of(self, who, name)

    def same(self, one: str, other: str, *, by: str | None = None) -> int:
        """Say that two characters, each ``FILM:P03``, are one person; return its number.

        Raises:
            CatalogueError: There is no such character, or it contradicts an earlier statement.
        """
        from personae.catalogue.lock import people_locked
        from personae.catalogue.people.registry import find_character
        from personae.catalogue.people.statements import say_same

        with people_locked(self):
            return say_same(self, find_character(self, one), find_character(self, other), by)

    def different(self, one: str, other: str, *, by: str | None = None) -> None:
        """Say that two characters, each ``FILM:P03``, are two people.

        Raises:
            CatalogueError: There is no such character, or it contradicts an earlier statement.
        """
        from personae.catalogue.lock import people_locked
        from personae.catalogue.people.registry import find_character
        from personae.catalogue.people.statements import say_different

        with people_locked(self):
            say_different(self, find_character(self, one), find_character(self, other), by)

    def retract(self, statement: int) -> None:
        """Take back that two characters are one person or two; the refusal of another names it.

        Raises:
            CatalogueError: There is no such statement.
        """
        from personae.catalogue.lock import people_locked
        from personae.catalogue.people.statements import retract_statement

        with people_locked(self):
            retract_statement(self, statement)

    def suggestions(self) -> list[Suggestion]:
        """Return what may be so and nobody has accepted or refused, the surest first."""
        from personae.catalogue.suggestions import list_suggestions

        return list_suggestions(self)

    def accept(self, suggestion: int, *, by: str | None = None) -> Suggestion:
        """Accept a suggestion; what it says of a film becomes an edit of that film.

        Raises:
            CatalogueError: There is no such open suggestion.
            EditError: Earlier edits of the film speak against it.
        """
        from personae.catalogue.accepting import accept

        return accept(self, suggestion, by)

    def refuse(self, suggestion: int) -> None:
        """Refuse a suggestion; it is never made again.

        Raises:
            CatalogueError: There is no such open suggestion.
        """
        from personae.catalogue.suggestions import refuse

        refuse(self, suggestion)

    def find(
        self, photo: str | Path, *, limit: int = 20, by: str | None = None
    ) -> list[FoundCharacter]:
        """Return the characters who may be the person of a photo, and when they are seen.

        Args:
            photo: A picture of one face.
            limit: How many at most.
            by: Who searches; searches by picture are logged.

        Raises:
            CatalogueError: The photo does not show exactly one face, or there are no films yet.
        """
        from personae.catalogue.search import find_photo

        return find_photo(self, photo, limit=limit, who=by)

    def who(self, name: str) -> list[PersonInFilm]:
        """Return in which films a person appears, and exactly when.

        Raises:
            CatalogueError: There is nobody of this name.
        """
        from personae.catalogue.appearances import find_appearances

        return find_appearances(self, name)

    def forget_person(self, who: str) -> Receipt:
        """Forget a person everywhere: faces, embeddings, photos, names and index rows.

        Raises:
            CatalogueError: There is nobody of this name, or several people have it.
            ProjectError: A film's folder is damaged or in use.
        """
        from personae.catalogue.forgetting import forget_person

        return forget_person(self, who)

    def film_number(self, film: str) -> int:
        """Return the number of a film by its number or name.

        Raises:
            CatalogueError: There is none, or several have this name.
        """
        from personae.catalogue.films import find_film

        return find_film(self, film)

    def forget_film(self, film_id: int) -> Receipt:
        """Forget a film: its project folder, characters and vectors; not the film's own file.

        Raises:
            CatalogueError: There is no such film, or it is being run.
        """
        from personae.catalogue.forgetting import forget_film

        return forget_film(self, film_id)

    def apply_retention(self) -> Receipt | None:
        """Forget the faces that are older than the catalogue keeps them; None where none is.

        Raises:
            ProjectError: A film's folder is damaged or in use.
        """
        from personae.catalogue.retention import apply_retention

        return apply_retention(self)
