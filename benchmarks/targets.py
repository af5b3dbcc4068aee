"""Performance targets, and whether the measurements meet them."""

from __future__ import annotations

from collections.abc import Iterator

from measure import Row
from speed_results import SpeedResults

PAPER_ADAPT_S, PAPER_CLUSTER_S = 0.579 * 60, 0.132
"""Seconds per track on an A10 GPU, means over nine films (VideoClusterNet, supp. Table 3)."""
MIN_SPEED_UP = 4.0
"""Compared with the pipeline, at a B-cubed F that is no lower."""
MAX_RELATIVE_TIMES = {"simplefr_Video_2": 0.5, "30 min": 0.4}
"""Film -> run time / length."""
MAX_SECONDS_PER_TRACK = 0.3
"""Adapt and cluster together, on the longest film."""
MAX_RELATIVE_PEAK, MAX_PEAK_GIB = 1.3, 2.5
"""Peak memory on the longest film, relative to that of the shortest long film, and absolute."""
MAX_SCALE_COSTS = {"1000": (1.0, 4.0), "20000": (60.0, 4.0)}
"""Simulated tracks -> seconds and GiB."""

TargetRow = tuple[str, str, bool]
"""Target, measured value, whether it is met."""


def check_targets(results: SpeedResults, scale: list[Row]) -> Iterator[TargetRow]:
    """Yield every target for which there are measurements."""
    yield from _relative_times(results)
    yield from _speed_ups(results)
    yield from _seconds_per_track(results)
    yield from _memory(results)
    for row in scale:
        if row["tracks"] in MAX_SCALE_COSTS:
            max_seconds, max_gib = MAX_SCALE_COSTS[row["tracks"]]
            seconds, gib = float(row["seconds"]), float(row["peak_mb"]) / 1024
            yield (
                f"{row['tracks']} simulated tracks clustered in at most {max_seconds:g} s and "
                f"{max_gib:g} GiB",
                f"{seconds:.1f} s, {gib:.1f} GiB",
                seconds <= max_seconds and gib <= max_gib,
            )


def _relative_times(results: SpeedResults) -> Iterator[TargetRow]:
    for film, limit in MAX_RELATIVE_TIMES.items():
        ratio = results.median(film, "personae", "ratio")
        if ratio is not None:
            yield f"{film}: at most {limit:g} × the film's length", f"{ratio:.2f} ×", ratio <= limit


def _speed_ups(results: SpeedResults) -> Iterator[TargetRow]:
    for film in results.films:
        speed_up = results.speed_up(film, "pipeline")
        own, other = (results.median(film, system, "B3F") for system in ("personae", "pipeline"))
        if speed_up is not None and own is not None and other is not None:
            yield (
                f"{film}: at least {MIN_SPEED_UP:g} times as fast as the pipeline, B-cubed F no "
                "lower",
                f"{speed_up:.2f} times; {own:.3f} against {other:.3f}",
                speed_up >= MIN_SPEED_UP and round(own, 3) >= round(other, 3),
            )


def _seconds_per_track(results: SpeedResults) -> Iterator[TargetRow]:
    for stage, limit in (("adapt", PAPER_ADAPT_S), ("cluster", PAPER_CLUSTER_S)):
        measured = [
            (seconds, film)
            for film in results.films
            if (seconds := results.seconds_per_track(film, stage)) is not None
        ]
        if measured:
            worst, film = max(measured)
            yield (
                f"{stage}: fewer seconds per track than the paper's {limit:.3g} on a GPU, on every "
                "film",
                f"at most {worst:.3g} ({film})",
                worst < limit,
            )
    for film in results.films[-1:]:
        adapt, cluster = (results.seconds_per_track(film, name) for name in ("adapt", "cluster"))
        if adapt is not None and cluster is not None:
            yield (
                f"{film}: adapt and cluster together at most {MAX_SECONDS_PER_TRACK:g} s per track",
                f"{adapt + cluster:.2f} s",
                adapt + cluster <= MAX_SECONDS_PER_TRACK,
            )


def _memory(results: SpeedResults) -> Iterator[TargetRow]:
    long = [film for film in results.films if film.endswith(" min")]
    if len(long) > 1:
        first, last = (results.median(film, "personae", "peak_mib") for film in (long[0], long[-1]))
        if first is not None and last is not None:
            yield (
                f"{long[-1]}: peak memory at most {MAX_RELATIVE_PEAK:g} times that of {long[0]}, "
                f"{MAX_PEAK_GIB:g} GiB",
                f"{last / first:.2f} times, {last / 1024:.2f} GiB",
                last <= MAX_RELATIVE_PEAK * first and last <= MAX_PEAK_GIB * 1024,
            )
