"""What each page shows, as plain values for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from personae.core.time import format_clock
from personae.report.formatting import (
    format_count,
    format_count_of,
    format_percent,
    format_whole_seconds,
)
from personae.report.rendering import template_environment

if TYPE_CHECKING:
    from personae.review.actions import AskedQuestion
    from personae.review.film import ReviewedFilm
    from personae.review.film_state import FilmState
    from personae.review.learning import Learning

Item = TypeVar("Item")

CHARACTERS_PER_PAGE = 120
TRACKS_PER_PAGE = 240
FACES_PER_CHARACTER = 4
FACES_PER_SIDE = 8
FACES_PER_SIDE_OF_SEVERAL = 3
MAX_NAMES = 500
"""Names that are offered for completion."""

STATUS = {
    "kept": "no clear match",
    "small": "too small",
    "blurred": "blurred",
    "short": "too short",
    "low_quality": "low quality",
}
"""Status of an unknown track -> why it has no character."""


class Pages:
    """Renders the pages of a film; all values are escaped."""

    def __init__(self, film: ReviewedFilm, base: str = "") -> None:
        """Load the templates.

        Args:
            film: The film.
            base: Path that the application is mounted below.
        """
        self._film = film
        self._templates = template_environment("personae.review")
        self._templates.filters["clock"] = format_clock
        self._templates.globals.update(
            count_of=format_count_of, count=format_count, seconds=format_whole_seconds
        )
        self._templates.globals.update(percent=format_percent, base=base)

    def cast(self, search: str, page: int, chrome: dict[str, object]) -> str:
        """Render the gallery of characters, by falling screen time."""
        state = self._film.state()
        wanted = search.casefold().strip()
        found = [
            one
            for one in state.cast
            if wanted in one.label.casefold() or wanted in (one.name or "").casefold()
        ]
        shown = page_of(found, page, CHARACTERS_PER_PAGE)
        cards = [
            {
                "character": one,
                "faces": self._film.best_crops(one.tracks, FACES_PER_CHARACTER),
                "longest": state.cast.characters[0].screen_time,
            }
            for one in shown
        ]
        return self.render(
            "cast.html",
            state,
            chrome,
            cards=cards,
            search=search,
            n_found=len(found),
            more=links_to_pages("/", page, len(found), CHARACTERS_PER_PAGE, q=search),
        )

    def character(self, label: str, page: int, chrome: dict[str, object]) -> str | None:
        """Render the tracks of a character, least certain first, and its proposed split.

        Returns:
            The page; None where the cast has no such character now.
        """
        state = self._film.state()
        character = state.by_label.get(label)
        if character is None:
            return None
        uncertain = _least_certain_first(state, character.tracks)
        labels = [one.label for one in state.cast]
        place = labels.index(character.label)
        split = state.split(character)
        return self.render(
            "character.html",
            state,
            chrome,
            character=character,
            portrait=self._film.best_crops(character.tracks, 1),
            tracks=self._tracks(state, page_of(uncertain, page, TRACKS_PER_PAGE)),
            split=split,
            sides=[self._side(state, side) for side in split.sides] if split else [],
            previous=labels[place - 1] if place else None,
            following=labels[place + 1] if place + 1 < len(labels) else None,
            more=links_to_pages(
                f"/character/{character.label}", page, len(uncertain), TRACKS_PER_PAGE
            ),
        )

    def queue(self, asked: AskedQuestion, together: bool, chrome: dict[str, object]) -> str:
        """Render a question of the queue."""
        state, question = asked.state, asked.question
        pairs = question.pairs if question else ()
        n_faces = FACES_PER_SIDE if len(pairs) == 1 else FACES_PER_SIDE_OF_SEVERAL
        return self.render(
            "queue.html",
            state,
            chrome,
            question=question,
            n_left=asked.n_left,
            together=together,
            pairs=[
                {
                    "pair": pair,
                    "left": self._side(state, pair.left, n_faces),
                    "right": self._side(state, pair.right, n_faces),
                }
                for pair in pairs
            ],
        )

    def unknown(self, page: int, chrome: dict[str, object]) -> str:
        """Render the tracks of nobody, those with the surest guess first."""
        state = self._film.state()
        ranked = _surest_guess_first(state)
        shown = self._tracks(state, page_of(ranked, page, TRACKS_PER_PAGE))
        return self.render(
            "unknown.html",
            state,
            chrome,
            tracks=shown,
            guesses=state.guesses,
            n_ignored=len(state.cast.ignored),
            more=links_to_pages("/unknown", page, len(ranked), TRACKS_PER_PAGE),
        )

    def address_of_track(self, track: int) -> str | None:
        """Return the address of the page that shows a track; None where it is in none."""
        state = self._film.state()
        holder = next((one for one in state.cast if track in one.tracks), None)
        if holder is not None:
            path, tracks = f"/character/{holder.label}", _least_certain_first(state, holder.tracks)
        elif track in state.cast.unknown:
            path, tracks = "/unknown", _surest_guess_first(state)
        else:
            return None
        page = tracks.index(track) // TRACKS_PER_PAGE + 1
        return f"{path}?page={page}#pick-{track}" if page > 1 else f"{path}#pick-{track}"

    def learning(self, learning: Learning) -> str:
        """Render how far a run has come that learns from the edits."""
        return self._templates.get_template("learning.html").render(learning=learning, back="/")

    def status(self, is_running: bool) -> str:
        """Render the line that says whether the cast is being clustered anew."""
        return self._templates.get_template("status.html").render(is_running=is_running)

    def render(
        self, template: str, state: FilmState, chrome: dict[str, object], **values: object
    ) -> str:
        """Render a template with what all pages show."""
        return self._templates.get_template(template).render(
            film=state.project.source.path.rpartition("/")[2],
            state=state,
            names=state.names[:MAX_NAMES],
            version=self._film.version,
            **chrome,
            **values,
        )

    def _tracks(self, state: FilmState, tracks: Sequence[int]) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for number in tracks:
            track = state.tracks[number]
            rows.append(
                {
                    "number": number,
                    "track": track,
                    "faces": self._film.best_crops([number], 1),
                    "runner_up": state.title(track.runner_up),
                    "is_reviewed": number in state.edits.reviewed,
                    "reason": STATUS.get(track.status, track.status),
                }
            )
        return rows

    def _side(
        self, state: FilmState, tracks: Sequence[int], n_faces: int = FACES_PER_SIDE
    ) -> dict[str, object]:
        """Return one side of a comparison: who it is, and faces that show the width of it."""
        holders = [one for one in state.cast if not set(one.tracks).isdisjoint(tracks)]
        spans = [state.tracks[track] for track in tracks]
        return {
            "tracks": list(tracks),
            "faces": self._film.best_crops(tracks, n_faces),
            "characters": holders[:2],
            "first_s": min(span.start_s for span in spans),
            "last_s": max(span.end_s for span in spans),
        }


def _least_certain_first(state: FilmState, tracks: Sequence[int]) -> list[int]:
    return sorted(tracks, key=lambda track: (state.tracks[track].confidence, track))


def _surest_guess_first(state: FilmState) -> list[int]:
    """Return the unknown tracks."""

    def rank(track: int) -> tuple[float, int]:
        guess = state.guesses.get(track)
        return -guess.probability if guess else 1.0, track

    return sorted(state.cast.unknown, key=rank)


def page_of(items: Sequence[Item], page: int, size: int) -> Sequence[Item]:
    """Return the items of a page, counted from 1."""
    return items[(page - 1) * size : page * size]


def links_to_pages(
    path: str, page: int, n_items: int, size: int, **query: str
) -> list[tuple[str, str]]:
    """Return titles and addresses of the pages before and after one."""
    kept = {name: value for name, value in query.items() if value}
    found = []
    if page > 1:
        found.append(("Previous page", f"{path}?{urlencode({**kept, 'page': page - 1})}"))
    if page * size < n_items:
        found.append(("Next page", f"{path}?{urlencode({**kept, 'page': page + 1})}"))
    return found
