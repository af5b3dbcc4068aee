"""Write docs/performance.md from the CSVs in benchmarks/results, and from nothing else.

python benchmarks/performance_page.py [--results FOLDER] [--to FILE]
"""

from __future__ import annotations

from dataclasses import fields

from measure import Circumstances, Row, read_rows
from shown import markdown, write_page
from speed_results import Results
from targets import PAPER_ADAPT_S, PAPER_CLUSTER_S, targets

STAGES = ("scan", "embed", "adapt", "cluster", "report", "outside")
BUSY = 0.5
"""Load beyond one for each core, which the measurement before may have left, that is called a disturbance."""
CIRCUMSTANCES = tuple(field.name for field in fields(Circumstances))

HEAD = """\
# How fast

Every number on this page comes from `benchmarks/results/*.csv`, and `python benchmarks/performance_page.py`
writes the page. `make bench` measures what is not there yet for the last commit of `src/`; `speed.py`,
`pipeline.py` and `long_film.py` in `benchmarks/` say what is done. Every measurement is a fresh process with
a fresh folder; where there are repeats, their median stands here. *CPU* is processor seconds of all threads
together, *peak* the largest resident memory, *× film* the time from start to exit over the film's length.

Films named by their minutes are joined from ever new takes of the labelled clips (other window, speed,
mirroring, colours): they have as many tracks as a film of that length, but the cast of a few short clips,
and no sound.
"""
BESIDE = """\
*pipeline* finds the faces of every frame with the same detector at the same size, embeds every face with
the same network, and clusters them by average linkage at a fixed cosine distance; *face_recognition* is the
package of that name with dlib's Chinese whispers. `benchmarks/pipeline.py` is both.
"""
PAPER = """\
The paper finetunes the whole of a larger network, on films of full length; by default `personae` trains a
head on a small one where there is no GPU. The figures say what a user waits for, not how fast the same work
is done.
"""
OUTSIDE = """\
*outside* is all else between start and exit: Python itself, imports, checks of weights.
"""
SCALE = """\
The default method alone, on made-up tracks; `benchmarks/scale.py` says what they are.
"""


def page(speed: list[Row], scale: list[Row]) -> str:
    """Write the page as Markdown."""
    results = Results(speed)
    parts = [
        HEAD,
        *_circumstances(speed + scale),
        *_targets(results, scale),
        *_whole(results),
        *_stages(results),
    ]
    parts += [*_beside(results), *_paper(results), *_scale(scale), *_missing(results, scale)]
    return "\n".join(parts).rstrip() + "\n"


def _circumstances(rows: list[Row]) -> list[str]:
    if not rows:
        return ["Nothing has been measured yet.", ""]
    lines = ["## Where and when", ""]
    names = ("cpu", "cores", "memory_gib", "gpu", "platform", "python", "libraries")
    for machine in dict.fromkeys(tuple(row.get(name, "") for name in names) for row in rows):
        cpu, cores, memory, gpu, platform, python, libraries = machine
        here = [row for row in rows if tuple(row.get(name, "") for name in names) == machine]
        about = f"{cpu}, {cores} cores, {memory} GiB, {gpu or 'no GPU'}, {platform}; Python {python}, {libraries}"
        lines.append(f"* {about}.")
        lines += [
            f"  Commit {commit}, {date}: `{command}`"
            for commit, date, command in dict.fromkeys(
                (row.get("commit", ""), row.get("date", ""), row.get("command", "")) for row in here
            )
        ]
    if any(row.get("commit", "").endswith("+") for row in rows):
        lines.append("* A commit with + had changes in `src/` that were not committed.")
    return [*lines, ""]


def _targets(results: Results, scale: list[Row]) -> list[str]:
    rows = [
        (target, found, "yes" if met else "**no**")
        for target, found, met in targets(results, scale)
    ]
    return ["## Targets", "", *markdown(("target", "measured", "met"), rows), ""] if rows else []


def _whole(results: Results) -> list[str]:
    header = (
        "film",
        "length",
        "runs",
        "time",
        "× film",
        "CPU",
        "peak",
        "tracks",
        "crops",
        "WCP",
        "PCR",
        "B-cubed F",
        "commit",
    )
    rows = []
    for film in results.films:
        runs = results.of(film, "personae")
        if runs:
            figures = {
                name: results.figure(film, "personae", name)
                for name in runs[0]
                if _is_number(runs[0][name])
            }
            rows.append(
                (
                    film,
                    _seconds(figures["film_s"]),
                    str(len(runs)),
                    _seconds(figures["wall_s"]) + _range([float(row["wall_s"]) for row in runs]),
                    f"{figures['wall_s'] / figures['film_s']:.2f}",
                    _seconds(figures["cpu_s"]),
                    f"{figures['peak_mib']:.0f} MiB",
                    f"{figures['tracks']:.0f}",
                    f"{figures['crops']:.0f}",
                    f"{figures['WCP']:.3f}",
                    f"{figures['PCR']:.2f}",
                    f"{figures['B3F']:.3f}",
                    runs[0].get("commit", ""),
                )
            )
    return (
        ["## The command", "", "`personae run`, default settings.", "", *markdown(header, rows), ""]
        if rows
        else []
    )


