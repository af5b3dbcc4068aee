"""Take each ingredient of the default method away in turn, and score what is left.

    python benchmarks/ablation.py [CLIP ...] [--seeds N] [--csv FILE]
    python benchmarks/ablation.py --show FILE

Every labelled clip that is present is scanned and embedded once. The figures are B-cubed F over labelled
faces, mean ± standard deviation over seeds, and the mean PCR. Ingredients of the clustering are taken away by
putting a plain function in the place of the one that holds them, those of the adaptation by its settings.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from clips import CLIPS
from measure import Row, read_rows
from personae.cluster import evidence, personae
from personae.cluster.hac import cut_at_count
from personae.cluster.personae import CalibratedLinkage
from personae.core.compute import prepare_torch
from personae.core.trackset import TrackSet
from personae.encode import Encoder, load_encoder
from personae.metrics.hand_labels import read_labels
from shown import markdown, write_csv
from stress import Case, learned, scanned
from variants import Film

Swap = Callable[[], AbstractContextManager[Any]]


def _even_odds(tree: np.ndarray, scores: Any, *rest: Any) -> np.ndarray:
    n = len(scores)
    return cut_at_count(tree, n, n - int((tree[:, 2] >= 0).sum()))


def _level(tree: np.ndarray, level: np.ndarray, *rest: Any) -> np.ndarray:
    return level


def _equal_trust(learned: np.ndarray, base_odds: np.ndarray) -> float:
    return 1.0


OF_CLUSTERING: dict[str, Swap] = {
    "nothing": nullcontext,
    "whitening by the film's tracks": lambda: patch.object(
        evidence, "wccn_whiten", lambda x, tracks: x
    ),
    "the film's mean face": lambda: patch.object(
        evidence, "film_centre", lambda x: np.zeros(x.shape[1])
    ),
    "trust (all iterations count alike)": lambda: patch.object(evidence, "trust", _equal_trust),
    "faint tracks apart": lambda: patch.object(personae, "defining_tracks", TrackSet.anchors),
    "returns to the same place": lambda: patch.object(
        personae, "add_thread_log_odds", lambda *given: None
    ),
    "undoing of unions": lambda: patch.object(personae, "refine_cut", _level),
    "silhouette (stops at even odds)": lambda: patch.multiple(
        personae, select_cut=_even_odds, refine_cut=_level
    ),
    "joining of poor tracks": lambda: patch.object(
        personae, "attach", lambda odds, labels, links: labels
    ),
}
"""What is taken away -> how."""

OF_TRACKS: dict[str, Callable[[TrackSet], TrackSet]] = {
    "cannot-links": lambda tracks: replace(
        tracks, cannot_link=tracks.cannot_link[:0], cannot_link_frames=None
    ),
    "weak tracks apart": lambda tracks: replace(tracks, attach_only=None),
}

OF_ADAPTATION: dict[str, dict[str, Any]] = {
    "the smaller faces' detail in views": {"match_detail": False},
    "the check of coarse matches": {"check_matches": False},
    "coarse matching": {"matching": False},
    "the quality filter": {"quality_filter": False},
    "adaptation": {"iterations": 0},
}
COLUMNS = ("without", "clip", "seed", "WCP", "PCR", "B3F")


def results(case: Case, encoder: Encoder, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Give what was taken away, and the labels without it."""
    adaptation = learned(case.tracks, encoder, seed)
    for name, swap in OF_CLUSTERING.items():
        with swap():
            yield name, CalibratedLinkage().cluster(case.tracks, adaptation).labels
    for name, change in OF_TRACKS.items():
        tracks = change(case.tracks)
        yield name, CalibratedLinkage().cluster(tracks, learned(tracks, encoder, seed)).labels
    for name, settings in OF_ADAPTATION.items():
        other = learned(case.tracks, encoder, seed, **settings)
        yield name, CalibratedLinkage().cluster(case.tracks, other).labels


def measured(names: list[str], seeds: int) -> Iterator[tuple[str, str, int, float, float, float]]:
    """Give a row of `COLUMNS` for each thing that is taken away, on each clip with each seed."""
    encoder = load_encoder()
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            clip = CLIPS[name]
            case = scanned(
                Film(clip.video, read_labels(clip.labels)), Path(scratch, f"{name}.personae")
            )
            for seed in range(seeds):
                for without, labels in results(case, encoder, seed):
                    s = case.judge(labels)
                    yield without, name, seed, s.wcp, s.pcr, s.bcubed.f


def table(rows: list[Row]) -> list[str]:
    """Make the Markdown table: B-cubed F by clip, mean ± standard deviation over seeds, with the mean PCR."""
    clips = list(dict.fromkeys(row["clip"] for row in rows))
    lines = []
    for without in dict.fromkeys(row["without"] for row in rows):
        cells = [without]
        for clip in clips:
            of_cell = [row for row in rows if (row["without"], row["clip"]) == (without, clip)]
            f, pcr = ([float(row[name]) for row in of_cell] for name in ("B3F", "PCR"))
            spread = statistics.stdev(f) if len(f) > 1 else 0.0
            cells.append(f"{statistics.mean(f):.3f} ± {spread:.3f} ({statistics.mean(pcr):.2f})")
        lines.append(cells)
    return markdown(["without", *clips], lines)


def main() -> None:
    """Run everything, or read what was measured before, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=list(CLIPS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--csv", type=Path, help="where the figures are put")
    parser.add_argument(
        "--show", type=Path, help="print the table of such a file, and measure nothing"
    )
    options = parser.parse_args()
    if options.show:
        print(*table(read_rows(options.show)), sep="\n")
        return
    prepare_torch()
    rows = []
    for row in measured([name for name in options.clips if CLIPS[name].present], options.seeds):
        rows.append(row)
        print(*row[:3], *(f"{v:.3f}" for v in row[3:]), sep="\t", flush=True)
    if options.csv:
        write_csv(options.csv, COLUMNS, rows)
    print(*table([dict(zip(COLUMNS, map(str, row), strict=True)) for row in rows]), sep="\n")


if __name__ == "__main__":
    main()
