"""How alike two tracks look: the film-centred face-ID score, and the learned metric put on the same scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.special import expit

from personae.cluster.hac import cut_at_height, linkage_tree
from personae.core.arrays import (
    BoolArray,
    Float32Array,
    Float64Array,
    FloatArray,
    Int64Array,
    IntArray,
)
from personae.core.grouping import group_means, sum_by, unit_rows
from personae.core.memory import in_parts
from personae.core.pairwise import Product, symmetric_from_blocks
from personae.core.trackset import TrackSet
from personae.cues.loss_metric import LossMetric
from personae.cues.monotone_maps import QuantileMap
from personae.cues.score_mixture import PRIOR_PAIRS, ScoreMixture, fit_mixture

if TYPE_CHECKING:
    from personae.adapt import Adaptation

Kept = TypeVar("Kept", Float64Array, Int64Array)

MAX_SUBSAMPLED_TRACKS = 2000
"""Tracks, evenly spread, on which a longer film's mean face, mixture and trust are subsample_tracks: their two
million pairs say all that more would."""

CENTRE_PRIOR = 4.0
"""Identities at zero that the film's mean face is shrunk by: with few people the mean is mostly *them*, and
taking it away would take their identity away."""

CAUTIOUS_DISTANCE = 0.45
"""Cosine distance under which tracks count as one person when the film's mean face is taken; tighter than
any usual verification threshold of ArcFace-like models, so that it joins hardly two people."""

SURE = 3.0
"""Log-odds from which the base model counts as sure: a probability of 0.95."""


def film_centred_tracks(tracks: TrackSet) -> Float64Array:
    """Give the (T, d) unit vectors of wccn_whiten tracks after the film's mean face has been subtracted; their
    inner products are the base scores.

    Faces of one film share light, grading, lens and codec, which lifts every score between strangers; the
    mean over its people, shrunk towards zero by `CENTRE_PRIOR` further people, holds what they share.
    People, not tracks, are averaged, so that a lead with many tracks does not become the mean.
    """
    crops = wccn_whiten(unit_rows(tracks.require_embeddings()), tracks)
    means = unit_rows(group_means(crops, tracks.track_of, tracks.n_tracks))
    return unit_rows(means - film_centre(subsample_tracks(means)))


def subsample_tracks(tracks: Kept) -> Kept:
    """Pick the tracks, evenly spread over the film, that what holds for the whole film is subsample_tracks on."""
    if len(tracks) <= MAX_SUBSAMPLED_TRACKS:
        return tracks
    return tracks[np.linspace(0, len(tracks) - 1, MAX_SUBSAMPLED_TRACKS).round().astype(np.int64)]


def wccn_whiten(embeddings: Float64Array, tracks: TrackSet) -> Float64Array:
    """Turn (n, d) embeddings so that the directions in which single tracks vary count less.

    Within a track only pose, expression, light and blur change, never the person: whitening by the
    within-track covariance is a linear adaptation to the film in closed form (within-class covariance
    normalisation, Hatch et al. 2006, with tracks as classes). The covariance is shrunk towards a round one
    by d further observations, so a film with few crops keeps its embeddings nearly as they are.
    """
    means = group_means(embeddings, tracks.track_of, tracks.n_tracks)
    freedom, dim = len(embeddings) - tracks.n_tracks, embeddings.shape[1]
    scatter = np.zeros((dim, dim))
    for rows in in_parts(len(embeddings)):
        residuals = embeddings[rows] - means[tracks.track_of[rows]]
        scatter += residuals.T @ residuals
    level = np.trace(scatter) / dim / max(freedom, 1)
    if level <= 0:
        return embeddings
    values, axes = np.linalg.eigh((scatter + dim * level * np.eye(dim)) / (freedom + dim))
    turned: Float64Array = embeddings @ ((axes / np.sqrt(values)) @ axes.T)
    return turned


def film_centre(means: Float64Array) -> Float64Array:
    """Average the unit track means (T, d) over cautiously formed people, shrunk towards zero; gives (d,)."""
    if len(means) == 1:
        people = means
    else:
        single = means.astype(np.float32)
        distances = symmetric_from_blocks(
            len(means), lambda a, b: np.clip(1 - single[a] @ single[b].T, 0.0, 2.0)
        )
        np.fill_diagonal(distances, 0.0)
        label = cut_at_height(linkage_tree(distances, "average"), len(means), CAUTIOUS_DISTANCE)
        people = group_means(means, label, int(label.max()) + 1)
    centre: Float64Array = people.sum(axis=0) / (len(people) + CENTRE_PRIOR)
    return centre


def film_mixture(scores: Float32Array, anchors: Int64Array) -> ScoreMixture:
    """Fit the mixture to the (T, T) scores of the pairs of anchors, the tracks that define people."""
    some = subsample_tracks(anchors)
    return fit_mixture(_upper(scores[np.ix_(some, some)]))


@dataclass(frozen=True)
class PlausiblePairs:
    """Tells of pairs of tracks whether they may show one person: even odds or better by base scores, no
    cannot-link."""

    vectors: Float64Array
    """(T, d) with the base scores as inner products."""
    mixture: ScoreMixture
    forbidden: Int64Array
    """The numbers a * T + b of all cannot-links (a, b), in both orders."""

    def __call__(self, a: IntArray, b: IntArray) -> BoolArray:
        """Judge the pairs of tracks (a_i, b_i); gives (m,)."""
        plausible = ~np.isin(np.asarray(a, np.int64) * len(self.vectors) + b, self.forbidden)
        for part in in_parts(len(a)):
            scores = np.einsum("md,md->m", self.vectors[a[part]], self.vectors[b[part]])
            plausible[part] &= self.mixture.log_odds(scores) >= 0
        return plausible


def plausible_pairs(tracks: TrackSet) -> PlausiblePairs:
    """Learn from base scores and cannot-links which pairs of tracks may show one person."""
    if not tracks.n_tracks:
        return PlausiblePairs(np.empty((0, 0)), fit_mixture(np.empty(0)), np.empty(0, np.int64))
    vectors = film_centred_tracks(tracks)
    some = vectors[subsample_tracks(tracks.anchors())].astype(np.float32)
    a, b = tracks.cannot_link.T.astype(np.int64)
    forbidden = np.concatenate([a * tracks.n_tracks + b, b * tracks.n_tracks + a])
    return PlausiblePairs(vectors, fit_mixture(_upper(some @ some.T)), forbidden)


def learned_score(tracks: TrackSet, adaptation: Adaptation, number: int) -> Product:
    """Give the mean learned similarity -S between tracks after iteration `number` (1, 2, ...)."""
    iteration = adaptation.iterations[number - 1]
    metric = LossMetric(
        iteration.centre, adaptation.student_temperature, adaptation.teacher_temperature
    )
    sums = np.zeros((2, tracks.n_tracks, iteration.embeddings.shape[1]))
    for rows in in_parts(tracks.n_crops):
        for total, side in zip(sums, metric.sides(iteration.embeddings[rows]), strict=True):
            total += sum_by(side, tracks.track_of[rows], tracks.n_tracks)
    left, right = (sums / np.bincount(tracks.track_of)[:, None]).astype(np.float32)
    return Product(left, right)


def combined_scores(
    tracks: TrackSet, adaptation: Adaptation | None, anchors: Int64Array
) -> Float32Array:
    """Give the (T, T) evidence: base scores averaged with those of the iterations that have proved
    themselves. A track's score with itself is 1.

    An iteration's scores have no scale of their own, so they are put on the base scores' by rank: among the
    pairs of anchors, the tracks that define people, the most alike pair gets the highest base score, and so
    on; pairs of other tracks follow the same map. Iterations are averaged by their trust, and their mean
    counts as much against the base scores as the most trusted of them, at most half.
    """
    vectors = film_centred_tracks(tracks).astype(np.float32)
    base = Product(vectors, vectors)
    learned = weighted_iterations(base, tracks, adaptation, subsample_tracks(anchors))
    heard = max((weight for weight, _, _ in learned), default=0.0)
    total = sum(weight for weight, _, _ in learned)

    def between(rows: slice, columns: slice) -> Float32Array:
        scores = base.between(rows, columns)
        for weight, score, to_base in learned:
            mapped = to_base(score.between(rows, columns))
            mapped *= np.float32(heard * weight / total)
            scores += mapped
        scores /= np.float32(1 + heard)
        return scores

    filled = symmetric_from_blocks(tracks.n_tracks, between)
    np.fill_diagonal(filled, 1.0)
    return filled


def weighted_iterations(
    base: Product, tracks: TrackSet, adaptation: Adaptation | None, some: Int64Array
) -> list[tuple[float, Product, Callable[[FloatArray], FloatArray]]]:
    """Judge the iterations on the pairs of some tracks; gives trust, score and map to the base scores' scale
    of each that is trusted at all."""
    if adaptation is None or not adaptation.iterations or len(some) < 3:
        return []
    known = _upper(base.between(some, some))
    odds = fit_mixture(known).log_odds(known)
    ladder = np.sort(known)
    found: list[tuple[float, Product, Callable[[FloatArray], FloatArray]]] = []
    for number in range(1, len(adaptation.iterations) + 1):
        score = learned_score(tracks, adaptation, number)
        of_pairs = _upper(score.between(some, some))
        weight = trust(of_pairs, odds)
        if weight > 0:
            found.append((weight, score, QuantileMap(np.sort(of_pairs), ladder).function()))
    return found


def _upper(square: FloatArray) -> FloatArray:
    """List the pairs of a symmetric (m, m) matrix, each once."""
    pairs: FloatArray = square[np.triu(np.ones(square.shape, dtype=np.bool_), 1)]
    return pairs


def trust(learned: FloatArray, base_odds: FloatArray) -> float:
    """Tell how far to trust an iteration, 0..1, from (m,) learned scores and base log-odds of the same pairs.

    Where the base model is sure, the learned metric must agree. The share of wrongly ordered pairs among
    (surely one person, surely two people), 1 - AUC, falls as the head learns the film, and stays high where
    a clip is too short or its faces too poor to learn from. It is held against the share of pairs in which
    the base model expects to err itself: none wrong gives 1, as many or more gives 0, so that where the base
    model knows everybody there is nothing to be learnt. An iteration is held for useless until `PRIOR_PAIRS`
    pairs of one person have spoken: a clip of a few tracks cannot prove it otherwise.
    """
    same, different = np.sort(learned[base_odds > SURE]), np.sort(learned[base_odds < -SURE])
    if not len(same) or not len(different):
        return 0.0
    rank = np.searchsorted(different, same, side="left") + np.searchsorted(
        different, same, side="right"
    )
    wrong = 1.0 - float(rank.mean()) / (2 * len(different))
    expected = float(expit(-np.abs(base_odds)).mean())
    return max(0.0, 1.0 - wrong / expected) * len(same) / (len(same) + PRIOR_PAIRS)
