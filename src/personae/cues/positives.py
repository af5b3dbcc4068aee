"""Positive pairs of tracks for adaptation: those of which all cues together are sure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Int64Array
from personae.core.trackset import TrackSet
from personae.cues.evidence import EvidenceOptions, FilmEvidence
from personae.cues.score_weights import MIN_POSITIVE_LOG_ODDS

if TYPE_CHECKING:
    from personae.adapt import Adaptation

MAX_POSITIVES_PER_TRACK = 64
"""Most partners of one track; more are thinned out at random, which changes no draw's chances."""


class CuePositives:
    """Finds the pairs of tracks to train on, anew after every iteration.

    Evidence and metric take turns: the evidence of all cues selects pairs, training on them changes
    the learned metric, and the metric is part of the next evidence. The base score always is, too:
    a metric that selects alone what it learns from next drifts.
    """

    def __init__(self, tracks: TrackSet, anchors: Int64Array, seed: int = 0) -> None:
        """Measure the cues.

        Args:
            tracks: Tracks with embeddings.
            anchors: (m,) tracks that may make a character; only these are paired.
            seed: Seed of the thinning.
        """
        self._evidence = FilmEvidence(tracks, anchors, EvidenceOptions(keep_base=True))
        self._seed = seed

    def __call__(self, adaptation: Adaptation) -> Int64Array:
        """Return (m, 2) directed pairs whose log-odds are above `MIN_POSITIVE_LOG_ODDS`.

        Args:
            adaptation: The iterations so far; none before the first.
        """
        log_odds = self._evidence.evaluate(adaptation).log_odds
        tracks, anchors = self._evidence.tracks, self._evidence.anchors
        a, b = tracks.cannot_link.T
        log_odds[a, b] = log_odds[b, a] = -np.inf
        np.fill_diagonal(log_odds, -np.inf)
        rng = np.random.default_rng(self._seed)
        found: list[Int64Array] = []
        for track in anchors:
            partners = anchors[log_odds[track, anchors] > MIN_POSITIVE_LOG_ODDS]
            if len(partners) > MAX_POSITIVES_PER_TRACK:
                partners = np.sort(rng.choice(partners, MAX_POSITIVES_PER_TRACK, replace=False))
            found.append(np.column_stack([np.full(len(partners), track), partners]))
        return np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)
