"""Joint calibration of face scores and pair cues."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from helpers.dressed_cast import seen_together
from helpers.pair_scores import draw_scores, people_of
from personae.core.trackset import TrackSet
from personae.cues.calibration import calibrate
from personae.cues.cue import Measurement, PairCue
from personae.cues.joint_calibration import (
    CUE_WEIGHT_IN_MIXTURE,
    MAX_REFERENCE_TRACKS,
    N_ROUNDS,
    REFERENCE_RUN,
    JointCalibration,
    select_reference,
)
from personae.cues.mixture_fit import PairPrior, fit_mixture


class Colour:
    """A cue with one feature."""

    name: ClassVar[str] = "colour"
    min_log_odds: ClassVar[float] = -3.0
    max_log_odds: ClassVar[float] = 3.0

    def measure(self, tracks: TrackSet) -> Measurement:
        raise NotImplementedError


class Place(Colour):
    name = "place"
    min_log_odds = 0.0


CUES: tuple[PairCue, ...] = (Colour(), Place())


def film(
    sizes: tuple[int, ...] = (12, 10, 8), informative: float = 2.0
) -> tuple[TrackSet, np.ndarray, np.ndarray, list[Measurement]]:
    """Tracks, people, poor face scores, and what two cues measure of half of the pairs."""
    person = people_of(sizes)
    n = len(person)
    scores = draw_scores(person, (0.35, 0.15), (0.05, 0.12))
    rng = np.random.default_rng(0)
    pairs = np.argwhere(np.triu(np.ones((n, n), bool), 1))
    measured = []
    for gaps in (rng.uniform(0, 100, len(pairs)), None):
        heard = rng.random(len(pairs)) < 0.5
        same = person[pairs[heard, 0]] == person[pairs[heard, 1]]
        features = rng.normal(informative * same, 1.0)[:, None]
        measured.append(Measurement(pairs[heard], features, None if gaps is None else gaps[heard]))
    tracks = TrackSet(track_of=np.arange(n, dtype=np.int32), cannot_link=seen_together(person, 6))
    return tracks, person, scores, measured


def test_constants() -> None:
    assert (MAX_REFERENCE_TRACKS, REFERENCE_RUN) == (600, 30)
    assert N_ROUNDS == 2
    assert CUE_WEIGHT_IN_MIXTURE == 0.5


def test_all_evidence_of_a_pair_is_added_up() -> None:
    tracks, _, scores, measured = film()
    fit = JointCalibration(tracks, np.arange(30), CUES, measured).fit(scores)
    expected = np.zeros((30, 30))
    for cue, one, found in zip(CUES, measured, fit.cues, strict=True):
        log_odds = found.log_odds(one, cue)
        for (a, b), value in zip(one.pairs, log_odds, strict=True):
            expected[a, b] += value
            expected[b, a] += value
    np.testing.assert_allclose(fit.cue_log_odds, expected, atol=1e-9)
    face = fit.mixture.log_odds(scores)
    np.testing.assert_allclose(fit.log_odds, face + expected, atol=1e-9)


def test_each_calibration_has_heard_the_others() -> None:
    """One more round, each on what all others say, changes nothing."""
    tracks, _, scores, measured = film()
    joint = JointCalibration(tracks, np.arange(30), CUES, measured)
    fit = joint.fit(scores)
    prior = PairPrior(0.5 * fit.cue_log_odds, joint.cannot_link)
    again = fit_mixture(scores, prior, fit.mixture)
    assert again.same == pytest.approx(fit.mixture.same, abs=5e-3)
    assert again.share == pytest.approx(fit.mixture.share, abs=5e-3)
    for cue, one, found in zip(CUES, measured, fit.cues, strict=True):
        a, b = one.pairs.T
        own = found.log_odds(one, cue)
        other = fit.log_odds[a, b] - own
        refitted = calibrate(one, cue, other, fit.mixture.share, found)
        np.testing.assert_allclose(refitted.log_odds(one, cue), own, atol=0.05)


def test_cues_make_up_for_poor_faces() -> None:
    tracks, person, scores, measured = film()
    alone = JointCalibration(tracks, np.arange(30), (), []).fit(scores)
    heard = JointCalibration(tracks, np.arange(30), CUES, measured).fit(scores)
    upper = np.triu_indices(30, 1)
    same = (person[:, None] == person)[upper]

    def n_right(log_odds: np.ndarray) -> int:
        return int(((log_odds[upper] > 0) == same).sum())

    assert n_right(heard.log_odds) > n_right(alone.log_odds) + 20


def test_without_cues_only_the_mixture_is_fitted() -> None:
    tracks, _, scores, _ = film()
    joint = JointCalibration(tracks, np.arange(30), (), [])
    fit = joint.fit(scores)
    assert fit.mixture == fit_mixture(scores, PairPrior(np.zeros((30, 30)), joint.cannot_link))
    assert fit.cues == ()
    assert not fit.cue_log_odds.any()


def test_only_pairs_of_anchors_determine_the_calibration() -> None:
    tracks, _, scores, measured = film()
    anchors = np.setdiff1d(np.arange(30), [3, 17])
    inside = [np.isin(one.pairs, anchors).all(axis=1) for one in measured]
    without = [one.select(kept) for one, kept in zip(measured, inside, strict=True)]
    upset = [
        Measurement(one.pairs, np.where(kept[:, None], one.features, 50.0), one.gaps_s)
        for one, kept in zip(measured, inside, strict=True)
    ]
    found = [
        JointCalibration(tracks, anchors, CUES, given).fit(scores[np.ix_(anchors, anchors)])
        for given in (measured, without, upset)
    ]
    for other in found[1:]:
        assert other.mixture == found[0].mixture
        np.testing.assert_array_equal(other.log_odds, found[0].log_odds)


def test_cannot_links_among_the_reference_are_renumbered() -> None:
    tracks = TrackSet(
        track_of=np.arange(6, dtype=np.int32),
        cannot_link=np.array([[1, 4], [0, 2], [5, 4]], np.int32),
    )
    joint = JointCalibration(tracks, np.array([1, 4, 5]), (), [])
    assert np.argwhere(joint.cannot_link).tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    assert joint.upper(np.arange(9).reshape(3, 3)).tolist() == [1, 2, 5]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_the_smallest_films_can_be_calibrated(n: int) -> None:
    tracks = TrackSet(track_of=np.arange(n, dtype=np.int32))
    measured = [Measurement(np.empty((0, 2), np.int64), np.empty((0, 1))) for _ in CUES]
    fit = JointCalibration(tracks, np.arange(n), CUES, measured).fit(np.eye(n))
    assert fit.log_odds.shape == (n, n)
    assert np.isfinite(fit.log_odds).all()


def test_up_to_600_anchors_are_all_reference() -> None:
    anchors = np.random.default_rng(0).permutation(1000)[:600]
    np.testing.assert_array_equal(select_reference(anchors), np.sort(anchors))


@pytest.mark.parametrize("n", [601, 700, 5000])
def test_a_long_film_is_referred_to_by_runs_of_tracks(n: int) -> None:
    """Pair cues speak of tracks that are near in time."""
    anchors = 2 * np.arange(n)
    found = select_reference(anchors)
    assert 500 <= len(found) <= 600
    assert (found[0], found[-1]) == (0, anchors[-1])
    runs = np.split(found, np.flatnonzero(np.diff(found) > 2) + 1)
    assert min(map(len, runs)) >= 30


def test_what_a_person_has_said_is_certain_and_chains_count() -> None:
    tracks, person, scores, measured = film()
    first, second = (np.flatnonzero(person == k)[:4] for k in (0, 1))
    said = [np.column_stack([group[:-1], group[1:]]) for group in (first, second)]
    taught = replace(tracks, must_link=np.concatenate(said).astype(np.int32))
    joint = JointCalibration(taught, np.arange(30), CUES, measured)
    expected = np.zeros((30, 30), np.bool_)
    for group in (first, second):
        expected[np.ix_(group, group)] = True
    np.fill_diagonal(expected, False)
    np.testing.assert_array_equal(joint.must_link, expected)
    apart = scores - 0.5 * expected
    alone = JointCalibration(tracks, np.arange(30), CUES, measured).fit(apart)
    found = joint.fit(apart)
    assert found.mixture.same[0] < alone.mixture.same[0] - 0.05


def test_links_that_nobody_has_set_change_nothing() -> None:
    tracks, _, scores, measured = film()
    joint = JointCalibration(tracks, np.arange(30), CUES, measured)
    assert not joint.must_link.any()
    prior = PairPrior(np.zeros((30, 30)), joint.cannot_link)
    assert fit_mixture(scores, prior) == fit_mixture(
        scores, replace(prior, must_link=joint.must_link)
    )
