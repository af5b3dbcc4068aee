"""Write docs/robustness.md from benchmarks/results/stress.csv.

python benchmarks/robustness_page.py [--results FOLDER] [--to FILE]
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from measure import Row, read_rows
from tables import markdown_table, run_page_command
from variant_sets import summarise

DEFAULT_METHOD = "personae"
B3F_TOLERANCE = 0.0005
"""A B-cubed F that is lower by less counts as equal."""
MIN_PCR = 0.5
"""Below this, the cast has collapsed into a few characters."""

HEAD = """\
# Robustness

The labelled clips, degraded in known ways, with the default settings. All numbers on this page come
from `benchmarks/results/stress.csv`; `python benchmarks/robustness_page.py` writes the page, and
`make bench-stress` measures again. `benchmarks/variants.py` makes the degraded films, and
`benchmarks/stress.py` describes the rest.

Every film is scanned by `personae`, and all methods cluster the same tracks. The default method is
compared with Algorithm 1 of VideoClusterNet on the same adaptation, with FINCH at the partition
with the best score (chosen by the labels), and with average linkage at a fixed distance; the page
shows the best of the three by its mean over the seeds. *Found* is the number of labelled faces on a
track of the scan. Where a variant removes tracks, their faces still count, without a character.

The basic variants are those that were used while the method was developed. The hard ones were added
later: *quarter* and *fifth size*; a quarter of the size at 30 kbit/s; 480 pixels wide at a constant
rate factor of 33 (*small and compressed*); clothes of one colour for the two people who are seen
most after the first (*clothes alike*); and two scenes, the second one mirrored, in which the first
person wears other clothes, and those two wear clothes of one colour throughout (*clothes changed*).
Clothes are recoloured below the faces of the tracks that the scan finds (`dyed_clothes.py`).
"""


def render_page(rows: list[Row]) -> str:
    """Return the page as Markdown."""
    cases = list(dict.fromkeys((row["clip"], row["variant"]) for row in rows))
    table, lower, pcrs = [], [], []
    for case in cases:
        case_rows = [row for row in rows if (row["clip"], row["variant"]) == case]
        default_rows = [row for row in case_rows if row["method"] == DEFAULT_METHOD]
        mean_f_of_others = {
            name: statistics.mean(_column(case_rows, name, "B3F"))
            for name in dict.fromkeys(row["method"] for row in case_rows)
            if name != DEFAULT_METHOD
        }
        best_f, best = max(
            ((value, name) for name, value in mean_f_of_others.items()), key=lambda pair: pair[0]
        )
        f, pcr = (_column(default_rows, DEFAULT_METHOD, name) for name in ("B3F", "PCR"))
        mean_f = statistics.mean(f)
        if mean_f < best_f - B3F_TOLERANCE:
            lower.append(f"{case[0]}, {case[1]} ({mean_f:.3f} against {best_f:.3f})")
        pcrs += pcr
        table.append(
            (
                *case,
                f"{default_rows[0]['found']} of {default_rows[0]['faces']}",
                f"{mean_f:.3f}{_format_range(f, '.3f')}",
                f"{min(_column(default_rows, DEFAULT_METHOD, 'WCP')):.3f}",
                f"{statistics.mean(pcr):.2f}{_format_range(pcr, '.2f')}",
                f"{best_f:.3f} ({best})",
            )
        )
    header = ("clip", "variant", "found", "B-cubed F", "lowest WCP", "PCR", "best other method")
    provenance = dict.fromkeys(
        f"Commit {row['commit']}, {row['date']}: `{row['command']}`" for row in rows
    )
    n_seeds = len({row["seed"] for row in rows})
    collapse = (
        ", so no cast collapses." if min(pcrs) >= MIN_PCR else ": at least one cast has collapsed."
    )
    lines = [
        HEAD,
        *provenance,
        "",
        f"Means over {n_seeds} seeds, with the range where they differ. The default method is at",
        f"least as good as the best other method in {len(cases) - len(lower)} of {len(cases)} cases"
        + (f"; not in {'; '.join(lower)}." if lower else "."),
        f"Its PCR is {min(pcrs):.2f} or more{collapse}",
        "",
        *(f"* {sentence}" for sentence in summarise(rows, DEFAULT_METHOD)),
        "",
        *markdown_table(header, table),
        "",
    ]
    return "\n".join(lines)


def _column(rows: Sequence[Row], method: str, name: str) -> list[float]:
    return [float(row[name]) for row in rows if row["method"] == method]


def _format_range(values: Sequence[float], spec: str) -> str:
    low, high = f"{min(values):{spec}}", f"{max(values):{spec}}"
    return f" ({low} to {high})" if low != high else ""


if __name__ == "__main__":
    run_page_command(
        __doc__, "robustness.md", lambda folder: render_page(read_rows(folder / "stress.csv"))
    )
