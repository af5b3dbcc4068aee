"""Which tracks may define people: those in which the network recognises a face well enough."""

from __future__ import annotations

import numpy as np

from personae.core.arrays import Int64Array
from personae.core.grouping import group_means
from personae.core.trackset import TrackSet

USUAL = 0.75
"""Quantile of the anchors' embedding lengths that stands for a well seen face of the film."""

FAINT = 0.6
"""Share of that length below which a track does not define people. Settled while looking at labelled clips:
backs of heads, cups and faces turned away reach 0.4 to 0.6 of it, and so do the poorest true faces."""


def defining_tracks(tracks: TrackSet) -> Int64Array:
    """List the anchors whose embeddings are long enough: people are made of these alone.

    Networks trained with a margin on the angle give faces that they hardly recognise short embeddings (Meng
    et al., MagFace, CVPR 2021; Kim et al., AdaFace, CVPR 2022), and what is no face the shortest. The length
    is compared with the film's own well seen faces, so that a dark film keeps its people, and embeddings of
    unit length all pass. Raises ValueError where the tracks have no embeddings.
    """
    anchors = tracks.anchors()
    of_crops = np.linalg.norm(tracks.require_embeddings(), axis=1)[:, None]
    length = group_means(of_crops, tracks.track_of, tracks.n_tracks)[anchors, 0]
    kept: Int64Array = anchors[length >= FAINT * np.quantile(length, USUAL)]
    return kept