def _stages(results: Results) -> list[str]:
    rows = []
    for film in results.films:
        seconds = [results.figure(film, "personae", f"{stage}_s") for stage in STAGES]
        if any(value is not None for value in seconds):
            rows.append((film, *(_seconds(value) for value in seconds)))
    if not rows:
        return []
    return ["## Stages", "", OUTSIDE, *markdown(("film", *STAGES), rows), ""]


def _beside(results: Results) -> list[str]:
    header = (
        "film",
        "system",
        "runs",
        "time",
        "CPU",
        "peak",
        "B-cubed F",
        "personae is faster",
        "by CPU",
    )
    rows = []
    for film in results.films:
        others = [
            name
            for name in dict.fromkeys(row["system"] for row in results.rows)
            if name != "personae"
        ]
        present = [name for name in others if results.of(film, name)]
        for system in ["personae", *present] if present else []:
            faster = [results.times_faster(film, system, name) for name in ("wall_s", "cpu_s")]
            times = ("", "") if system == "personae" else tuple(_times(value) for value in faster)
            own = results.of(film, system)
            rows.append(
                (
                    film,
                    system,
                    str(len(own)),
                    _seconds(results.figure(film, system, "wall_s")),
                    _seconds(results.figure(film, system, "cpu_s")),
                    _format(results.figure(film, system, "peak_mib"), ".0f", " MiB"),
                    _format(results.figure(film, system, "B3F"), ".3f"),
                    *times,
                )
            )
    if not rows:
        return []
    return ["## Beside what people do without it", "", BESIDE, *markdown(header, rows), ""]


def _paper(results: Results) -> list[str]:
    rows = [("paper, nine films, one A10 GPU", f"{PAPER_ADAPT_S:.1f}", f"{PAPER_CLUSTER_S}")]
    for film in results.films:
        adapt, cluster = (results.a_track(film, stage) for stage in ("adapt", "cluster"))
        if adapt is not None or cluster is not None:
            rows.append((film, _format(adapt, ".2f"), _format(cluster, ".4f")))
    if len(rows) == 1:
        return []
    header = ("seconds a track", "adapt", "cluster")
    return ["## Beside the paper", "", PAPER, *markdown(header, rows), ""]


def _scale(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    columns = [name for name in rows[0] if name not in CIRCUMSTANCES]
    return [
        "## Clustering many tracks",
        "",
        SCALE,
        *markdown(columns, [[row.get(c, "") for c in columns] for row in rows]),
        "",
    ]


def _missing(results: Results, scale: list[Row]) -> list[str]:
    lines = []
    for film in results.films:
        for system in dict.fromkeys(row["system"] for row in results.rows):
            if not results.of(film, system):
                lines.append(f"* {system} on {film}.")
        busy = [
            load
            for row in results.of(film, "personae")
            if (load := float(row.get("load_before") or 0)) > float(row.get("cores") or 1) + BUSY
        ]
        if busy:
            lines.append(
                f"* {film} on a quiet machine: its load was up to {max(busy):.1f} before a run, so "
                "the times are too long; CPU seconds suffer less."
            )
    lines += [
        f"* {row['system']}{' on ' + row['film'] if row.get('film') else ''}: {row['note']}."
        for row in results.notes
    ]
    if not scale:
        lines.append("* Clustering of many made-up tracks.")
    lines.append(
        "* GPUs, other processors, other codecs and picture sizes, films with a full-length film's cast."
    )
    return ["## Not measured", "", *lines, ""]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _format(value: float | None, how: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{how}}{unit}"


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f} s" if value < 600 else f"{value / 60:.1f} min"


def _times(value: float | None) -> str:
    return _format(value, ".2f", " times")


def _range(values: list[float]) -> str:
    return f" ({min(values):.1f} to {max(values):.1f})" if len(values) > 1 else ""


if __name__ == "__main__":
    write_page(
        __doc__,
        "performance.md",
        lambda results: page(*(read_rows(results / name) for name in ("speed.csv", "scale.csv"))),
    )
