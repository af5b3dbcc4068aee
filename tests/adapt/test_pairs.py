"""Sampling of positive pairs."""

from __future__ import annotations

import numpy as np

from helpers.adaptation_inputs import embedding_tracks
from personae.adapt.pairs import PairSampler

NO_MATCHES = np.empty((0, 2), np.int64)


def test_pairs_stay_in_a_track_or_its_matches() -> None:
    tracks = embedding_tracks()
    members = tracks.members()
    matches = np.array([[0, 3], [0, 6]])
    sampler = PairSampler(
        members, np.array([0, 1, 2, 3, 6]), matches, cross_track_share=0.5, seed=0
    )
    anchors, positives = sampler.sample(2000)
    a, b = tracks.track_of[anchors], tracks.track_of[positives]
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == {
        (0, 0),
        (0, 3),
        (0, 6),
        (1, 1),
        (2, 2),
        (3, 3),
        (6, 6),
    }
    crossing = (b[a == 0] != 0).mean()
    assert 0.4 < crossing < 0.6
    assert (anchors[a == b] != positives[a == b]).all()
    assert np.ptp(np.bincount(anchors, minlength=15)[members[1]]) <= 1


def test_every_crop_of_a_track_is_equally_often_a_positive() -> None:
    tracks = embedding_tracks(1, 1, 5)
    sampler = PairSampler(tracks.members(), np.array([0]), NO_MATCHES, 0.5, seed=0)
    anchors, positives = sampler.sample(5000)
    for crop in range(5):
        counts = np.bincount(positives[anchors == crop], minlength=5)
        assert counts[crop] == 0
        assert np.delete(counts, crop).min() > 150


def test_a_track_of_one_crop_pairs_with_itself() -> None:
    sampler = PairSampler([np.array([0])], np.array([0]), NO_MATCHES, 0.5, seed=0)
    assert sampler.sample(3)[1].tolist() == [0, 0, 0]


def test_a_restored_sampler_continues_with_the_same_pairs() -> None:
    tracks = embedding_tracks()
    matches = np.array([[0, 3], [0, 6]])
    one, other = (
        PairSampler(tracks.members(), np.arange(7), matches, 0.5, seed) for seed in (0, 1)
    )
    one.sample(10)
    other.load_state_dict(one.state_dict())
    for _ in range(3):
        np.testing.assert_array_equal(one.sample(16), other.sample(16))
