"""The page "Player": where it starts, and the lanes of its timeline."""

from __future__ import annotations

from collections.abc import Mapping

from personae.core.errors import EditError, FilmError
from personae.review.appearance_lanes import LANE_WIDTH, UNKNOWN, appearances_of, draw_lane
from personae.review.film import ReviewedFilm
from personae.review.film_file import FilmFile
from personae.review.film_routes import piece_clock
from personae.review.film_state import FilmState
from personae.review.forms import parse_number, parse_seconds
from personae.review.pages import Pages, links_to_pages, page_of
from personae.review.preview_piece import MEDIA_TYPE, MEDIA_TYPE_WITH_SOUND, PIECE_S

LANES_PER_PAGE = 40
DEFAULT_FRAME_S = 0.04


class PlayerPage:
    """Renders the page on which the film itself is seen."""

    def __init__(self, pages: Pages, film: ReviewedFilm, file: FilmFile) -> None:
        self._pages, self._film, self._file = pages, film, file

    def render(self, query: Mapping[str, str], chrome: dict[str, object]) -> str:
        """Render the player at a moment.

        Args:
            query: `at` (seconds from the first frame), `time` (of the container, as in the tables),
                `track`, `crop` or `who` say where to start, `page` which lanes to show.
            chrome: What every page shows.

        Raises:
            EditError: The query holds something else.
        """
        state = self._film.state()
        track, at_s = self._find_moment(state, query)
        lanes = [*(one.label for one in state.cast), *([UNKNOWN] if state.cast.unknown else [])]
        who = query.get("who", "") if track is None else _holder(state, track)
        chosen = lanes.index(who) if who in lanes else 0
        if "page" in query:
            page = max(1, parse_number(query["page"]))
        else:
            page = chosen // LANES_PER_PAGE + 1
        if at_s is None and who in lanes:
            at_s = next((start_s for start_s, _ in appearances_of(state, who)), None)
        return self._pages.render(
            "player.html",
            state,
            chrome,
            lanes=[self._lane(state, one) for one in page_of(lanes, page, LANES_PER_PAGE)],
            lane_width=LANE_WIDTH,
            chosen=lanes[chosen] if lanes else UNKNOWN,
            track=track,
            more=links_to_pages("/player", page, len(lanes), LANES_PER_PAGE),
            **self._describe_film(at_s),
        )

    def _find_moment(
        self, state: FilmState, query: Mapping[str, str]
    ) -> tuple[int | None, float | None]:
        """Return the track that was asked for, and the container time to start at."""
        at_s = None
        if "at" in query:
            at_s = self._film.project.source.start_s + parse_seconds(query["at"])
        elif "time" in query:
            at_s = parse_seconds(query["time"])
        if "crop" in query:
            found = self._film.track_of_crop(parse_number(query["crop"]))
            if found is None:
                raise EditError("There is no such picture.")
            return found
        if "track" in query:
            track = state.tracks.get(parse_number(query["track"]))
            if track is None:
                raise EditError("There is no such track.")
            return track.number, track.start_s if at_s is None else at_s
        return None, at_s

    def _lane(self, state: FilmState, who: str) -> dict[str, object]:
        source, spans = self._film.project.source, appearances_of(state, who)
        return {
            "who": who,
            "title": "Unknown" if who == UNKNOWN else state.title(who),
            "bars": draw_lane(spans, source.start_s, source.duration_s),
            "count": len(spans),
        }

    def _describe_film(self, at_s: float | None) -> dict[str, object]:
        """Return what the page needs to play the film: how, and what its clock is."""
        source = self._film.project.source
        missing, playback = None, None
        try:
            playback = self._file.playback()
        except FilmError as error:
            missing = str(error)
        return {
            "missing": missing,
            "folder": self._film.folder,
            "is_playable": playback is not None and playback.media_type is not None,
            "preview_type": (
                MEDIA_TYPE_WITH_SOUND if playback and playback.has_sound else MEDIA_TYPE
            ),
            "pieces": piece_clock(self._film.project).pieces,
            "piece_s": PIECE_S,
            "source": source,
            "frame_s": source.duration_s / source.frames if source.frames else DEFAULT_FRAME_S,
            "at_s": source.start_s if at_s is None else at_s,
        }


def _holder(state: FilmState, track: int) -> str:
    """Return the label of a track's character."""
    return next((one.label for one in state.cast if track in one.tracks), UNKNOWN)
