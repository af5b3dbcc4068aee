"""Faces back at their place: which pairs of tracks return, and how much the film lets that say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from cast import cast
from personae.cluster.personae import CalibratedLinkage
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.grouping import unit_rows
from personae.core.trackset import TrackSet
from personae.cues.score_mixture import MAX_LOG_ODDS, ScoreMixture
from personae.cues.shot_threads import (
    GRAIN,
    NEAR,
    SOON_S,
    add_thread_log_odds,
    find_thread_pairs,
    thread_log_odds,
)
from personae.metrics.clustering import bcubed

HERE, THERE = (100, 100, 50, 50), (400, 100, 50, 50)


def picture(seed: int, noise: int = 0) -> np.ndarray:
    """A picture of broad patches, and the same with a little noise."""
    height, width, colours = THUMBNAIL_SHAPE
    broad = np.random.default_rng(seed).integers(0, 255, (height // 2, width // 2, colours))
    fine = np.random.default_rng(noise).normal(0, 3, THUMBNAIL_SHAPE) if noise else 0
    return np.clip(np.kron(broad, np.ones((2, 2, 1))) + fine, 0, 255).astype(np.uint8)


def seen(*crops: tuple[int, float, tuple[int, int, int, int], np.ndarray]) -> TrackSet:
    """Tracks of crops (track, second, box, picture)."""
    owner, time, box, pictures = zip(*crops, strict=True)
    return TrackSet(
        track_of=np.array(owner, np.int32),
        place=np.array(box, np.float32),
        picture=np.array(pictures),
        time_s=np.array(time, np.float32),
    )


def test_a_return_is_near_the_same_place_soon_after() -> None:
    found = find_thread_pairs(
        seen(
            (0, 0.0, HERE, picture(1)),
            (1, 5.0, (140, 100, 50, 50), picture(1, noise=1)),  # 0 is back, and leans to the right
            (2, 5.0, THERE, picture(1)),  # elsewhere in the same picture
            (3, 5.5, (80, 80, 110, 110), picture(1)),  # much larger
            (4, 6.0 + SOON_S, HERE, picture(1)),  # too late
        )
    )
    assert found.pairs.tolist() == [[0, 1]]
    assert found.likeness[0, 0] > 3
    assert found.likeness[0, 1] == pytest.approx(-40 / 50)


def test_the_pictures_most_alike_count_whichever_track_comes_first() -> None:
    crops = [
        (1, 0.0, HERE, picture(5)),
        (1, 1.0, (110, 100, 50, 50), picture(6)),
        (0, 8.0, HERE, picture(7)),
        (0, 9.0, HERE, picture(6, noise=1)),
    ]
    found = find_thread_pairs(seen(*crops))
    assert found.pairs.tolist() == [[0, 1]]
    assert found.likeness[0, 1] == pytest.approx(-0.2)
    alike, other = (
        find_thread_pairs(seen(crops[1], crops[3])),
        find_thread_pairs(seen(crops[0], crops[2])),
    )
    np.testing.assert_allclose(found.likeness, alike.likeness)
    assert found.likeness[0, 0] > other.likeness[0, 0] + 2


def test_light_counts_for_nothing_and_equal_pictures_for_no_more_than_grain_leaves() -> None:
    dark = (picture(3) * 0.5).astype(np.uint8)
    found = find_thread_pairs(seen((0, 0.0, HERE, picture(3)), (1, 1.0, HERE, dark)))
    assert found.likeness.tolist() == [[pytest.approx(-np.log(GRAIN)), 0]]


def test_who_is_on_screen_at_the_same_time_does_not_return() -> None:
    changed = seen(
        (0, 0.0, HERE, picture(1)),
        (0, 4.0, THERE, picture(1)),
        (1, 2.0, THERE, picture(1)),
        (1, 6.0, HERE, picture(1)),
    )
    assert not len(find_thread_pairs(changed).pairs)


def test_without_pictures_places_or_times_nothing_returns() -> None:
    tracks = seen((0, 0.0, HERE, picture(1)), (1, 1.0, HERE, picture(1)))
    assert len(find_thread_pairs(tracks).pairs) == 1
    for missing in ("picture", "place", "time_s"):
        assert not len(find_thread_pairs(replace(tracks, **{missing: None})).pairs)


def test_long_films_are_compared_in_parts_that_leave_no_pair_out() -> None:
    rng = np.random.default_rng(0)
    n = 1500
    time = np.sort(rng.uniform(0, 700, n)).astype(np.float32)
    box = np.column_stack([rng.uniform(0, 400, (n, 2)), np.full((n, 2), 60)]).astype(np.float32)
    pictures = np.array([picture(int(seed)) for seed in range(5)])[rng.integers(0, 5, n)]
    tracks = TrackSet(
        track_of=np.arange(n, dtype=np.int32), picture=pictures, place=box, time_s=time
    )
    expected = {
        (a, b): -float(np.linalg.norm(box[a, :2] - box[b, :2]) / 60)
        for a in range(n)
        for b in range(a + 1, n)
        if time[b] - time[a] <= SOON_S and np.linalg.norm(box[a, :2] - box[b, :2]) < NEAR * 60
    }
    found = find_thread_pairs(tracks)
    assert len(expected) > 1000
    assert {
        (int(a), int(b)): pytest.approx(near, abs=1e-4) for (a, b), near in expected.items()
    } == {
        (int(a), int(b)): float(near)
        for (a, b), (_, near) in zip(found.pairs, found.likeness, strict=True)
    }


@pytest.mark.parametrize("seed", range(4))
def test_a_return_says_as_much_as_the_film_bears_out(seed: int) -> None:
    """Where likeness tells people apart, much; where it goes with nothing, next to nothing."""
    rng = np.random.default_rng(seed)
    same = rng.random(400) < 0.4
    told = np.where(same, rng.normal(4, 0.7, 400), rng.normal(1, 0.7, 400))
    noise = rng.normal(0, 1, 400)
    face = np.where(same, 2.0, -2.0)
    all_of_them = np.ones(400, np.bool_)
    odds = thread_log_odds(np.column_stack([told, noise]), face, 0.2, all_of_them)
    assert (odds >= 0).all()
    assert odds[told > 3.5].min() > 2
    assert odds[told < 1].max() == 0
    share = float(expit(face).mean())
    idle = thread_log_odds(rng.normal(2, 1, (400, 2)), face, share, all_of_them)
    assert np.abs(idle).max() < 0.7


def test_few_pairs_say_little_and_none_say_nothing() -> None:
    few = thread_log_odds(
        np.array([[3.0], [3.1], [2.9]]), np.full(3, 5.0), 0.2, np.ones(3, np.bool_)
    )
    assert 0 < few.max() < 1
    assert thread_log_odds(
        np.array([[5.0]]), np.array([5.0]), 0.2, np.zeros(1, np.bool_)
    ).tolist() == [0]
    assert thread_log_odds(np.empty((0, 2)), np.empty(0), 0.2, np.empty(0, np.bool_)).shape == (0,)


def test_odds_of_a_return_add_to_those_of_the_face_and_never_take_away() -> None:
    mixture = ScoreMixture((0.6, 0.15), (0.05, 0.15), 0.2)
    rng = np.random.default_rng(0)
    n = 40
    scores = rng.uniform(-0.2, 0.8, (n, n)).astype(np.float32)
    scores = (scores + scores.T) / 2
    pictures = np.array([picture(i // 2, noise=i + 1) for i in range(n)])
    tracks = TrackSet(
        track_of=np.arange(n, dtype=np.int32),
        picture=pictures,
        place=np.tile(np.array(HERE, np.float32), (n, 1)),
        time_s=np.arange(n, dtype=np.float32),
    )
    for i in range(0, n, 2):
        scores[i, i + 1] = scores[i + 1, i] = 0.33 if i else 0.3
    before, returns = scores.copy(), find_thread_pairs(tracks)
    add_thread_log_odds(scores, mixture, returns, np.arange(n))
    assert (scores >= before).all()
    assert np.array_equal(scores, scores.T)
    a, b = returns.pairs.T
    face = mixture.log_odds(before[a, b].astype(float))
    odds = face + thread_log_odds(returns.likeness, face, 0.2, np.ones(len(a), np.bool_))
    raised = scores[a, b] > before[a, b]
    assert raised.any()
    np.testing.assert_allclose(
        mixture.log_odds(scores[a, b].astype(float))[raised],
        np.minimum(odds, MAX_LOG_ODDS)[raised],
        atol=1e-3,
    )


@pytest.mark.parametrize("spread", [0.1, 0.15])
def test_raised_scores_have_the_higher_odds(spread: float) -> None:
    rng = np.random.default_rng(0)
    mixture = ScoreMixture((0.5, spread), (0.0, 0.15), 0.2)
    scores, more = rng.uniform(-0.2, 0.5, 100), rng.uniform(0, 3, 100)
    raised = mixture.raised(scores, more)
    before, after = mixture.log_odds(scores), mixture.log_odds(raised)
    within = (np.abs(before) < MAX_LOG_ODDS) & (before + more < MAX_LOG_ODDS)
    assert within.sum() > 20
    np.testing.assert_allclose(after[within], (before + more)[within], atol=2e-2)
    assert (raised >= scores).all()
    assert mixture.raised(scores, np.zeros(100)).tolist() == scores.tolist()


def test_poor_faces_are_found_by_their_returns() -> None:
    """Four people in two set-ups: half of their tracks, the clear ones, say what a return is worth, and the
    other half, hardly to be recognised, go by that."""
    without, with_them = [], []
    for seed in range(4):
        tracks, who = cast([12] * 4, seed)
        poor = np.arange(len(who)) % 2 == 1
        blur = np.random.default_rng(seed).normal(0, 0.18, (len(who), 128)) * poor[:, None]
        alone = replace(
            tracks,
            embeddings=unit_rows(tracks.require_embeddings() + blur[tracks.track_of]).astype(
                np.float32
            ),
        )
        known = replace(
            alone,
            picture=np.array(
                [picture(int(who[t]), noise=i + 1) for i, t in enumerate(tracks.track_of)]
            ),
            place=np.array([HERE, THERE], np.float32)[who % 2][tracks.track_of],
            time_s=tracks.track_of.astype(np.float32),
        )
        for tracks_of, found in ((alone, without), (known, with_them)):
            found.append(
                bcubed(who, CalibratedLinkage().cluster(tracks_of, None).labels, unknown="own").f
            )
    assert np.mean(with_them) > np.mean(without) + 0.1
    assert (np.array(with_them) >= without).all()
