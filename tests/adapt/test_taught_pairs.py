"""What a person has said of pairs is trained on in every iteration, or never."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.adaptation_inputs import SHORT_HEAD, embedding_tracks
from personae.adapt import adapt
from personae.adapt.taught_pairs import MAX_CONFIRMED_PER_TRACK, TaughtPairs
from personae.core.config import AdaptConfig
from personae.core.trackset import TrackSet

N = 8
track = st.integers(0, N - 1)
links = st.lists(st.tuples(track, track).filter(lambda pair: pair[0] != pair[1]), max_size=6)


def pairs_of(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)


@settings(max_examples=100, deadline=None)
@given(same=links, different=links, found=links, trainable=st.sets(track, min_size=1))
def test_confirmed_pairs_are_added_and_refused_ones_dropped_chains_included(
    same: list[tuple[int, int]],
    different: list[tuple[int, int]],
    found: list[tuple[int, int]],
    trainable: set[int],
) -> None:
    person = list(range(N))
    for a, b in same:
        person = [person[a] if one == person[b] else one for one in person]
    refused = {frozenset((person[a], person[b])) for a, b in different}
    tracks = TrackSet(
        track_of=np.arange(N, dtype=np.int32),
        embeddings=np.eye(N, dtype=np.float32),
        must_link=pairs_of(same),
        must_not_link=pairs_of(different),
    )
    taught = TaughtPairs(tracks, np.array(sorted(trainable)), seed=0)
    expected = {(a, b) for a, b in found if frozenset((person[a], person[b])) not in refused} | {
        (a, b) for a in trainable for b in trainable if a != b and person[a] == person[b]
    }
    completed = taught.complete(pairs_of(found).astype(np.int64))
    assert sorted(expected) == [(int(a), int(b)) for a, b in completed]


def test_a_large_group_is_thinned_out() -> None:
    n = 3 * MAX_CONFIRMED_PER_TRACK
    tracks = TrackSet(
        track_of=np.arange(n, dtype=np.int32),
        embeddings=np.ones((n, 2), dtype=np.float32),
        must_link=pairs_of([(0, other) for other in range(1, n)]),
    )
    confirmed = TaughtPairs(tracks, np.arange(n), seed=0).confirmed
    assert np.bincount(confirmed[:, 0]).tolist() == [MAX_CONFIRMED_PER_TRACK] * n
    assert (confirmed[:, 0] != confirmed[:, 1]).all()


def test_links_are_learned_from_only_where_that_is_asked_for() -> None:
    tracks = replace(
        embedding_tracks(),
        must_link=pairs_of([(0, 4), (4, 8)]),
        must_not_link=pairs_of([(1, 2)]),
    )
    plain = adapt(embedding_tracks(), None, AdaptConfig(**SHORT_HEAD))
    unheard = adapt(tracks, None, AdaptConfig(**SHORT_HEAD))
    np.testing.assert_array_equal(plain.embeddings, unheard.embeddings)

    def find_all(_: object) -> np.ndarray:
        return np.array([[1, 2], [2, 1], [3, 5]])

    taught = adapt(
        tracks, None, AdaptConfig(**SHORT_HEAD, learn_edits=True), find_positives=find_all
    )
    confirmed = [[a, b] for a in (0, 4, 8) for b in (0, 4, 8) if a != b]
    for iteration in taught.iterations:
        assert iteration.matches.tolist() == sorted([*confirmed, [3, 5]])
    assert {row["matches"] for row in taught.log} == {7}
