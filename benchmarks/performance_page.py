"""Write docs/performance.md from the CSV files in benchmarks/results.

python benchmarks/performance_page.py [--results FOLDER] [--to FILE]
"""

from __future__ import annotations

from dataclasses import fields

from measure import Provenance, Row, read_rows
from speed_results import SpeedResults
from tables import markdown_table, run_page_command
from targets import PAPER_ADAPT_S, PAPER_CLUSTER_S, check_targets

STAGES = ("scan", "encode", "adapt", "cluster", "report", "outside")
MAX_EXTRA_LOAD = 0.5
"""Load above one per core that the previous measurement may have left behind."""
PROVENANCE_COLUMNS = tuple(field.name for field in fields(Provenance))

HEAD = """\
# Performance

All numbers on this page come from `benchmarks/results/*.csv`; `python
benchmarks/performance_page.py` writes the page. `make bench` measures whatever is missing for the
last commit of `src/`. The scripts `speed.py`, `pipeline.py` and `long_film.py` in `benchmarks/`
describe the measurements. Every measurement is a new process with a new folder. Where there are
repeats, the page shows their median. *CPU* is the processor time of all threads together, *peak* is
the largest resident memory, and *× film* is the time from start to exit divided by the film's
length.

Films named by their minutes are joined from segments of the labelled clips, each shown differently
(window, speed, mirroring, colours). They have as many tracks as a film of that length, but the cast
of a few short clips, and no sound.
"""
COMPARISON = """\
*pipeline* detects the faces of every frame with the same detector at the same size, encodes every
face with the same network, and clusters them by average linkage at a fixed cosine distance.
*face_recognition* is the package of that name with dlib's Chinese whispers. Both are in
`benchmarks/pipeline.py`.
"""
PAPER = """\
The paper finetunes all of a larger network, on full-length films; by default `personae` trains the
last layers of a small network and a head. The numbers show what a user waits for, not how fast
the same work is done.
"""
OUTSIDE = """\
*outside* is everything else between start and exit: Python itself, imports, checks of weights.
"""
SCALE = """\
The default method alone, on simulated tracks as described in `benchmarks/scale.py`.
"""


