"""Select the tracks that may found a character: those with a sufficient embedding norm."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Int64Array
from personae.core.grouping import group_means
from personae.core.trackset import TrackSet

REFERENCE_NORM_QUANTILE = 0.75
"""Quantile of the tracks' embedding norms that stands for a well recognised face of the film."""

MIN_RELATIVE_NORM = 0.6
"""Lowest embedding norm of an anchor, as a share of the reference norm.

Chosen on labelled clips: backs of heads, cups and averted faces reach 0.4 to 0.6 of the reference,
and so do the poorest true faces.
"""


def select_anchors(tracks: TrackSet) -> Int64Array:
    """Return the tracks, among those not attach-only, whose embedding norm is not low.

    Networks trained with an angular margin give poorly recognised faces embeddings of low norm, and
    non-faces the lowest. The norm is compared with the film's own well recognised faces: a dark
    film keeps its people, and embeddings of unit norm all pass.

    Raises:
        ValueError: The tracks have no embeddings.

    Source:
        Meng et al., "MagFace", CVPR 2021; Kim et al., "AdaFace", CVPR 2022. The comparison with the
        film's quantile is ours.
    """
    candidates = tracks.anchors()
    if not len(candidates):
        return candidates
    crop_norms = np.linalg.norm(tracks.require_embeddings(), axis=1)[:, None]
    norms = group_means(crop_norms, tracks.track_of, tracks.n_tracks)[candidates, 0]
    reference = np.quantile(norms, REFERENCE_NORM_QUANTILE)
    anchors: Int64Array = candidates[norms >= MIN_RELATIVE_NORM * reference]
    return anchors
