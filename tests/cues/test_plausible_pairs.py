"""Which coarse matches the base score and cannot-links exclude."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast, no_tracks
from personae.cues.face import film_centred_tracks
from personae.cues.mixture_fit import fit_mixture
from personae.cues.plausible_pairs import PlausiblePairs, plausible_pairs
from personae.cues.score_mixture import ScoreMixture


def test_plausible_pairs_have_even_odds_or_better_and_no_cannot_link() -> None:
    tracks, person = cast([5, 4, 3], noise=1.0)
    same = np.argwhere((person[:, None] == person) & np.triu(np.ones((12, 12), bool), 1))
    tracks = replace(tracks, cannot_link=same[:3].astype(np.int32))
    plausible = plausible_pairs(tracks)
    a, b = np.divmod(np.arange(144), 12)
    found = plausible(a, b).reshape(12, 12)
    vectors = film_centred_tracks(tracks)
    scores = vectors @ vectors.T
    expected = fit_mixture(scores).log_odds(scores) >= 0
    for one, other in same[:3]:
        expected[one, other] = expected[other, one] = False
    np.testing.assert_array_equal(found, expected)
    assert found[person[:, None] != person].mean() < 0.1
    assert found[person[:, None] == person].mean() > 0.5
    assert plausible(np.empty(0, np.int64), np.empty(0, np.int64)).shape == (0,)


@pytest.mark.parametrize(("score", "is_plausible"), [(0.352, True), (0.348, False)])
def test_a_pair_is_plausible_from_even_odds_on(score: float, is_plausible: bool) -> None:
    """Components of equal width and share cross halfway between their means, at 0.35."""
    vectors = np.array([[1.0, 0.0], [score, np.sqrt(1 - score**2)]])
    mixture = ScoreMixture((0.6, 0.1), (0.1, 0.1), (0.1, 0.1), 0.5)
    plausible = PlausiblePairs(vectors, mixture, np.empty(0, np.int64))
    assert plausible(np.array([0, 1]), np.array([1, 0])).tolist() == [is_plausible] * 2


def test_a_film_without_tracks_has_no_plausible_pairs() -> None:
    nobody = np.empty(0, np.int64)
    assert plausible_pairs(no_tracks())(nobody, nobody).shape == (0,)