def render_page(speed: list[Row], scale: list[Row]) -> str:
    """Return the page as Markdown."""
    results = SpeedResults(speed)
    parts = [
        HEAD,
        *_provenance(speed + scale),
        *_targets(results, scale),
        *_command(results),
        *_stages(results),
        *_comparison(results),
        *_paper(results),
        *_scale(scale),
        *_missing(results, scale),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _provenance(rows: list[Row]) -> list[str]:
    if not rows:
        return ["Nothing has been measured yet.", ""]
    lines = ["## Provenance", ""]
    names = ("cpu", "cores", "memory_gib", "gpu", "platform", "python", "libraries")
    for machine in dict.fromkeys(tuple(row.get(name, "") for name in names) for row in rows):
        cpu, cores, memory, gpu, platform, python, libraries = machine
        here = [row for row in rows if tuple(row.get(name, "") for name in names) == machine]
        lines.append(
            f"* {cpu}, {cores} cores, {memory} GiB, {gpu or 'no GPU'}, {platform}; "
            f"Python {python}, {libraries}."
        )
        runs = dict.fromkeys(
            (row.get("commit", ""), row.get("date", ""), row.get("command", "")) for row in here
        )
        lines += [f"    * Commit {commit}, {date}: `{command}`" for commit, date, command in runs]
    if any(row.get("commit", "").endswith("+") for row in rows):
        lines.append("* A commit with + had uncommitted changes in `src/`.")
    return [*lines, ""]


def _targets(results: SpeedResults, scale: list[Row]) -> list[str]:
    rows = [
        (target, measured, "yes" if met else "**no**")
        for target, measured, met in check_targets(results, scale)
    ]
    if not rows:
        return []
    return ["## Targets", "", *markdown_table(("target", "measured", "met"), rows), ""]


def _command(results: SpeedResults) -> list[str]:
    header = (
        *("film", "length", "runs", "time", "× film", "CPU", "peak"),
        *("tracks", "crops", "WCP", "PCR", "B-cubed F", "commit"),
    )
    rows = []
    for film in results.films:
        runs = results.repeats(film, "personae")
        if not runs:
            continue
        numeric = [name for name in runs[0] if _is_number(runs[0][name])]
        medians = {name: results.median(film, "personae", name) for name in numeric}
        rows.append(
            (
                film,
                _format_seconds(medians["film_s"]),
                str(len(runs)),
                _format_seconds(medians["wall_s"])
                + _format_range([float(row["wall_s"]) for row in runs]),
                f"{medians['wall_s'] / medians['film_s']:.2f}",
                _format_seconds(medians["cpu_s"]),
                f"{medians['peak_mib']:.0f} MiB",
                f"{medians['tracks']:.0f}",
                f"{medians['crops']:.0f}",
                f"{medians['WCP']:.3f}",
                f"{medians['PCR']:.2f}",
                f"{medians['B3F']:.3f}",
                runs[0].get("commit", ""),
            )
        )
    if not rows:
        return []
    description = "`personae run` with default settings."
    return ["## The command", "", description, "", *markdown_table(header, rows), ""]


def _stages(results: SpeedResults) -> list[str]:
    rows = []
    for film in results.films:
        seconds = [results.median(film, "personae", f"{stage}_s") for stage in STAGES]
        if any(value is not None for value in seconds):
            rows.append((film, *(_format_seconds(value) for value in seconds)))
    if not rows:
        return []
    return ["## Stages", "", OUTSIDE, *markdown_table(("film", *STAGES), rows), ""]


def _comparison(results: SpeedResults) -> list[str]:
    header = (
        *("film", "system", "runs", "time", "CPU", "peak", "B-cubed F"),
        *("speed-up of personae", "by CPU"),
    )
    rows = []
    others = [name for name in results.systems if name != "personae"]
    for film in results.films:
        present = [name for name in others if results.repeats(film, name)]
        for system in ["personae", *present] if present else []:
            speed_ups = [results.speed_up(film, system, name) for name in ("wall_s", "cpu_s")]
            rows.append(
                (
                    film,
                    system,
                    str(len(results.repeats(film, system))),
                    _format_seconds(results.median(film, system, "wall_s")),
                    _format_seconds(results.median(film, system, "cpu_s")),
                    _format(results.median(film, system, "peak_mib"), ".0f", " MiB"),
                    _format(results.median(film, system, "B3F"), ".3f"),
                    *(
                        "" if system == "personae" else _format(value, ".2f", " times")
                        for value in speed_ups
                    ),
                )
            )
    if not rows:
        return []
    return ["## Comparison with other systems", "", COMPARISON, *markdown_table(header, rows), ""]


def _paper(results: SpeedResults) -> list[str]:
    rows = [("paper, nine films, one A10 GPU", f"{PAPER_ADAPT_S:.1f}", f"{PAPER_CLUSTER_S}")]
    for film in results.films:
        adapt, cluster = (results.seconds_per_track(film, name) for name in ("adapt", "cluster"))
        if adapt is not None or cluster is not None:
            rows.append((film, _format(adapt, ".2f"), _format(cluster, ".4f")))
    if len(rows) == 1:
        return []
    header = ("seconds per track", "adapt", "cluster")
    return ["## Comparison with the paper", "", PAPER, *markdown_table(header, rows), ""]


def _scale(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    columns = [name for name in rows[0] if name not in PROVENANCE_COLUMNS]
    cells = [[row.get(name, "") for name in columns] for row in rows]
    return ["## Clustering many tracks", "", SCALE, *markdown_table(columns, cells), ""]


def _missing(results: SpeedResults, scale: list[Row]) -> list[str]:
    lines = []
    for film in results.films:
        lines += [
            f"* {system} on {film}."
            for system in results.systems
            if not results.repeats(film, system)
        ]
        high_loads = [
            load
            for row in results.repeats(film, "personae")
            if (load := float(row.get("load_before") or 0))
            > float(row.get("cores") or 1) + MAX_EXTRA_LOAD
        ]
        if high_loads:
            lines.append(
                f"* {film} on an idle machine: its load was up to {max(high_loads):.1f} before a "
                "run, so the times are too long; CPU times are affected less."
            )
    for row in results.notes:
        film = f" on {row['film']}" if row.get("film") else ""
        lines.append(f"* {row['system']}{film}: {row['note']}.")
    if not scale:
        lines.append("* Clustering of many simulated tracks.")
    lines.append(
        "* GPUs, other processors, other codecs and frame sizes, films with the cast of a "
        "full-length film."
    )
    return ["## Not measured", "", *lines, ""]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _format(value: float | None, spec: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{spec}}{unit}"


def _format_seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f} s" if value < 600 else f"{value / 60:.1f} min"


def _format_range(values: list[float]) -> str:
    return f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""


if __name__ == "__main__":
    run_page_command(
        __doc__,
        "performance.md",
        lambda folder: render_page(
            *(read_rows(folder / name) for name in ("speed.csv", "scale.csv"))
        ),
    )
