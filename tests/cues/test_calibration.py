"""Calibration of a cue: parity with the formulas, and what it finds in simulated films."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from personae.core.trackset import TrackSet
from personae.cues.calibration import (
    MAX_ROUNDS,
    PRIOR_LOG_PERSISTENCE_DEVIATION,
    PRIOR_PERSISTENCE_S,
    TOLERANCE,
    CueCalibration,
    calibrate,
)
from personae.cues.cue import Measurement, PairCue

SHARE = 0.3


class Cue:
    """A cue that speaks for and against one person."""

    name: ClassVar[str] = "test"
    min_log_odds: ClassVar[float] = -3.0
    max_log_odds: ClassVar[float] = 3.0

    def measure(self, tracks: TrackSet) -> Measurement:
        raise NotImplementedError


class Wide(Cue):
    min_log_odds = -50.0
    max_log_odds = 50.0


class OnlyFor(Cue):
    min_log_odds = 0.0


def measurement(features: np.ndarray, gaps_s: np.ndarray | None = None) -> Measurement:
    m = len(features)
    pairs = np.column_stack([np.zeros(m, np.int64), 1 + np.arange(m)])
    return Measurement(pairs, features.reshape(m, -1), gaps_s)


def simulated_pairs(
    m: int = 400, seed: int = 0, persistence_s: float = 100.0, spread: float = 1.0
) -> tuple[Measurement, np.ndarray, np.ndarray]:
    """Pairs whose first feature is 2 higher of one person who has not changed.

    Returns:
        What is measured, log-odds by other evidence, and whether the pairs show one person.
    """
    rng = np.random.default_rng(seed)
    same = rng.random(m) < SHARE
    gaps = rng.uniform(0, 300, m)
    kept = same & (rng.random(m) < np.exp(-gaps / persistence_s))
    features = rng.normal(0, spread, (m, 2)) + np.column_stack([2.0 * kept, np.zeros(m)])
    other = np.where(same, 2.5, -2.5) + rng.normal(0, 1, m)
    return measurement(features, gaps), other, same


def slow_loss(
    parameters: np.ndarray, z: np.ndarray, gaps: np.ndarray, targets: np.ndarray
) -> float:
    """The negative log-posterior, pair by pair, as docs/method.md states it."""
    offset, slopes, persistence = parameters[0], parameters[1:-1], 120.0 * np.exp(parameters[-1])
    total = 0.0
    for features, gap, target in zip(z, gaps, targets, strict=True):
        k = np.exp(-gap / persistence)
        ratio = k * np.exp(offset + slopes @ features) + 1 - k
        p = expit(logit(SHARE) + np.log(ratio))
        total -= target * np.log(p) + (1 - target) * np.log(1 - p)
    p = expit(logit(SHARE) + offset)
    total -= 20 * (SHARE * np.log(p) + (1 - SHARE) * np.log(1 - p))
    return float(total + slopes @ slopes / 2 + (parameters[-1] / 1.5) ** 2 / 2)


def parameters_of(found: CueCalibration) -> np.ndarray:
    return np.array([found.offset, *found.slopes, np.log(found.persistence_s / 120.0)])


def test_constants() -> None:
    """Ours: a person keeps the same clothes for about a scene, within a factor of 4 or so."""
    assert (PRIOR_PERSISTENCE_S, PRIOR_LOG_PERSISTENCE_DEVIATION) == (120.0, 1.5)
    assert (MAX_ROUNDS, TOLERANCE) == (20, 1e-3)


@pytest.mark.parametrize("has_gaps", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_calibration_is_a_fixed_point_of_em(seed: int, has_gaps: bool) -> None:
    """It minimises the loss on its own targets, by an optimiser without the gradient."""
    measured, other, _ = simulated_pairs(120, seed)
    gaps = measured.gaps_s
    assert gaps is not None
    if not has_gaps:
        measured, gaps = measurement(measured.features), np.zeros(120)
    cue: PairCue = Wide()
    found = calibrate(measured, cue, other, SHARE)
    z = (measured.features - measured.features.mean(axis=0)) / measured.features.std(axis=0)
    np.testing.assert_allclose(found.mean, measured.features.mean(axis=0))
    np.testing.assert_allclose(found.deviation, measured.features.std(axis=0))
    targets = expit(other + found.log_odds(measured, cue))
    bounds = [(None, None), (0, None), (0, None), (-4, 8) if has_gaps else (0, 0)]
    best = minimize(slow_loss, np.zeros(4), args=(z, gaps, targets), bounds=bounds, tol=1e-12)
    np.testing.assert_allclose(parameters_of(found), best.x, atol=5e-3)
    assert slow_loss(parameters_of(found), z, gaps, targets) == pytest.approx(best.fun, abs=1e-5)


@pytest.mark.parametrize("has_gaps", [True, False])
def test_log_odds_are_the_likelihood_ratio_written_out(has_gaps: bool) -> None:
    rng = np.random.default_rng(0)
    gaps = rng.uniform(0, 300, 50) if has_gaps else None
    measured = measurement(rng.normal(size=(50, 2)), gaps)
    fitted = CueCalibration(np.array([0.5, 1.0]), np.array([2.0, 0.5]), 0.9, np.array([1.5, 3]), 80)
    ratio = []
    for row in range(50):
        z = (measured.features[row] - [0.5, 1.0]) / [2.0, 0.5]
        k = 1.0 if gaps is None else np.exp(-gaps[row] / 80)
        ratio.append(np.log(k * np.exp(0.9 + 1.5 * z[0] + 3 * z[1]) + 1 - k))
    assert min(ratio) < -3 or has_gaps
    assert max(ratio) > 3
    np.testing.assert_allclose(fitted.log_odds(measured, Cue()), np.clip(ratio, -3, 3), atol=1e-3)
    np.testing.assert_allclose(
        fitted.log_odds(measured, OnlyFor()), np.clip(ratio, 0, 3), atol=1e-3
    )
    np.testing.assert_allclose(fitted.log_odds(measured, Wide()), ratio, atol=1e-3)


def test_evidence_fades_with_time() -> None:
    """For one person it falls to nothing, and against one it is at most 1 - k."""
    fitted = CueCalibration(np.zeros(1), np.ones(1), 0.0, np.ones(1), 100.0)
    gaps = np.array([0.0, 50.0, 200.0, 5000.0])
    alike = fitted.log_odds(measurement(np.full(4, 2.0), gaps), Wide())
    unlike = fitted.log_odds(measurement(np.full(4, -40.0), gaps), Wide())
    assert (np.diff(alike) < 0).all()
    assert alike[0] == pytest.approx(2.0)
    assert alike[-1] == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(unlike[1:], np.log1p(-np.exp(-gaps[1:] / 100)), atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_what_speaks_for_one_person_is_found(seed: int) -> None:
    measured, other, same = simulated_pairs(800, seed)
    found = calibrate(measured, Cue(), other, SHARE)
    assert found.slopes[0] > 1
    assert found.slopes[1] < found.slopes[0] / 3
    near = measured.gaps_s < 30
    log_odds = found.log_odds(measured, Cue())
    assert log_odds[same & near].mean() > 1
    assert log_odds[~same & near].mean() < 0


@pytest.mark.parametrize(("short_s", "long_s"), [(15.0, 3000.0)])
def test_how_long_people_keep_what_is_measured_is_found(short_s: float, long_s: float) -> None:
    changing, other, _ = simulated_pairs(1500, persistence_s=short_s)
    brief = calibrate(changing, Cue(), other, SHARE)
    lasting, other, _ = simulated_pairs(1500, persistence_s=long_s)
    steady = calibrate(lasting, Cue(), other, SHARE)
    assert brief.persistence_s < 60
    assert steady.persistence_s > 600


@pytest.mark.parametrize("seed", range(4))
def test_features_that_say_nothing_have_log_odds_near_0(seed: int) -> None:
    rng = np.random.default_rng(seed)
    same = rng.random(400) < SHARE
    other = np.where(same, 2.0, -2.0)
    share = float(expit(other).mean())
    for features in (rng.normal(2, 1, (400, 2)), np.full((400, 2), 0.7)):
        measured = measurement(features, rng.uniform(0, 300, 400))
        found = calibrate(measured, Cue(), other, share)
        log_odds = np.abs(found.log_odds(measured, Cue()))
        assert log_odds.mean() < 0.15
        assert log_odds.max() < 1


def test_a_feature_that_speaks_against_one_person_is_not_turned_round() -> None:
    """Higher values speak for one person, by contract; slopes are never negative."""
    measured, other, _ = simulated_pairs(400)
    reversed_ = measurement(-measured.features, measured.gaps_s)
    found = calibrate(reversed_, Cue(), other, SHARE)
    assert (found.slopes >= 0).all()
    assert found.slopes[0] == pytest.approx(0.0, abs=1e-6)


def test_few_pairs_have_small_log_odds_and_none_have_zero() -> None:
    few = measurement(np.array([3.0, 3.1, 2.9]))
    log_odds = calibrate(few, Cue(), np.full(3, 5.0), 0.2).log_odds(few, Cue())
    assert 0 < log_odds.max() < 1
    none = Measurement(np.empty((0, 2), np.int64), np.empty((0, 2)), np.empty(0))
    silent = calibrate(none, Cue(), np.empty(0), 0.2)
    measured, _, _ = simulated_pairs(50)
    assert np.abs(silent.log_odds(measured, Cue())).max() == pytest.approx(0, abs=1e-9)


def test_a_later_fit_begins_where_the_last_one_ended() -> None:
    measured, other, _ = simulated_pairs(300)
    found = calibrate(measured, Cue(), other, SHARE)
    again = calibrate(measured, Cue(), other, SHARE, start=found)
    before, after = found.log_odds(measured, Cue()), again.log_odds(measured, Cue())
    np.testing.assert_allclose(after, before, atol=5e-3)
