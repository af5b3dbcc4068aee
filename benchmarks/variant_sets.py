"""Names of the variants of a clip, as results/stress.csv has them, in the sets to average over."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

HALF_OF_THE_TRACKS, FALSE_FACES = "half of the tracks", "false faces"
"""The variants that change tracks instead of the film."""

VARIANT_SETS = {
    "basic": (
        "as it is",
        "half size",
        "third size",
        "low bit rate",
        "dark",
        "grey",
        "first 20 s",
        "joined",
        "twice",
        HALF_OF_THE_TRACKS,
        FALSE_FACES,
    ),
    "hard": (
        "quarter size",
        "fifth size",
        "quarter size at low bit rate",
        "small and compressed",
        "clothes alike",
        "clothes changed",
    ),
}
"""Set -> its variants."""


def summarise(rows: Sequence[Mapping[str, str]], method: str) -> list[str]:
    """Return a sentence about one method in each set of variants of which there are results.

    Args:
        rows: Results with the columns clip, variant, method, WCP and B3F.
        method: Name of the method.
    """
    sentences = []
    for name, variants in VARIANT_SETS.items():
        f_of_case = defaultdict(list)
        wcps = []
        for row in rows:
            if row["method"] == method and row["variant"] in variants:
                f_of_case[row["clip"], row["variant"]].append(float(row["B3F"]))
                wcps.append(float(row["WCP"]))
        if f_of_case:
            mean = statistics.mean(statistics.mean(f) for f in f_of_case.values())
            spread = max(statistics.stdev(f) if len(f) > 1 else 0.0 for f in f_of_case.values())
            sentences.append(
                f"{len(f_of_case)} {name} cases: mean B-cubed F {mean:.4f}, largest standard "
                f"deviation over seeds {spread:.3f}, lowest WCP {min(wcps):.3f}."
            )
    return sentences
