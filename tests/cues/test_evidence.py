"""Evidence of all cues together: the sum, its ingredients, and its facts."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from helpers.cast import cast
from helpers.dressed_cast import blur_faces, dress, seen_together
from helpers.learned_iterations import adaptation_of, iteration_that_knows
from personae.adapt import Adaptation
from personae.core.trackset import Crops, TrackSet
from personae.cues.clothes import Clothes
from personae.cues.cue import Measurement
from personae.cues.evidence import EvidenceOptions, FilmEvidence, pairwise_evidence
from personae.cues.face import film_centred_tracks
from personae.cues.joint_calibration import JointCalibration
from personae.cues.registry import PAIR_CUES
from personae.cues.shot_threads import ShotThreads


def film() -> tuple[TrackSet, Adaptation, np.ndarray]:
    """Tracks with clothes in two camera set-ups, two iterations, and the anchors."""
    tracks, person = cast([9, 8, 7], noise=0.8)
    tracks = dress(blur_faces(tracks, np.arange(24) % 2 == 0, 0.08), person)
    setups = np.random.default_rng(0).integers(0, 255, (2, 14, 24, 3))
    noise = np.random.default_rng(1).normal(0, 3, (tracks.n_crops, 14, 24, 3))
    crops = replace(
        tracks.crops,
        boxes=np.tile(np.array([100, 100, 50, 50], np.float32), (tracks.n_crops, 1)),
        thumbnails=np.clip(setups[person[tracks.track_of] % 2] + noise, 0, 255).astype(np.uint8),
    )
    tracks = replace(tracks, crops=crops, cannot_link=seen_together(person, 24))
    iterations = [iteration_that_knows(tracks, person, noise) for noise in (0.08, 0.05)]
    return tracks, adaptation_of(*iterations), np.setdiff1d(np.arange(24), [3, 20])


def off_diagonal(matrix: np.ndarray) -> np.ndarray:
    return matrix[~np.eye(len(matrix), dtype=np.bool_)]


def test_the_log_odds_of_all_cues_are_added_up() -> None:
    """Against the sum written out, pair by pair."""
    tracks, adaptation, anchors = film()
    found = pairwise_evidence(tracks, adaptation, anchors)
    vectors = film_centred_tracks(tracks)
    base = vectors @ vectors.T
    every = np.arange(24)
    blocks = {one.name: one.score.block(every, every) for one in found.scores}
    weights = {one.name: one.weight for one in found.scores}
    assert list(blocks) == ["base", "iteration 1", "iteration 2"]
    assert sum(weights.values()) == pytest.approx(1.0)

    cues = [cue.measure(tracks) for cue in PAIR_CUES]
    calibration = JointCalibration(tracks, anchors, PAIR_CUES, cues)
    reference = np.ix_(anchors, anchors)
    combined = sum(weights[name] * blocks[name][reference] for name in blocks)
    fit = calibration.fit(combined)
    assert found.mixture.same == pytest.approx(fit.mixture.same, abs=1e-3)

    expected = np.zeros((24, 24))
    for i in range(24):
        for j in range(24):
            trained = i in anchors and j in anchors
            score = (
                sum(weights[name] * blocks[name][i, j] for name in blocks)
                if trained
                else base[i, j]
            )
            expected[i, j] = found.mixture.log_odds([score])[0]
    for cue, measured, calibrated in zip(PAIR_CUES, cues, fit.cues, strict=True):
        of_cue = calibrated.log_odds(measured, cue)
        np.testing.assert_allclose(found.cue_log_odds[cue.name], of_cue, atol=0.05)
        for (i, j), value in zip(measured.pairs, found.cue_log_odds[cue.name], strict=True):
            expected[i, j] += value
            expected[j, i] += value
    np.testing.assert_allclose(off_diagonal(found.log_odds), off_diagonal(expected), atol=0.02)
    np.testing.assert_array_equal(found.log_odds, found.log_odds.T)
    assert found.log_odds.dtype == np.float32


def test_pairs_with_a_track_that_was_not_trained_on_count_by_the_base_score() -> None:
    tracks, adaptation, anchors = film()
    others = [3, 20]
    options = EvidenceOptions(pair_cues=())
    found = pairwise_evidence(tracks, adaptation, anchors, options)
    vectors = film_centred_tracks(tracks)
    by_base = found.mixture.log_odds(vectors @ vectors.T)
    for track in others:
        rest = np.delete(np.arange(24), track)
        np.testing.assert_allclose(found.log_odds[track, rest], by_base[track, rest], atol=5e-3)
    among = np.ix_(anchors, anchors)
    assert np.abs(off_diagonal(found.log_odds[among] - by_base[among])).mean() > 0.05


def test_without_an_adaptation_the_face_counts_by_the_base_score() -> None:
    tracks, _, anchors = film()
    found = pairwise_evidence(tracks, None, anchors, EvidenceOptions(pair_cues=()))
    vectors = film_centred_tracks(tracks)
    expected = found.mixture.log_odds(vectors @ vectors.T)
    np.testing.assert_allclose(off_diagonal(found.log_odds), off_diagonal(expected), atol=5e-3)
    assert [(one.name, one.weight) for one in found.scores] == [("base", 1.0)]


@pytest.mark.parametrize("missing", ["whitening", "film_centring"])
def test_whitening_and_centring_can_be_switched_off(missing: str) -> None:
    tracks, _, anchors = film()
    options = EvidenceOptions(**{missing: False}, pair_cues=())
    found = pairwise_evidence(tracks, None, anchors, options)
    vectors = film_centred_tracks(tracks, missing != "whitening", missing != "film_centring")
    expected = found.mixture.log_odds(vectors @ vectors.T)
    np.testing.assert_allclose(off_diagonal(found.log_odds), off_diagonal(expected), atol=5e-3)


def test_score_weights_can_be_switched_off() -> None:
    tracks, adaptation, anchors = film()
    options = EvidenceOptions(score_weights=False)
    found = pairwise_evidence(tracks, adaptation, anchors, options)
    assert [one.weight for one in found.scores] == pytest.approx([1 / 3] * 3)
    weighted = pairwise_evidence(tracks, adaptation, anchors)
    assert not np.allclose(found.log_odds, weighted.log_odds, atol=0.1)


@pytest.mark.parametrize("kept", [(), (ShotThreads(),), (Clothes(),), (Clothes(), ShotThreads())])
def test_each_pair_cue_can_be_switched_off(kept: tuple[ShotThreads | Clothes, ...]) -> None:
    tracks, adaptation, anchors = film()
    found = pairwise_evidence(tracks, adaptation, anchors, EvidenceOptions(pair_cues=kept))
    assert list(found.cue_log_odds) == [cue.name for cue in kept]
    every = pairwise_evidence(tracks, adaptation, anchors)
    assert list(every.cue_log_odds) == ["shot threads", "clothes"]
    assert not np.allclose(found.log_odds, every.log_odds, atol=0.1) or len(kept) == 2


def test_the_order_of_cues_hardly_matters() -> None:
    tracks, _, anchors = film()
    one, other = (
        pairwise_evidence(tracks, None, anchors, EvidenceOptions(pair_cues=cues)).log_odds
        for cues in ((Clothes(), ShotThreads()), (ShotThreads(), Clothes()))
    )
    off_diagonal = ~np.eye(len(one), dtype=np.bool_)
    np.testing.assert_allclose(one[off_diagonal], other[off_diagonal], atol=0.25)


class SameVoice:
    """A fourth cue: it knows who speaks, more or less."""

    name: ClassVar[str] = "voice"
    min_log_odds: ClassVar[float] = -4.0
    max_log_odds: ClassVar[float] = 4.0

    def __init__(self, person: np.ndarray) -> None:
        self.person = person

    def measure(self, tracks: TrackSet) -> Measurement:
        pairs = np.column_stack(np.triu_indices(tracks.n_tracks, 1))
        same = self.person[pairs[:, 0]] == self.person[pairs[:, 1]]
        noise = np.random.default_rng(0).normal(0, 0.2, len(pairs))
        return Measurement(pairs, (same + noise)[:, None])


def test_a_fourth_cue_needs_only_an_object_that_measures_pairs() -> None:
    """Faces too poor to be recognised are told apart by their voices."""
    tracks, person = cast([9, 8, 7], noise=0.8)
    tracks = blur_faces(tracks, np.arange(24) % 2 == 0, 0.10)
    options = EvidenceOptions(pair_cues=(*PAIR_CUES, SameVoice(person)))
    found = pairwise_evidence(tracks, None, np.arange(24), options)
    alone = pairwise_evidence(tracks, None, np.arange(24))
    upper = np.triu_indices(24, 1)
    same = (person[:, None] == person)[upper]
    n_wrong, n_wrong_alone = (((one.log_odds[upper] > 0) != same).sum() for one in (found, alone))
    assert n_wrong < 10 < 40 < n_wrong_alone
    assert found.facts()["pair_cues"][-1]["name"] == "voice"
    assert found.facts()["pair_cues"][-1]["pairs"] == len(same)


def test_facts_say_what_was_believed() -> None:
    tracks, adaptation, anchors = film()
    found = pairwise_evidence(tracks, adaptation, anchors)
    facts = found.facts()
    assert facts["score_of_one_person"] == [round(value, 3) for value in found.mixture.same]
    assert facts["score_of_two_people"] == [round(value, 3) for value in found.mixture.different]
    assert facts["share_of_pairs_of_one_person"] == round(found.mixture.share, 3)
    assert facts["face_scores"] == [
        {
            "name": one.name,
            "weight": round(one.weight, 3),
            "expected_error": round(one.expected_error, 4),
            "validation_auc": round(one.validation_auc, 3),
        }
        for one in found.scores
    ]
    assert facts["pair_cues"] == [
        {
            "name": name,
            "pairs": len(log_odds),
            "mean_absolute_log_odds": round(float(np.abs(log_odds).mean()), 2),
        }
        for name, log_odds in found.cue_log_odds.items()
    ]
    silent = pairwise_evidence(replace(tracks, crops=Crops()), None, anchors).facts()
    assert silent["pair_cues"][1] == {
        "name": "clothes",
        "pairs": 0,
        "mean_absolute_log_odds": 0.0,
    }
    assert silent["face_scores"][0]["validation_auc"] is None


def test_what_is_measured_once_is_evaluated_as_often_as_wanted() -> None:
    tracks, adaptation, anchors = film()
    evidence = FilmEvidence(tracks, anchors)
    for given in (None, adaptation, None):
        found, afresh = evidence.evaluate(given), pairwise_evidence(tracks, given, anchors)
        np.testing.assert_array_equal(found.log_odds, afresh.log_odds)


def test_tracks_need_embeddings() -> None:
    tracks, _, anchors = film()
    with pytest.raises(ValueError, match="embeddings"):
        FilmEvidence(replace(tracks, embeddings=None), anchors)
