"""Shot threads: which pairs of tracks are in one, and what that says in a film."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from helpers.cast import cast
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.grouping import unit_rows
from personae.core.trackset import Crops, TrackSet
from personae.cues.score_mixture import MAX_LOG_ODDS, ScoreMixture
from personae.cues.shot_threads import (
    EM_TOLERANCE,
    MAX_DISTANCE_IN_FACE_WIDTHS,
    MAX_EM_ROUNDS,
    MAX_FACE_SIZE_RATIO,
    MAX_THREAD_GAP_S,
    MIN_DECORRELATION,
    add_thread_log_odds,
    find_thread_pairs,
    thread_log_odds,
)
from personae.metrics.clustering import bcubed

HERE, THERE = (100, 100, 50, 50), (400, 100, 50, 50)


def thumbnail(seed: int, noise: int = 0) -> np.ndarray:
    """A frame thumbnail of broad patches, with a little noise if wanted."""
    height, width, colours = THUMBNAIL_SHAPE
    broad = np.random.default_rng(seed).integers(0, 255, (height // 2, width // 2, colours))
    fine = np.random.default_rng(noise).normal(0, 3, THUMBNAIL_SHAPE) if noise else 0
    return np.clip(np.kron(broad, np.ones((2, 2, 1))) + fine, 0, 255).astype(np.uint8)


def tracks_of(*crops: tuple[int, float, tuple[int, int, int, int], np.ndarray]) -> TrackSet:
    """Tracks of crops (track, time in seconds, box, thumbnail)."""
    track, time, box, thumbnails = zip(*crops, strict=True)
    return TrackSet(
        track_of=np.array(track, np.int32),
        crops=Crops(
            boxes=np.array(box, np.float32),
            thumbnails=np.array(thumbnails),
            times_s=np.array(time, np.float32),
        ),
    )


def test_a_thread_pair_is_near_one_position_within_the_gap() -> None:
    found = find_thread_pairs(
        tracks_of(
            (0, 0.0, HERE, thumbnail(1)),
            (
                1,
                5.0,
                (140, 100, 50, 50),
                thumbnail(1, noise=1),
            ),  # track 0 again, leaning to the right
            (2, 5.0, THERE, thumbnail(1)),  # elsewhere in the same frame
            (3, 5.5, (80, 80, 110, 110), thumbnail(1)),  # much larger
            (4, 6.0 + MAX_THREAD_GAP_S, HERE, thumbnail(1)),  # too late
        )
    )
    assert found.pairs.tolist() == [[0, 1]]
    assert found.features[0, 0] > 3
    assert found.features[0, 1] == pytest.approx(-40 / 50)


def test_the_most_similar_crops_count_whichever_track_comes_first() -> None:
    crops = [
        (1, 0.0, HERE, thumbnail(5)),
        (1, 1.0, (110, 100, 50, 50), thumbnail(6)),
        (0, 8.0, HERE, thumbnail(7)),
        (0, 9.0, HERE, thumbnail(6, noise=1)),
    ]
    found = find_thread_pairs(tracks_of(*crops))
    assert found.pairs.tolist() == [[0, 1]]
    assert found.features[0, 1] == pytest.approx(-0.2)
    alike, other = (
        find_thread_pairs(tracks_of(crops[1], crops[3])),
        find_thread_pairs(tracks_of(crops[0], crops[2])),
    )
    np.testing.assert_allclose(found.features, alike.features)
    assert found.features[0, 0] > other.features[0, 0] + 2


def test_similarity_ignores_exposure_and_is_bounded() -> None:
    dark = (thumbnail(3) * 0.5).astype(np.uint8)
    found = find_thread_pairs(tracks_of((0, 0.0, HERE, thumbnail(3)), (1, 1.0, HERE, dark)))
    assert found.features.tolist() == [[pytest.approx(-np.log(MIN_DECORRELATION)), 0]]


def test_tracks_that_overlap_in_time_form_no_pair() -> None:
    changed = tracks_of(
        (0, 0.0, HERE, thumbnail(1)),
        (0, 4.0, THERE, thumbnail(1)),
        (1, 2.0, THERE, thumbnail(1)),
        (1, 6.0, HERE, thumbnail(1)),
    )
    assert not len(find_thread_pairs(changed).pairs)


def test_without_thumbnails_boxes_or_times_there_are_no_pairs() -> None:
    tracks = tracks_of((0, 0.0, HERE, thumbnail(1)), (1, 1.0, HERE, thumbnail(1)))
    assert len(find_thread_pairs(tracks).pairs) == 1
    for missing in ("thumbnails", "boxes", "times_s"):
        crops = replace(tracks.crops, **{missing: None})
        assert not len(find_thread_pairs(replace(tracks, crops=crops)).pairs)


def test_blocks_of_a_long_film_leave_no_pair_out() -> None:
    rng = np.random.default_rng(0)
    n = 1500
    time = np.sort(rng.uniform(0, 700, n)).astype(np.float32)
    box = np.column_stack([rng.uniform(0, 400, (n, 2)), np.full((n, 2), 60)]).astype(np.float32)
    thumbnails = np.array([thumbnail(int(seed)) for seed in range(5)])[rng.integers(0, 5, n)]
    tracks = TrackSet(
        track_of=np.arange(n, dtype=np.int32),
        crops=Crops(boxes=box, thumbnails=thumbnails, times_s=time),
    )
    expected = {
        (a, b): -float(np.linalg.norm(box[a, :2] - box[b, :2]) / 60)
        for a in range(n)
        for b in range(a + 1, n)
        if time[b] - time[a] <= MAX_THREAD_GAP_S
        and np.linalg.norm(box[a, :2] - box[b, :2]) < MAX_DISTANCE_IN_FACE_WIDTHS * 60
    }
    found = find_thread_pairs(tracks)
    assert len(expected) > 1000
    assert {
        (int(a), int(b)): pytest.approx(near, abs=1e-4) for (a, b), near in expected.items()
    } == {
        (int(a), int(b)): float(near)
        for (a, b), (_, near) in zip(found.pairs, found.features, strict=True)
    }


@pytest.mark.parametrize("seed", range(4))
def test_log_odds_depend_on_what_features_say_in_the_film(seed: int) -> None:
    """High where a feature separates people, near 0 where none does."""
    rng = np.random.default_rng(seed)
    same = rng.random(400) < 0.4
    informative = np.where(same, rng.normal(4, 0.7, 400), rng.normal(1, 0.7, 400))
    noise = rng.normal(0, 1, 400)
    face = np.where(same, 2.0, -2.0)
    every = np.ones(400, np.bool_)
    odds = thread_log_odds(np.column_stack([informative, noise]), face, 0.2, every)
    assert (odds >= 0).all()
    assert odds[informative > 3.5].min() > 2
    assert odds[informative < 1].max() == 0
    share = float(expit(face).mean())
    uninformative = thread_log_odds(rng.normal(2, 1, (400, 2)), face, share, every)
    assert np.abs(uninformative).max() < 0.7


def test_few_pairs_have_small_log_odds_and_none_have_zero() -> None:
    few = thread_log_odds(
        np.array([[3.0], [3.1], [2.9]]), np.full(3, 5.0), 0.2, np.ones(3, np.bool_)
    )
    assert 0 < few.max() < 1
    assert thread_log_odds(
        np.array([[5.0]]), np.array([5.0]), 0.2, np.zeros(1, np.bool_)
    ).tolist() == [0]
    assert thread_log_odds(np.empty((0, 2)), np.empty(0), 0.2, np.empty(0, np.bool_)).shape == (0,)


def test_log_odds_of_threads_add_to_those_of_the_face() -> None:
    mixture = ScoreMixture((0.6, 0.15), (0.05, 0.15), 0.2)
    rng = np.random.default_rng(0)
    n = 40
    scores = rng.uniform(-0.2, 0.8, (n, n)).astype(np.float32)
    scores = (scores + scores.T) / 2
    thumbnails = np.array([thumbnail(i // 2, noise=i + 1) for i in range(n)])
    tracks = TrackSet(
        track_of=np.arange(n, dtype=np.int32),
        crops=Crops(
            boxes=np.tile(np.array(HERE, np.float32), (n, 1)),
            thumbnails=thumbnails,
            times_s=np.arange(n, dtype=np.float32),
        ),
    )
    for i in range(0, n, 2):
        scores[i, i + 1] = scores[i + 1, i] = 0.33 if i else 0.3
    threads = find_thread_pairs(tracks)
    a, b = threads.pairs.T
    before = scores[a, b].copy()
    found = add_thread_log_odds(before, mixture, threads, np.arange(n))
    np.testing.assert_array_equal(before, scores[a, b])
    assert (found >= before).all()
    face = mixture.log_odds(before.astype(float))
    log_odds = face + thread_log_odds(threads.features, face, 0.2, np.ones(len(a), np.bool_))
    raised = found > before
    assert raised.any()
    np.testing.assert_allclose(
        mixture.log_odds(found)[raised],
        np.minimum(log_odds, MAX_LOG_ODDS)[raised],
        atol=1e-3,
    )


def test_shot_threads_group_poor_faces() -> None:
    """Four people in two set-ups.

    The clear half of their tracks calibrates the threads, and the poor half is grouped by them.
    """
    without, with_threads = [], []
    for seed in range(4):
        tracks, person = cast([12] * 4, seed)
        poor = np.arange(len(person)) % 2 == 1
        blur = np.random.default_rng(seed).normal(0, 0.18, (len(person), 128)) * poor[:, None]
        alone = replace(
            tracks,
            embeddings=unit_rows(tracks.require_embeddings() + blur[tracks.track_of]).astype(
                np.float32
            ),
        )
        known = replace(
            alone,
            crops=Crops(
                boxes=np.array([HERE, THERE], np.float32)[person % 2][tracks.track_of],
                thumbnails=np.array(
                    [thumbnail(int(person[t]), noise=i + 1) for i, t in enumerate(tracks.track_of)]
                ),
                times_s=tracks.track_of.astype(np.float32),
            ),
        )
        for film, found in ((alone, without), (known, with_threads)):
            found.append(bcubed(person, CalibratedLinkage().cluster(film, None).labels).f)
    assert np.mean(with_threads) > np.mean(without) + 0.1
    assert (np.array(with_threads) >= without).all()


def pair_of_faces(
    gap_s: float = 1.0, shift: float = 0.0, ratio: float = 1.0, reverse: bool = False
) -> TrackSet:
    """Two faces in one set-up, the first one 50 pixels wide and centred at (200, 200)."""
    small, large = (
        np.array([200, 200, 50, 50]),
        np.array([200 + shift, 200, 50 * ratio, 50 * ratio]),
    )
    boxes = [tuple(int(v) for v in box) for box in (small * 100, large * 100)]
    centred = [(x - w // 2, y - h // 2, w, h) for x, y, w, h in boxes]
    first, second = centred[::-1] if reverse else centred
    return tracks_of((0, 0.0, first, thumbnail(1)), (1, gap_s, second, thumbnail(1)))


@pytest.mark.parametrize(("gap_s", "n_pairs"), [(0.0, 0), (0.5, 1), (60.0, 1), (60.1, 0)])
def test_a_pair_is_at_most_60_seconds_apart(gap_s: float, n_pairs: int) -> None:
    assert MAX_THREAD_GAP_S == 60.0
    assert len(find_thread_pairs(pair_of_faces(gap_s=gap_s)).pairs) == n_pairs


@pytest.mark.parametrize(("shift", "n_pairs"), [(74.0, 1), (76.0, 0), (-74.0, 1), (-76.0, 0)])
def test_a_pair_is_less_than_one_and_a_half_face_widths_apart(shift: float, n_pairs: int) -> None:
    assert MAX_DISTANCE_IN_FACE_WIDTHS == 1.5
    assert len(find_thread_pairs(pair_of_faces(shift=shift)).pairs) == n_pairs


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("ratio", "n_pairs"), [(1.0, 1), (1.98, 1), (2.02, 0), (60.0, 0)])
def test_a_pair_has_sizes_within_a_factor_of_two(ratio: float, n_pairs: int, reverse: bool) -> None:
    assert MAX_FACE_SIZE_RATIO == 2.0
    assert len(find_thread_pairs(pair_of_faces(ratio=ratio, reverse=reverse)).pairs) == n_pairs


def test_distance_is_in_geometric_mean_face_widths() -> None:
    found = find_thread_pairs(pair_of_faces(shift=30.0, ratio=1.44))
    assert found.features[0, 1] == pytest.approx(-30 / (50 * 1.2))


def test_similarity_is_at_most_that_of_a_correlation_of_0_99() -> None:
    assert MIN_DECORRELATION == 0.01
    assert find_thread_pairs(pair_of_faces()).features[0, 0] == pytest.approx(-np.log(0.01))


def test_calibration_is_a_fixed_point_of_em() -> None:
    """The result is the logistic regression on its own targets, by an independent optimiser."""
    from sklearn.linear_model import LogisticRegression

    assert (MAX_EM_ROUNDS, EM_TOLERANCE) == (20, 1e-3)
    rng = np.random.default_rng(0)
    same = rng.random(200) < 0.4
    features = np.where(same, rng.normal(2, 1, 200), rng.normal(0, 1, 200))[:, None]
    face = np.where(same, 1.5, -1.5) + rng.normal(0, 1, 200)
    found = thread_log_odds(features, face, 0.2, np.ones(200, np.bool_))
    target = np.append(expit(face + found), 0.2)
    scaled = np.append((features[:, 0] - features.mean()) / features.std(), 0.0)[:, None]
    weight = np.append(np.ones(200), 20.0)
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
    model.fit(
        np.vstack([scaled, scaled]),
        np.repeat([1, 0], 201),
        np.concatenate([weight * target, weight * (1 - target)]),
    )
    log_odds = model.decision_function(scaled)[:-1] - np.log(0.2 / 0.8)
    np.testing.assert_allclose(found, np.clip(log_odds, 0, 6), atol=5e-3)
    assert (found > 0).any()
    assert (found == 0).any()


def test_only_reference_pairs_determine_the_calibration() -> None:
    rng = np.random.default_rng(0)
    features, face = rng.normal(size=(50, 2)), rng.normal(0, 3, 50)
    is_reference = np.arange(50) < 30
    found = thread_log_odds(features, face, 0.2, is_reference)
    other_face = np.where(is_reference, face, -face)
    np.testing.assert_array_equal(found, thread_log_odds(features, other_face, 0.2, is_reference))
    alone = thread_log_odds(features[:30], face[:30], 0.2, np.ones(30, np.bool_))
    np.testing.assert_allclose(found[:30], alone)


def test_pairs_with_a_track_that_is_no_anchor_are_no_reference() -> None:
    tracks = tracks_of(*((t, float(t), HERE, thumbnail(t % 2, noise=t + 1)) for t in range(8)))
    threads, mixture = find_thread_pairs(tracks), ScoreMixture((0.6, 0.15), (0.05, 0.15), 0.2)
    scores = np.random.default_rng(0).uniform(0, 0.6, len(threads.pairs))
    anchors = np.arange(5)
    found = add_thread_log_odds(scores, mixture, threads, anchors)
    is_reference = (threads.pairs < 5).all(axis=1)
    log_odds = thread_log_odds(threads.features, mixture.log_odds(scores), 0.2, is_reference)
    np.testing.assert_array_equal(found, mixture.raise_scores(scores, log_odds))
