"""Does adaptation learn the film? Pair AUC of the base score and of every iteration's metric.

    python benchmarks/learned_metric.py [CLIP ...] [--depths head last] [--seeds N] [--csv FILE]

The AUC is the probability that a pair of tracks of one person scores higher than a pair of two
people, over all pairs of labelled anchors (tracks that may make a character). `seconds` is the time
of the views and of the training.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from clips import CLIPS
from personae.adapt import adapt
from personae.cluster.anchors import select_anchors
from personae.core.arrays import Float64Array
from personae.core.compute import configure_torch
from personae.core.config import AdaptConfig
from personae.cues.evidence import plausible_pairs
from personae.cues.face import film_centred_tracks
from personae.cues.learned_score import learned_score
from personae.datasets import DatasetContext, load_dataset
from personae.datasets.labelled import LabelledTracks
from personae.encode import load_encoder
from tables import ResultTable

COLUMNS = ("clip", "depth", "seed", "base", "1", "2", "3", "4", "5", "seconds")


def measure(data: LabelledTracks, depth: str, seed: int) -> Iterator[str]:
    """Yield the AUC of the base score, of every iteration, and the seconds of the adaptation."""
    tracks = data.tracks
    anchors = select_anchors(tracks)
    anchors = anchors[data.truth[anchors] >= 0]
    base = film_centred_tracks(tracks)
    yield f"{pair_auc(base @ base.T, data, anchors):.3f}"
    config = AdaptConfig.model_validate({"depth": depth, "seed": seed})
    adaptation = adapt(tracks, load_encoder(), config, plausible=plausible_pairs(tracks))
    everyone = np.arange(tracks.n_tracks)
    for number in range(1, len(adaptation.iterations) + 1):
        scores = learned_score(tracks, adaptation, number).block(everyone, everyone)
        yield f"{pair_auc(scores, data, anchors):.3f}"
    facts = adaptation.facts
    yield f"{facts['views_seconds'] + facts['training_seconds']:.0f}"


def pair_auc(scores: Float64Array, data: LabelledTracks, anchors: np.ndarray) -> float:
    """Return the AUC of (T, T) scores over the pairs of some labelled tracks."""
    a, b = np.triu_indices(len(anchors), 1)
    a, b = anchors[a], anchors[b]
    return float(roc_auc_score(data.truth[a] == data.truth[b], scores[a, b]))


def main() -> None:
    """Measure every clip at every depth with every seed, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=list(CLIPS))
    parser.add_argument("--depths", nargs="*", default=["head", "last"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    configure_torch()
    table = ResultTable(COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        for name in (n for n in options.clips if CLIPS[n].present):
            clip = CLIPS[name]
            data = load_dataset(f"clip:{clip.video},{clip.labels}", DatasetContext(Path(folder)))
            for depth in options.depths:
                for seed in range(options.seeds):
                    table.add(name, depth, str(seed), *measure(data, depth, seed))
    table.finish(options.csv)


if __name__ == "__main__":
    main()
