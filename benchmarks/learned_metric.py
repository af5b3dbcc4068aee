"""Does adaptation learn the film? Pair AUC of the base score and of every iteration's metric.

    python benchmarks/learned_metric.py [CLIP ...] [--depths head last]
        [--pairs matches cues] [--seeds N] [--short] [--csv FILE]

The AUC is that of `personae.bench.learned_auc`: the probability that a pair of tracks of one person
scores higher than a pair of two people. `seconds` is the time of the views and of the training.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from clips import CLIPS
from personae.bench.learned_auc import base_auc, learned_auc
from personae.cluster import adapt_tracks
from personae.core.compute import configure_torch
from personae.core.config import AdaptConfig
from personae.datasets import DatasetContext, load_dataset
from personae.datasets.labelled import LabelledTracks
from personae.encode import load_encoder
from tables import ResultTable

SHORT_SCHEDULE: dict[str, object] = {
    "first_epochs": 6,
    "head_only_epochs": 2,
    "later_epochs": 3,
    "warmup_epochs": 1,
    "max_steps_per_epoch": 12,
}
"""18 epochs of at most 12 steps: depth full takes under an hour of a CPU then."""

COLUMNS = ("clip", "depth", "pairs", "schedule", "seed", "base", "1", "2", "3", "4", "5", "seconds")


def measure(data: LabelledTracks, settings: dict[str, object]) -> Iterator[str]:
    """Yield the AUC of the base score, of every iteration, and the seconds of the adaptation."""
    yield f"{base_auc(data):.3f}"
    config = AdaptConfig.model_validate(settings)
    adaptation = adapt_tracks(data.tracks, load_encoder(), config)
    for number in range(1, len(adaptation.iterations) + 1):
        yield f"{learned_auc(data, adaptation, number):.3f}"
    facts = adaptation.facts
    yield f"{facts['views_seconds'] + facts['training_seconds']:.0f}"


def main() -> None:
    """Measure every clip at every depth, with all pairs and seeds, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=list(CLIPS))
    parser.add_argument("--depths", nargs="*", default=["head", "last"])
    parser.add_argument("--pairs", nargs="*", default=["matches", "cues"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="train by SHORT_SCHEDULE")
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    configure_torch()
    table = ResultTable(COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        for name in (n for n in options.clips if CLIPS[n].present):
            clip = CLIPS[name]
            data = load_dataset(f"clip:{clip.video},{clip.labels}", DatasetContext(Path(folder)))
            for depth, pairs in product(options.depths, options.pairs):
                for seed in range(options.seeds):
                    settings = {"depth": depth, "cross_track_pairs": pairs, "seed": seed}
                    row = measure(data, settings | (SHORT_SCHEDULE if options.short else {}))
                    schedule = "short" if options.short else "default"
                    table.add(name, depth, pairs, schedule, str(seed), *row)
    table.finish(options.csv)


if __name__ == "__main__":
    main()
