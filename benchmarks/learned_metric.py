"""Does adaptation learn the film? Pair AUC of the base score and of every iteration's metric.

    python benchmarks/learned_metric.py [CLIP ...] [--variants VARIANT ...] [--seeds N] [--csv FILE]

The AUC is that of `personae.bench.learned_auc`: the probability that a pair of tracks of one person
scores higher than a pair of two people. `seconds` is the time of the views and of the training.
All variants but the slow `full-cues` are measured by default.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
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

VARIANTS: dict[str, dict[str, object]] = {
    "head": {"depth": "head", "cross_track_pairs": "matches"},
    "last": {"depth": "last", "cross_track_pairs": "matches"},
    "head-cues": {"depth": "head", "cross_track_pairs": "cues"},
    "last-cues": {"depth": "last", "cross_track_pairs": "cues"},
    "full-cues": {
        "depth": "full",
        "cross_track_pairs": "cues",
        "students": 1,
        "first_epochs": 3,
        "head_only_epochs": 1,
        "later_epochs": 2,
        "batch_size": 8,
        "max_steps_per_epoch": 12,
    },
}
"""Name -> what is trained, and on which pairs of tracks: coarse matches, or those that all cues are
sure of. `full-cues` has a schedule so short that a CPU does it in a quarter of an hour: 132 steps
of 8 pairs, 3 epochs and then 2 in every iteration; the others take 32 pairs in 30 and 10 epochs."""

ITERATIONS = 5
COLUMNS = (
    "clip",
    "variant",
    "seed",
    "base",
    *(str(number) for number in range(1, ITERATIONS + 1)),
    "seconds",
)


def measure(data: LabelledTracks, variant: str, seed: int) -> Iterator[str]:
    """Yield the AUC of the base score, of every iteration, and the seconds of the adaptation."""
    yield _format(base_auc(data))
    settings = {"iterations": ITERATIONS, "extra_iterations": 0, "seed": seed, **VARIANTS[variant]}
    config = AdaptConfig.model_validate(settings)
    adaptation = adapt_tracks(data.tracks, load_encoder(), config)
    for number in range(1, ITERATIONS + 1):
        yield _format(learned_auc(data, adaptation, number))
    facts = adaptation.facts
    yield f"{facts['views_seconds'] + facts['training_seconds']:.0f}"


def _format(auc: float | None) -> str:
    return "" if auc is None else f"{auc:.3f}"


def main() -> None:
    """Measure every clip in every variant with every seed, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=list(CLIPS))
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS)[:-1])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    configure_torch()
    table = ResultTable(COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        for name in (n for n in options.clips if CLIPS[n].present):
            clip = CLIPS[name]
            data = load_dataset(f"clip:{clip.video},{clip.labels}", DatasetContext(Path(folder)))
            for variant in options.variants:
                for seed in range(options.seeds):
                    table.add(name, variant, str(seed), *measure(data, variant, seed))
    table.finish(options.csv)


if __name__ == "__main__":
    main()
