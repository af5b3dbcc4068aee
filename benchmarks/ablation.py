"""Remove each ingredient of the default method in turn, and score the result.

    python benchmarks/ablation.py [CLIP ...] [--seeds N] [--csv FILE]
    python benchmarks/ablation.py --show FILE

Every labelled clip that is present is scanned and encoded once. The table shows B-cubed F over
labelled faces, mean ± standard deviation over seeds, and the mean PCR.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from clips import CLIPS
from measure import Row, read_rows
from personae.cluster.calibrated_linkage import CalibratedLinkage, LinkageOptions
from personae.core.compute import configure_torch
from personae.core.trackset import TrackSet
from personae.cues.evidence import EvidenceOptions
from personae.cues.registry import PAIR_CUES
from personae.encode import Encoder, load_encoder
from personae.metrics.hand_labels import read_labels
from stress import Case, adapt_to, scan_film
from tables import markdown_table, write_csv
from variants import LabelledFilm

LINKAGE_OPTIONS: dict[str, LinkageOptions] = {
    "nothing": LinkageOptions(),
    "whitening": LinkageOptions(evidence=EvidenceOptions(whitening=False)),
    "film mean": LinkageOptions(evidence=EvidenceOptions(film_centring=False)),
    "score weights": LinkageOptions(evidence=EvidenceOptions(score_weights=False)),
    **{
        f"{left_out.name} in the clustering": LinkageOptions(
            evidence=EvidenceOptions(pair_cues=tuple(one for one in PAIR_CUES if one != left_out))
        )
        for left_out in PAIR_CUES
    },
    "norm filter": LinkageOptions(norm_filter=False),
    "split refinement": LinkageOptions(refinement=False),
    "silhouette cut": LinkageOptions(silhouette_cut=False),
    "attaching": LinkageOptions(attaching=False),
}
"""Ingredient of the clustering -> the options without it."""

TRACK_CHANGES: dict[str, Callable[[TrackSet], TrackSet]] = {
    "shot threads": lambda tracks: _without_crops_field(tracks, "thumbnails"),
    "clothes": lambda tracks: _without_crops_field(tracks, "clothes"),
    "cannot-links": lambda tracks: replace(
        tracks, cannot_link=tracks.cannot_link[:0], cannot_link_frames=None
    ),
    "attach-only tracks": lambda tracks: replace(tracks, attach_only=None),
}
"""Property of the tracks -> the tracks without it, to adapt to and to cluster."""

ADAPT_SETTINGS: dict[str, dict[str, object]] = {
    "resolution augmentation": {"resolution_augmentation": False},
    "cues' positives (coarse matches)": {"cross_track_pairs": "matches"},
    "pairs across tracks": {"cross_track_pairs": "none"},
    "last layers (head alone)": {"depth": "head"},
    "quality filter": {"quality_filter": False},
    "adaptation": {"iterations": 0},
}
"""Ingredient of the adaptation -> the settings without it; in brackets, what takes its place."""

COLUMNS = ("without", "clip", "seed", "WCP", "PCR", "B3F")


def _without_crops_field(tracks: TrackSet, name: str) -> TrackSet:
    return replace(tracks, crops=replace(tracks.crops, **{name: None}))


def results(case: Case, encoder: Encoder, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name of every removed ingredient, and the (T,) labels without it."""
    adaptation = adapt_to(case.tracks, encoder, seed)
    for name, options in LINKAGE_OPTIONS.items():
        method = CalibratedLinkage(options=options)
        yield name, method.cluster(case.tracks, adaptation).labels
    for name, change in TRACK_CHANGES.items():
        tracks = change(case.tracks)
        yield name, CalibratedLinkage().cluster(tracks, adapt_to(tracks, encoder, seed)).labels
    for name, settings in ADAPT_SETTINGS.items():
        other = adapt_to(case.tracks, encoder, seed, **settings)
        yield name, CalibratedLinkage().cluster(case.tracks, other).labels


def measured(names: list[str], seeds: int) -> Iterator[tuple[str, str, int, float, float, float]]:
    """Yield a row of `COLUMNS` for each removed ingredient, clip and seed."""
    encoder = load_encoder()
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            clip = CLIPS[name]
            case = scan_film(
                LabelledFilm(clip.video, read_labels(clip.labels)),
                Path(scratch, f"{name}.personae"),
            )
            for seed in range(seeds):
                for without, labels in results(case, encoder, seed):
                    s = case.score(labels)
                    yield without, name, seed, s.wcp, s.pcr, s.bcubed.f


def table(rows: list[Row]) -> list[str]:
    """Return the lines of a Markdown table: B-cubed F (mean PCR) of each ingredient and clip."""
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
    return markdown_table(["without", *clips], lines)


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
    configure_torch()
    rows = []
    for row in measured([name for name in options.clips if CLIPS[name].present], options.seeds):
        rows.append(row)
        print(*row[:3], *(f"{v:.3f}" for v in row[3:]), sep="\t", flush=True)
    if options.csv:
        write_csv(options.csv, COLUMNS, rows)
    print(*table([dict(zip(COLUMNS, map(str, row), strict=True)) for row in rows]), sep="\n")


if __name__ == "__main__":
    main()
