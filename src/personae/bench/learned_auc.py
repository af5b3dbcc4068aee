"""How well scores between tracks tell people apart: AUC over the pairs of labelled tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import FloatArray
from personae.datasets.labelled import LabelledTracks

if TYPE_CHECKING:
    from personae.adapt import Adaptation


def base_auc(data: LabelledTracks) -> float | None:
    """Return the pair AUC of the base embeddings, as clustering compares them.

    Returns:
        See `pair_auc`.
    """
    from personae.cues.face import film_centred_tracks

    base = film_centred_tracks(data.tracks)
    return pair_auc(base @ base.T, data)


def learned_auc(data: LabelledTracks, adaptation: Adaptation, number: int) -> float | None:
    """Return the pair AUC of the metric that an adaptation has learned, by all its students.

    Args:
        data: The data set that was adapted to, with base embeddings.
        adaptation: The adaptation.
        number: Iteration, counted from 1.

    Returns:
        See `pair_auc`.
    """
    from personae.cues.learned_score import learned_score

    everyone = np.arange(data.tracks.n_tracks)
    scores = learned_score(data.tracks, adaptation, number).block(everyone, everyone)
    return pair_auc(scores, data)


def pair_auc(scores: FloatArray, data: LabelledTracks) -> float | None:
    """Return the probability that a pair of one person scores higher than a pair of two people.

    Args:
        scores: (T, T) scores between tracks, higher is more alike.
        data: The data set. Its labelled anchors count, tracks that may make a character.

    Returns:
        A value in 0..1; None without pairs of both kinds.
    """
    from sklearn.metrics import roc_auc_score

    from personae.cluster.anchors import select_anchors

    anchors = select_anchors(data.tracks)
    anchors = anchors[data.truth[anchors] >= 0]
    a, b = np.triu_indices(len(anchors), 1)
    a, b = anchors[a], anchors[b]
    same = data.truth[a] == data.truth[b]
    if not same.any() or same.all():
        return None
    return float(roc_auc_score(same, scores[a, b]))
