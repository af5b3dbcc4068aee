"""Write docs/robustness.md from benchmarks/results/stress.csv, and from nothing else.

python benchmarks/robustness_page.py [--results FOLDER] [--to FILE]
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from measure import Row, read_rows
from shown import markdown, write_page

OURS = "personae"
ROUNDING = 0.0005
"""B-cubed F that is lower by less is as good."""
LEAST_PCR = 0.5
"""Below, the cast has collapsed into a few characters."""

HEAD = """\
# How sturdy

The labelled clips, harmed in known ways, with one and the same default settings. Every number on this page
comes from `benchmarks/results/stress.csv`, and `python benchmarks/robustness_page.py` writes the page; `make
bench-stress` measures anew. `benchmarks/variants.py` makes the harmed films, and `benchmarks/stress.py` says
what else is done.

Every film is scanned by `personae`, and all methods cluster the same tracks. Beside the default method stand
Algorithm 1 of FaceTrackClusterer on the same adaptation, FINCH at whichever of its partitions scores best (it is
told the truth for that), and average linkage at one fixed distance; the best of the three is shown, by its
mean over the seeds. *Found* says how many labelled faces lie on a track: in one variant half of the tracks
are deleted on purpose.
"""


def page(rows: list[Row]) -> str:
    """Write the page as Markdown."""
    cases = list(dict.fromkeys((row["clip"], row["variant"]) for row in rows))
    table, behind, least = [], [], 9.0
    for case in cases:
        of_case = [row for row in rows if (row["clip"], row["variant"]) == case]
        ours = [row for row in of_case if row["method"] == OURS]
        others = {
            name: statistics.mean(_figures(of_case, name, "B3F"))
            for name in dict.fromkeys(row["method"] for row in of_case)
            if name != OURS
        }
        best = max(others, key=lambda name: others[name])
        f, pcr = _figures(ours, OURS, "B3F"), _figures(ours, OURS, "PCR")
        mean = statistics.mean(f)
        if mean < others[best] - ROUNDING:
            behind.append(f"{case[0]}, {case[1]} ({mean:.3f} against {others[best]:.3f})")
        least = min(least, *pcr)
        table.append(
            (
                *case,
                f"{ours[0]['found']} of {ours[0]['faces']}",
                f"{mean:.3f}{_range(f, '.3f')}",
                f"{min(_figures(ours, OURS, 'WCP')):.3f}",
                f"{statistics.mean(pcr):.2f}{_range(pcr, '.2f')}",
                f"{others[best]:.3f} ({best})",
            )
        )
    seeds = len({row["seed"] for row in rows})
    header = ("clip", "variant", "found", "B-cubed F", "least WCP", "PCR", "best of the others")
    return "\n".join(
        [
            HEAD,
            *dict.fromkeys(
                f"Commit {row['commit']}, {row['date']}: `{row['command']}`" for row in rows
            ),
            "",
            f"Means over {seeds} seeds, with the range where they differ. The default method is at least as",
            f"good as the best of the others in {len(cases) - len(behind)} of {len(cases)} cases"
            + (f"; not in {'; '.join(behind)}." if behind else "."),
            f"Its PCR is {least:.2f} or more"
            + (
                ", so no cast collapses."
                if least >= LEAST_PCR
                else ": at least one cast has collapsed."
            ),
            "",
            *markdown(header, table),
            "",
        ]
    )


def _figures(rows: Sequence[Row], method: str, name: str) -> list[float]:
    return [float(row[name]) for row in rows if row["method"] == method]


def _range(values: Sequence[float], how: str) -> str:
    low, high = f"{min(values):{how}}", f"{max(values):{how}}"
    return f" ({low} to {high})" if low != high else ""


if __name__ == "__main__":
    write_page(__doc__, "robustness.md", lambda results: page(read_rows(results / "stress.csv")))
