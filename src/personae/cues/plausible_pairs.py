"""Which coarse matches of the paper's adaptation other evidence excludes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import BoolArray, Float64Array, Int64Array, IntArray
from personae.core.memory import index_chunks
from personae.core.trackset import TrackSet
from personae.cues.face import film_centred_tracks
from personae.cues.joint_calibration import select_reference
from personae.cues.mixture_fit import fit_mixture
from personae.cues.score_mixture import ScoreMixture


@dataclass(frozen=True)
class PlausiblePairs:
    """Predicate on pairs of tracks: base log-odds of at least 0 and no cannot-link."""

    vectors: Float64Array
    """(T, d) vectors whose inner products are the base scores."""

    mixture: ScoreMixture
    """Calibration of the base scores."""

    cannot_link_keys: Int64Array
    """The numbers a * T + b of all cannot-links (a, b), in both orders."""

    def __call__(self, a: IntArray, b: IntArray) -> BoolArray:
        """Return for pairs of tracks, given as two (m,) arrays, whether each is plausible, (m,)."""
        keys = np.asarray(a, np.int64) * len(self.vectors) + b
        plausible = ~np.isin(keys, self.cannot_link_keys)
        for chunk in index_chunks(len(a)):
            scores = np.einsum("md,md->m", self.vectors[a[chunk]], self.vectors[b[chunk]])
            plausible[chunk] &= self.mixture.log_odds(scores) >= 0
        return plausible


def plausible_pairs(tracks: TrackSet) -> PlausiblePairs:
    """Fit the predicate that decides which pairs of tracks may show one person.

    Args:
        tracks: Tracks with embeddings and cannot-links.

    Raises:
        ValueError: The tracks have no embeddings.
    """
    if not tracks.n_tracks:
        return PlausiblePairs(np.empty((0, 0)), ScoreMixture(), np.empty(0, np.int64))
    vectors = film_centred_tracks(tracks)
    reference = vectors[select_reference(tracks.anchors())]
    a, b = tracks.cannot_link.T.astype(np.int64)
    keys = np.concatenate([a * tracks.n_tracks + b, b * tracks.n_tracks + a])
    return PlausiblePairs(vectors, fit_mixture(reference @ reference.T), keys)
