"""When characters are on screen, as bars of a timeline and as moments to jump to."""

from __future__ import annotations

from collections.abc import Iterable

from personae.review.film_state import FilmState

MAX_GAP_S = 1.0
"""Tracks of one character at most so many seconds apart are one appearance."""

LANE_WIDTH = 1000
"""Units of a lane: bars are drawn in whole ones, so that a lane has at most half as many bars."""

UNKNOWN = "unknown"
"""What stands for nobody where a character's label is expected."""

Span = tuple[float, float]


def appearances_of(state: FilmState, who: str) -> list[Span]:
    """Return when a character is on screen, or the unknown tracks, in order of time.

    Args:
        state: The film.
        who: The label of a character, or `UNKNOWN`; of nobody else there are none.

    Returns:
        Starts and ends in container seconds; they do not overlap.
    """
    if who == UNKNOWN:
        tracks = state.cast.unknown
    else:
        character = state.by_label.get(who)
        tracks = () if character is None else character.tracks
    spans = ((state.tracks[one].start_s, state.tracks[one].end_s) for one in tracks)
    return join_spans(spans, MAX_GAP_S)


def join_spans(spans: Iterable[Span], max_gap_s: float) -> list[Span]:
    """Return spans in order of time, those that overlap or are near to each other as one."""
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s - joined[-1][1] <= max_gap_s:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_s)
        else:
            joined.append((start_s, end_s))
    return joined


def draw_lane(spans: Iterable[Span], start_s: float, duration_s: float) -> str:
    """Return the bars of a lane as the path of an SVG image, `LANE_WIDTH` wide and 1 high.

    Every span is visible, however short; what lies closer than a unit becomes one bar.

    Args:
        spans: In order of time, in container seconds.
        start_s: Container time of the film's first frame.
        duration_s: Of the film.
    """
    scale = LANE_WIDTH / max(duration_s, 1e-9)
    bars: list[list[int]] = []
    for first_s, last_s in spans:
        first = min(max(int((first_s - start_s) * scale), 0), LANE_WIDTH - 1)
        last = min(max(round((last_s - start_s) * scale), first + 1), LANE_WIDTH)
        if bars and first <= bars[-1][1]:
            bars[-1][1] = max(bars[-1][1], last)
        else:
            bars.append([first, last])
    return "".join(f"M{first} 0h{last - first}v1h{first - last}z" for first, last in bars)
