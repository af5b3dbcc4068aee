"""When characters of a synthetic film are on screen, computed from its frames alone."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from helpers.rated_film import RatedFilm
from personae.export import Selection, write_export

EVERYTHING = Selection()


class Seen(NamedTuple):
    """A stretch in which a character is on screen, with exact times from the first frame."""

    label: str
    start_s: Fraction
    end_s: Fraction


def exported(
    film: RatedFilm, fmt: str, selection: Selection = EVERYTHING, base_url: str | None = None
) -> bytes:
    """Return the appearances of a film in a format."""
    out = io.BytesIO()
    write_export(film.project, "appearances", fmt, out, selection, base_url=base_url)
    return out.getvalue()


def frame_times(film: RatedFilm) -> list[Fraction]:
    """Return the exact time of every frame, and of the one after the last, from the first."""
    return [(pts - film.pts[0]) * film.rate.time_base for pts in film.pts]


def list_seen(film: RatedFilm) -> list[Seen]:
    """Return every appearance in order of time: no two tracks of a character share a shot."""
    times = frame_times(film)
    seen = [Seen(label, times[first], times[end]) for label, first, end in film.spans]
    return sorted(seen, key=lambda one: (one.start_s, one.label))


def labels_by_frame(film: RatedFilm) -> list[set[str]]:
    """Return who is on screen in each frame."""
    labels: list[set[str]] = [set() for _ in film.pts[:-1]]
    for label, first, end in film.spans:
        for frame in range(first, end):
            labels[frame].add(label)
    return labels


def seconds_in_frames(
    film: RatedFilm, wanted: Callable[[set[str]], bool], frames: Iterable[int] | None = None
) -> Fraction:
    """Return the exact length of all frames in which the wanted characters are on screen."""
    times, labels = frame_times(film), labels_by_frame(film)
    chosen = range(len(labels)) if frames is None else frames
    return sum(
        (times[frame + 1] - times[frame] for frame in chosen if wanted(labels[frame])), Fraction(0)
    )


def shots_of(film: RatedFilm) -> dict[str, set[int]]:
    """Return the shots in which each character is seen."""
    shots = film.project.table("shots").to_pylist()
    found: dict[str, set[int]] = defaultdict(set)
    for label, first, end in film.spans:
        for row in shots:
            if first <= row["last_frame"] and end > row["first_frame"]:
                found[label].add(row["shot"])
    return found
