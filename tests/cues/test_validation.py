"""Validation on pairs that the other cues are sure of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from personae.core.trackset import TrackSet
from personae.cues.joint_calibration import JointCalibration, JointFit
from personae.cues.score_mixture import ScoreMixture
from personae.cues.validation import MIN_SURE_LOG_ODDS, MIN_VALIDATION_PAIRS, Validation


def validation_of(cue_log_odds: np.ndarray, cannot_link: list[tuple[int, int]]) -> Validation:
    n = len(cue_log_odds)
    tracks = TrackSet(
        track_of=np.arange(n, dtype=np.int32),
        cannot_link=np.array(cannot_link, np.int32).reshape(-1, 2),
    )
    calibration = JointCalibration(tracks, np.arange(n), (), [])
    face = np.random.default_rng(9).normal(0, 5, (n, n))
    return Validation(calibration, JointFit(ScoreMixture(), (), face + cue_log_odds, cue_log_odds))


def sure_and_linked(n: int = 20, seed: int = 0) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Log-odds of which a third is sure, and cannot-links, some of them sure pairs too."""
    rng = np.random.default_rng(seed)
    log_odds = np.triu(rng.choice([2.5, 1.9, -1.0], (n, n)), 1)
    links = [(a, b) for a in range(n) for b in range(a + 1, n) if rng.random() < 0.2]
    return log_odds + log_odds.T, links


@pytest.mark.parametrize("digits", [0, 3])
def test_the_auc_is_that_of_sure_pairs_against_cannot_links(digits: int) -> None:
    """With ties, which count half."""
    log_odds, links = sure_and_linked()
    scores = np.round(np.random.default_rng(1).normal(0, 1, (20, 20)), digits)
    scores = np.triu(scores, 1) + np.triu(scores, 1).T
    same, different = [], []
    for a in range(20):
        for b in range(a + 1, 20):
            if (a, b) in links:
                different.append(scores[a, b])
            elif log_odds[a, b] + np.log(0.2 / 0.8) > 1:
                same.append(scores[a, b])
    expected = roc_auc_score([1] * len(same) + [0] * len(different), same + different)
    found = validation_of(log_odds, links).auc(scores.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-6)


def test_pairs_are_sure_from_log_odds_of_1_on_whatever_the_face_says() -> None:
    """A fifth of all pairs are of one person, so the pair cues have to say more than 1."""
    assert MIN_SURE_LOG_ODDS == 1.0
    least = 1.0 - np.log(0.2 / 0.8)
    log_odds = np.zeros((5, 5))
    log_odds[0, 1], log_odds[0, 2], log_odds[0, 3] = least + 0.01, least - 0.01, -9.0
    found = validation_of(log_odds, [(3, 4)])
    assert found.same.tolist() == [0]
    assert found.different.tolist() == [9]


def test_pairs_that_a_person_has_said_to_be_one_are_sure() -> None:
    tracks = TrackSet(
        track_of=np.arange(5, dtype=np.int32),
        cannot_link=np.array([[3, 4]], np.int32),
        must_link=np.array([[0, 1], [1, 2]], np.int32),
    )
    calibration = JointCalibration(tracks, np.arange(5), (), [])
    nothing = np.zeros((5, 5))
    found = Validation(calibration, JointFit(ScoreMixture(), (), nothing, nothing))
    assert found.same.tolist() == [0, 1, 4]


@pytest.mark.parametrize(("n", "is_enough"), [(14, False), (15, True)])
@pytest.mark.parametrize("kind", ["same", "different"])
def test_nothing_is_validated_on_few_pairs(n: int, is_enough: bool, kind: str) -> None:
    assert MIN_VALIDATION_PAIRS == 15
    log_odds, links = np.zeros((60, 60)), []
    for k in range(n if kind == "same" else 25):
        log_odds[0, 1 + k] = 3.0
    for k in range(n if kind == "different" else 22):
        links.append((26, 27 + k))
    found = validation_of(log_odds, links).auc(np.zeros((60, 60), np.float32))
    assert found == (0.5 if is_enough else None)


@given(st.floats(0.5, 1.0, allow_subnormal=False), st.floats(0.0, 0.999, allow_subnormal=False))
def test_better_is_judged_by_half_the_standard_error(base: float, auc: float) -> None:
    """Hanley and McNeil 1982, Eq. 1 and Table II, for positives in numbers n and negatives m."""
    log_odds, links = sure_and_linked()
    validation = validation_of(log_odds, links)
    n, m = len(validation.same), len(validation.different)
    low = min(auc, base)
    q1, q2 = low / (2 - low), 2 * low * low / (1 + low)
    variance = low * (1 - low) + (n - 1) * (q1 - low * low) + (m - 1) * (q2 - low * low)
    error = max(np.sqrt(max(variance, 0) / (n * m)) / 2, 1e-4)
    assert validation.probability_better(auc, base) == pytest.approx(norm.cdf((auc - base) / error))


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    """Exponential scores, for which Hanley and McNeil's formula is exact."""
    rng, n, m = np.random.default_rng(0), 30, 40
    log_odds = np.zeros((40, 40))
    pairs = [(a, b) for a in range(40) for b in range(a + 1, 40)]
    for a, b in pairs[:n]:
        log_odds[a, b] = 3.0
    links = pairs[n : n + m]
    validation = validation_of(log_odds, links)
    aucs = []
    for _ in range(2000):
        scores = np.zeros((40, 40), np.float32)
        for pair, value in zip(pairs[:n], rng.exponential(4.0, n), strict=True):
            scores[pair] = value
        for pair, value in zip(links, rng.exponential(1.0, m), strict=True):
            scores[pair] = value
        aucs.append(validation.auc(scores))
    mean, error = float(np.mean(aucs)), float(np.std(aucs))
    assert mean == pytest.approx(0.8, abs=0.01)
    assert validation.probability_better(mean + error, mean) == pytest.approx(norm.cdf(2), abs=5e-3)


def test_what_cannot_be_validated_is_as_good() -> None:
    validation = validation_of(*sure_and_linked())
    assert validation.probability_better(None, 0.9) == 0.5
    assert validation.probability_better(0.5, None) == 0.5
    assert validation.probability_better(1.0, 1.0) == 0.5
    assert validation.probability_better(1.0, 0.9) > 0.999
