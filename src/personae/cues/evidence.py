"""Evidence for pairs of tracks: all cues, calibrated to log-odds of one person and added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float32Array, Float64Array, Int64Array
from personae.core.pairwise import BilinearSimilarity, symmetric_from_blocks
from personae.core.trackset import TrackSet
from personae.cues.cue import PairCue
from personae.cues.face import film_centred_tracks
from personae.cues.iteration_scores import FittedScore, IterationScores
from personae.cues.joint_calibration import JointCalibration, JointFit
from personae.cues.learned_score import ScaledScore
from personae.cues.registry import PAIR_CUES
from personae.cues.score_mixture import ScoreMixture
from personae.cues.score_weights import BASE_NAME, WeightedScore, weigh_scores

if TYPE_CHECKING:
    from personae.adapt import Adaptation


@dataclass(frozen=True)
class EvidenceOptions:
    """Ingredients of the evidence that an ablation can switch off."""

    whitening: bool = True
    """Whiten embeddings by the covariance within tracks."""

    film_centring: bool = True
    """Subtract the film's mean embedding."""

    score_weights: bool = True
    """Weight base score and iterations by their reliability; False: all weigh the same."""

    keep_base: bool = False
    """Keep the base score even where the validation finds that what was learned is better."""

    pair_cues: tuple[PairCue, ...] = PAIR_CUES
    """Cues beside the face."""


ALL_INGREDIENTS = EvidenceOptions()
"""The default method's."""


@dataclass(frozen=True)
class Evidence:
    """Log-odds of one person for all pairs of tracks, and how they came about."""

    log_odds: Float32Array
    """(T, T) symmetric; the diagonal means nothing."""

    mixture: ScoreMixture
    """Calibration of the combined face scores."""

    scores: tuple[WeightedScore, ...]
    """The face scores that were combined, the base scores first."""

    cue_log_odds: dict[str, Float64Array]
    """Name of each pair cue -> (m,) its log-odds of the pairs of which it speaks."""

    def facts(self) -> dict[str, object]:
        """Return plain data for the run's facts: calibrations, weights, what each cue said."""
        return {
            "score_of_one_person": [round(value, 3) for value in self.mixture.same],
            "score_of_two_people": [round(value, 3) for value in self.mixture.different],
            "share_of_pairs_of_one_person": round(self.mixture.share, 3),
            "face_scores": [
                {
                    "name": one.name,
                    "weight": round(one.weight, 3),
                    "expected_error": round(one.expected_error, 4),
                    "validation_auc": None
                    if one.validation_auc is None
                    else round(one.validation_auc, 3),
                }
                for one in self.scores
            ],
            "pair_cues": [
                {
                    "name": name,
                    "pairs": len(log_odds),
                    "mean_absolute_log_odds": round(float(np.abs(log_odds).mean()), 2)
                    if len(log_odds)
                    else 0.0,
                }
                for name, log_odds in self.cue_log_odds.items()
            ],
        }


class FilmEvidence:
    """The evidence of one film: measured once, and evaluated as often as there is more learned."""

    def __init__(
        self, tracks: TrackSet, anchors: Int64Array, options: EvidenceOptions = ALL_INGREDIENTS
    ) -> None:
        """Measure all cues, and calibrate the base scores.

        Args:
            tracks: Tracks with embeddings.
            anchors: (m,) tracks that may make a character; the calibration uses only these.
            options: Ingredients to leave out.

        Raises:
            ValueError: The tracks have no embeddings.
        """
        self.tracks, self.anchors, self.options = tracks, anchors, options
        vectors = film_centred_tracks(tracks, options.whitening, options.film_centring)
        single = vectors.astype(np.float32)
        self.base = ScaledScore(BilinearSimilarity(single, single))
        self.measurements = [cue.measure(tracks) for cue in options.pair_cues]
        self.calibration = JointCalibration(tracks, anchors, options.pair_cues, self.measurements)
        scores = self._score_reference(self.base)
        self.base_fit = self.calibration.fit(scores)
        self._fitted_base = FittedScore(BASE_NAME, self.base, scores, self.base_fit)
        self._iterations = IterationScores(tracks, self.calibration, self.base_fit)

    def evaluate(self, adaptation: Adaptation | None = None) -> Evidence:
        """Combine the base scores with what was learned, and add the evidence of all pair cues.

        Args:
            adaptation: What was learned of the film; None: the base scores alone.
        """
        scores = weigh_scores(
            self._fitted_base,
            self._iterations.last(adaptation),
            self.calibration,
            equal_weights=not self.options.score_weights,
            keep_base=self.options.keep_base,
        )
        fit = self.base_fit
        if len(scores) > 1:
            combined = sum(
                np.float32(one.weight) * self._score_reference(one.score) for one in scores
            )
            fit = self.calibration.fit(np.asarray(combined))
        log_odds = self._face_log_odds(scores, fit)
        cue_log_odds: dict[str, Float64Array] = {}
        for cue, measured, calibrated in zip(
            self.options.pair_cues, self.measurements, fit.cues, strict=True
        ):
            a, b = measured.pairs.T
            of_cue = calibrated.log_odds(measured, cue)
            log_odds[a, b] += of_cue.astype(np.float32)
            log_odds[b, a] = log_odds[a, b]
            cue_log_odds[cue.name] = of_cue
        return Evidence(log_odds, fit.mixture, tuple(scores), cue_log_odds)

    def _score_reference(self, score: ScaledScore) -> Float32Array:
        """Return the (r, r) scores of the reference tracks."""
        return score.block(self.calibration.reference, self.calibration.reference)

    def _face_log_odds(self, scores: list[WeightedScore], fit: JointFit) -> Float32Array:
        """Compute the (T, T) log-odds by the face.

        Pairs with a track that may not make a character count by the base scores alone: such tracks
        are not trained on, and a network that has learned a film's characters draws everything else
        to one of them.
        """
        counted = [one for one in scores if one.weight > 0]
        is_anchor = np.zeros(self.tracks.n_tracks, dtype=np.bool_)
        is_anchor[self.anchors] = True

        def block(rows: slice, columns: slice) -> Float32Array:
            base = self.base.block(rows, columns)
            total = np.zeros_like(base)
            for one in counted:
                part = base if one.name == BASE_NAME else one.score.block(rows, columns)
                total += np.float32(one.weight) * part
            trained = is_anchor[rows, None] & is_anchor[columns]
            return np.asarray(
                fit.mixture.log_odds(np.where(trained, total, base)), dtype=np.float32
            )

        return symmetric_from_blocks(self.tracks.n_tracks, block)


def pairwise_evidence(
    tracks: TrackSet,
    adaptation: Adaptation | None,
    anchors: Int64Array,
    options: EvidenceOptions = ALL_INGREDIENTS,
) -> Evidence:
    """Compute the evidence of all cues for every pair of tracks.

    Args:
        tracks: Tracks with embeddings.
        adaptation: What was learned of the film; None: the base scores alone.
        anchors: (m,) tracks that may make a character; the calibration uses only these.
        options: Ingredients to leave out.

    Raises:
        ValueError: The tracks have no embeddings.
    """
    return FilmEvidence(tracks, anchors, options).evaluate(adaptation)
