"""How alike two tracks look: the film-centred face-ID score, and the learned metric put on the same scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from personae.cluster.hac import cut_at_height, linkage_tree
from personae.cluster.labels import Vectors, cannot_link_matrix, group_means, unit_rows
from personae.cluster.mixture import ScoreMixture, fit_mixture
from personae.cluster.similarity import LossMetric, mean_similarity, sum_by
from personae.core.trackset import BoolArray, TrackSet

if TYPE_CHECKING:
    from personae.adapt import Adaptation

Matrix = npt.NDArray[np.float64]

CENTRE_PRIOR = 4.0
"""Identities at zero that the film's mean face is shrunk by: with few people the mean is mostly *them*, and
taking it away would take their identity away."""

CAUTIOUS_DISTANCE = 0.45
"""Cosine distance under which tracks count as one person when the film's mean face is taken; tighter than
any usual verification threshold of ArcFace-like models, so that it joins hardly two people."""

SURE = 3.0
"""Log-odds from which the base model counts as sure: a probability of 0.95."""

USELESS = 0.03
"""Share of sure pairs ordered wrongly at which an iteration is not listened to. Settled on labelled clips,
where this share follows the true error of the learned metric closely."""


def base_scores(tracks: TrackSet) -> Matrix:
    """Give the (T, T) cosine scores of whitened track means after the film's mean face has been subtracted.

    Faces of one film share light, grading, lens and codec, which lifts every score between strangers; the
    mean over its people, shrunk towards zero by `CENTRE_PRIOR` further people, holds what they share.
    People, not tracks, are averaged, so that a lead with many tracks does not become the mean.
    """
    crops = whitened(unit_rows(tracks.require_embeddings()), tracks)
    means = unit_rows(group_means(crops, tracks.track_of, tracks.n_tracks))
    centred = unit_rows(means - film_centre(means))
    scores: Matrix = centred @ centred.T
    return (scores + scores.T) / 2


def whitened(embeddings: Vectors, tracks: TrackSet) -> Vectors:
    """Turn (n, d) embeddings so that the directions in which single tracks vary count less.

    Within a track only pose, expression, light and blur change, never the person: whitening by the
    within-track covariance is a linear adaptation to the film in closed form (within-class covariance
    normalisation, Hatch et al. 2006, with tracks as classes). The covariance is shrunk towards a round one
    by d further observations, so a film with few crops keeps its embeddings nearly as they are.
    """
    means = group_means(embeddings, tracks.track_of, tracks.n_tracks)
    residuals = embeddings - means[tracks.track_of]
    freedom, dim = len(embeddings) - tracks.n_tracks, embeddings.shape[1]
    scatter = residuals.T @ residuals
    level = np.trace(scatter) / dim / max(freedom, 1)
    if level <= 0:
        return embeddings
    values, axes = np.linalg.eigh((scatter + dim * level * np.eye(dim)) / (freedom + dim))
    turned: Vectors = embeddings @ (axes / np.sqrt(values)) @ axes.T
    return turned


def film_centre(means: Vectors) -> Vectors:
    """Average the unit track means (T, d) over cautiously formed people, shrunk towards zero; gives (d,)."""
    if len(means) == 1:
        people = means
    else:
        distances = np.clip(1.0 - means @ means.T, 0.0, 2.0)
        distances = (distances + distances.T) / 2
        np.fill_diagonal(distances, 0.0)
        label = cut_at_height(linkage_tree(distances, "average"), len(means), CAUTIOUS_DISTANCE)
        people = np.stack([means[label == person].mean(axis=0) for person in range(int(label.max()) + 1)])
    centre: Vectors = people.sum(axis=0) / (len(people) + CENTRE_PRIOR)
    return centre


def film_mixture(scores: Matrix, anchors: npt.NDArray[np.int64]) -> ScoreMixture:
    """Fit the mixture to the (T, T) scores of the pairs of anchors, the tracks that define people."""
    return fit_mixture(scores[np.ix_(anchors, anchors)][np.triu_indices(len(anchors), 1)])


def plausible_pairs(tracks: TrackSet) -> BoolArray:
    """Mark the (T, T) pairs of tracks that may show one person: even odds or better by base scores, no
    cannot-link."""
    if not tracks.n_tracks:
        return np.zeros((0, 0), dtype=np.bool_)
    scores = base_scores(tracks)
    odds = film_mixture(scores, tracks.anchors()).log_odds(scores)
    plausible: BoolArray = (odds >= 0) & ~cannot_link_matrix(tracks)
    return plausible


def learned_scores(tracks: TrackSet, adaptation: Adaptation, number: int) -> Matrix:
    """Give the (T, T) mean learned similarity -S between tracks after iteration `number` (1, 2, ...)."""
    iteration = adaptation.iterations[number - 1]
    metric = LossMetric(iteration.centre, adaptation.student_temperature, adaptation.teacher_temperature)
    p, q = metric.sides(iteration.embeddings)
    count = np.bincount(tracks.track_of, minlength=tracks.n_tracks)[:, None]
    sums = (sum_by(side, tracks.track_of, tracks.n_tracks) / count for side in (p, q))
    return -mean_similarity(*sums)


def combined_scores(
    tracks: TrackSet, adaptation: Adaptation | None, anchors: npt.NDArray[np.int64]
) -> Matrix:
    """Give the (T, T) evidence: base scores averaged with those of the iterations that have proved
    themselves.

    An iteration's scores have no scale of their own, so they are put on the base scores' by rank: among the
    pairs of anchors, the tracks that define people, the most alike pair gets the highest base score, and so
    on; pairs of other tracks follow the same map. Iterations are averaged by their trust, and their mean
    counts as much against the base scores as the most trusted of them, at most half.
    """
    base = base_scores(tracks)
    if adaptation is None or not adaptation.iterations or len(anchors) < 3:
        return base
    pairs = anchors[np.stack(np.triu_indices(len(anchors), 1))]
    known = base[pairs[0], pairs[1]]
    odds = fit_mixture(known).log_odds(known)
    ladder = np.sort(known)
    learned, weights = np.zeros_like(base), [0.0]
    for number in range(1, len(adaptation.iterations) + 1):
        scores = learned_scores(tracks, adaptation, number)
        of_pairs = scores[pairs[0], pairs[1]]
        weight = trust(of_pairs, odds)
        if weight > 0:
            learned += weight * np.interp(scores, np.sort(of_pairs), ladder)
            weights.append(weight)
    if max(weights) == 0:
        return base
    combined: Matrix = (base + max(weights) * learned / sum(weights)) / (1 + max(weights))
    return combined


def trust(learned: Matrix, base_odds: Matrix) -> float:
    """Tell how far to trust an iteration, 0..1, from (m,) learned scores and base log-odds of the same pairs.

    Where the base model is sure, the learned metric must agree. The share of wrongly ordered pairs among
    (surely one person, surely two people), 1 - AUC, falls as the head learns the film, and stays high where
    a clip is too short or its faces too poor to learn from: none wrong gives 1, `USELESS` or more gives 0,
    and so do films without such pairs.
    """
    same, different = learned[base_odds > SURE], np.sort(learned[base_odds < -SURE])
    if not len(same) or not len(different):
        return 0.0
    rank = np.searchsorted(different, same, side="left") + np.searchsorted(different, same, side="right")
    wrong = 1.0 - float(rank.mean()) / (2 * len(different))
    return max(0.0, 1.0 - wrong / USELESS)
