"""What the speed is meant to be, and whether it is."""

from __future__ import annotations

from collections.abc import Iterator

from measure import Row
from speed_results import Results

PAPER_ADAPT_S, PAPER_CLUSTER_S = 0.579 * 60, 0.132
"""Seconds a track on one A10 GPU: means over nine films (FaceTrackClusterer, supplementary table 3)."""
TIMES_FASTER = 4.0
"""Against the pipeline, at B-cubed F no worse."""
RATIOS = {"simplefr_Video_2": 0.5, "30 min": 0.4}
"""Film -> time over length, at most."""
A_TRACK_S = 0.3
"""Seconds of adapt and cluster together for a track of the longest film, at most."""
PEAK_RATIO, PEAK_GIB = 1.3, 2.5
"""Largest memory on the longest film: times that of the shortest film of minutes, and in all, at most."""
SCALE = {"1000": (1.0, 4.0), "20000": (60.0, 4.0)}
"""Made-up tracks -> seconds and GiB, at most."""

Line = tuple[str, str, bool]
"""Target, what was measured, whether it is met."""


def targets(results: Results, scale: list[Row]) -> Iterator[Line]:
    """Judge what was measured; what was not is left out."""
    yield from _ratios(results)
    yield from _against_pipeline(results)
    yield from _a_track(results)
    yield from _memory(results)
    for row in scale:
        if row["tracks"] in SCALE:
            seconds, gib = SCALE[row["tracks"]]
            took, peak = float(row["seconds"]), float(row["peak_mb"]) / 1024
            yield (
                f"{row['tracks']} made-up tracks clustered in at most {seconds:g} s and {gib:g} GiB",
                f"{took:.1f} s, {peak:.1f} GiB",
                took <= seconds and peak <= gib,
            )


def _ratios(results: Results) -> Iterator[Line]:
    for film, limit in RATIOS.items():
        ratio = results.figure(film, "personae", "ratio")
        if ratio is not None:
            yield f"{film}: at most {limit:g} × the film's length", f"{ratio:.2f} ×", ratio <= limit


def _against_pipeline(results: Results) -> Iterator[Line]:
    for film in results.films:
        faster = results.times_faster(film, "pipeline")
        own, other = (results.figure(film, system, "B3F") for system in ("personae", "pipeline"))
        if faster is not None and own is not None and other is not None:
            yield (
                f"{film}: at least {TIMES_FASTER:g} times as fast as the pipeline, B-cubed F no worse",
                f"{faster:.2f} times; {own:.3f} against {other:.3f}",
                faster >= TIMES_FASTER and round(own, 3) >= round(other, 3),
            )


def _a_track(results: Results) -> Iterator[Line]:
    for stage, limit in (("adapt", PAPER_ADAPT_S), ("cluster", PAPER_CLUSTER_S)):
        found = [
            (value, film)
            for film in results.films
            if (value := results.a_track(film, stage)) is not None
        ]
        if found:
            worst, film = max(found)
            yield (
                f"{stage}: fewer seconds a track than the paper's {limit:.3g} on a GPU, on every film",
                f"at most {worst:.3g} ({film})",
                worst < limit,
            )
    for film in results.films[-1:]:
        both = [results.a_track(film, stage) for stage in ("adapt", "cluster")]
        total = sum(value for value in both if value is not None)
        if None not in both:
            yield (
                f"{film}: adapt and cluster together at most {A_TRACK_S:g} s a track",
                f"{total:.2f} s",
                total <= A_TRACK_S,
            )


def _memory(results: Results) -> Iterator[Line]:
    long = [film for film in results.films if film.endswith(" min")]
    if len(long) > 1:
        first, last = (results.figure(film, "personae", "peak_mib") for film in (long[0], long[-1]))
        if first is not None and last is not None:
            yield (
                f"{long[-1]}: peak memory at most {PEAK_RATIO:g} times that of {long[0]}, {PEAK_GIB:g} GiB",
                f"{last / first:.2f} times, {last / 1024:.2f} GiB",
                last <= PEAK_RATIO * first and last <= PEAK_GIB * 1024,
            )
