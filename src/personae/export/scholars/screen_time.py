"""Statistics of screen time: how long, how often, alone or with others, in which part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import mean, median
from typing import TYPE_CHECKING, BinaryIO

from personae.export.export_format import ExportRequest
from personae.export.film_time import FilmTime
from personae.export.on_screen import Stretch, list_stretches
from personae.export.scholars.co_appearance import CharacterNode, compute_co_appearance

if TYPE_CHECKING:
    import pyarrow as pa

N_QUARTERS = 4
"""Parts of equal length whose screen time the statistics hold."""


def write_screen_time(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a CSV table with a row a character, by falling screen time.

    Times at which a character is seen are container times, as in the other tables.
    """
    from personae.export.table_formats import write_csv

    write_csv(build_screen_time_table(request), "screen_time", {}, stream)


def build_screen_time_table(request: ExportRequest) -> pa.Table:
    """Build the table of `write_screen_time`."""
    import pyarrow as pa

    from personae.export.columns import clock_column, round_column
    from personae.export.tables import SECONDS_DIGITS, SHARE_DIGITS

    clock = request.time
    nodes = compute_co_appearance(request).nodes
    nodes = tuple(sorted(nodes, key=lambda one: (-one.screen_time_s, one.label)))
    names = {one.character: one.name for one in request.tracks}
    lengths = {
        node.label: [
            one.end_s - one.start_s for one in request.appearances if one.character == node.label
        ]
        for node in nodes
    }
    alone = _seconds_alone(request)
    film_s = clock.seconds(clock.end_pts - clock.start_pts)
    n_shots = len(request.project.table("shots"))

    def numbers(of: Callable[[CharacterNode], Fraction | float], digits: int) -> pa.Array:
        return round_column(pa.array([float(of(node)) for node in nodes], pa.float64()), digits)

    def seconds(of: Callable[[CharacterNode], Fraction | float]) -> pa.Array:
        return numbers(of, SECONDS_DIGITS)

    def counts(of: Callable[[CharacterNode], int]) -> pa.Array:
        return pa.array([of(node) for node in nodes], pa.int32())

    def first_seen(node: CharacterNode) -> Fraction:
        return clock.seconds(node.stretches[0].start_pts)

    def last_seen(node: CharacterNode) -> Fraction:
        return clock.seconds(node.stretches[-1].end_pts)

    columns = {
        "character": pa.array([node.label for node in nodes], pa.string()),
        "name": pa.array([names[node.label] for node in nodes], pa.string()),
        "reviewed": pa.array([node.reviewed for node in nodes], pa.bool_()),
        "screen_time_s": seconds(lambda node: node.screen_time_s),
        "screen_time_clock": clock_column(seconds(lambda node: node.screen_time_s)),
        "share_of_film": numbers(lambda node: _share(node.screen_time_s, film_s), SHARE_DIGITS),
        "shots": counts(lambda node: len(node.shots)),
        "share_of_shots": numbers(lambda node: len(node.shots) / n_shots, SHARE_DIGITS),
        "appearances": counts(lambda node: len(lengths[node.label])),
        "mean_appearance_s": seconds(lambda node: mean(lengths[node.label])),
        "median_appearance_s": seconds(lambda node: median(lengths[node.label])),
        "longest_appearance_s": seconds(lambda node: max(lengths[node.label])),
        "first_seen_s": seconds(first_seen),
        "first_seen_clock": clock_column(seconds(first_seen)),
        "last_seen_s": seconds(last_seen),
        "last_seen_clock": clock_column(seconds(last_seen)),
        "alone_s": seconds(lambda node: alone.get(node.label, Fraction(0))),
    }
    quarters = [compute_part_times(clock, node.stretches, N_QUARTERS) for node in nodes]
    for part in range(N_QUARTERS):
        own = pa.array([float(times[part]) for times in quarters], pa.float64())
        columns[f"quarter_{part + 1}_s"] = round_column(own, SECONDS_DIGITS)
    return pa.table(columns)


def compute_part_times(
    clock: FilmTime, stretches: Sequence[Stretch], n_parts: int
) -> list[Fraction]:
    """Return how many seconds of each of the film's equal parts some stretches take up."""
    length = Fraction(clock.end_pts - clock.start_pts, n_parts)
    edges = [clock.start_pts + part * length for part in range(n_parts + 1)]
    return [
        sum((_overlap(one, start, end) for one in stretches), Fraction(0)) * clock.time_base
        for start, end in pairwise(edges)
    ]


def _overlap(stretch: Stretch, start: Fraction, end: Fraction) -> Fraction:
    """Return how many ticks of a stretch lie between two times."""
    first, last = Fraction(stretch.start_pts), Fraction(stretch.end_pts)
    return max(Fraction(0), min(last, end) - max(first, start))


def _seconds_alone(request: ExportRequest) -> dict[str, Fraction]:
    """Return how long each character is the only selected one on screen."""
    alone: dict[str, Fraction] = {}
    for one in list_stretches(request.tracks):
        if len(one.characters) == 1:
            (label,) = one.characters
            seconds = request.time.seconds(one.end_pts - one.start_pts)
            alone[label] = alone.get(label, Fraction(0)) + seconds
    return alone


def _share(part: Fraction, whole: Fraction) -> Fraction:
    return part / whole if whole else Fraction(0)
