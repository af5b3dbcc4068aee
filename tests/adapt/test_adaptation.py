"""The outer loop of adaptation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.adaptation_inputs import SHORT_HEAD, assert_same_adaptation, embedding_tracks
from personae.adapt import Adaptation, adapt
from personae.core.arrays import BoolArray, Float32Array, Int64Array, IntArray
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.cues.learned_score import learned_score

SHORT = AdaptConfig(**SHORT_HEAD)
MATCHING_EARLY = AdaptConfig(**SHORT_HEAD, matching_space="raw")


def test_adaptation_lowers_the_loss_and_is_deterministic() -> None:
    tracks = embedding_tracks(n_people=3, tracks_each=5)
    config = AdaptConfig(**SHORT_HEAD, learning_rate=1e-4, seed=3)
    first, again = (adapt(tracks, None, config) for _ in range(2))
    assert len(first.iterations) == 2
    assert first.embeddings.shape == (75, 16)
    np.testing.assert_array_equal(first.embeddings, again.embeddings)
    other = adapt(tracks, None, AdaptConfig(**SHORT_HEAD, learning_rate=1e-4, seed=4))
    assert not np.array_equal(first.embeddings, other.embeddings)
    losses = [row["loss"] for row in first.log]
    assert losses[3] < losses[0]


def test_the_log_has_a_row_per_epoch() -> None:
    log = adapt(embedding_tracks(), None, SHORT).log
    assert [(row["iteration"], row["epoch"]) for row in log] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (2, 1),
        (2, 2),
    ]
    assert {row["steps"] for row in log} == {6}
    assert log[0]["matches"] == 0
    assert log[0]["tracks"] == 12
    assert log[-1]["rate"] < log[-2]["rate"]
    for row in log:
        assert 0 < row["student_entropy"] <= np.log(16) + 1e-6
        assert 0 < row["teacher_entropy"] <= np.log(16) + 1e-6


def test_students_learn_side_by_side() -> None:
    """Each from its own head and on its own draws; the first as if it were alone."""
    tracks = embedding_tracks()

    def nobody(_: Adaptation) -> Int64Array:
        return np.empty((0, 2), np.int64)

    config = AdaptConfig(**SHORT_HEAD, extra_iterations=0, quality_filter=False)
    alone = adapt(tracks, None, config.model_copy(update={"students": 1}), find_positives=nobody)
    both = adapt(tracks, None, config, find_positives=nobody)
    assert (alone.students, both.students) == (1, 2)
    for one, two in zip(alone.iterations, both.iterations, strict=True):
        first, second = np.split(two.embeddings, 2, axis=1)
        np.testing.assert_array_equal(first, one.embeddings)
        assert np.abs(second - first).mean() > 0.1 * np.abs(first).mean()
        np.testing.assert_array_equal(two.centre[:16], one.centre)
    rows = [(row["iteration"], row["student"], row["epoch"]) for row in both.log]
    assert rows[:8] == [(1, student, epoch) for student in (1, 2) for epoch in (1, 2, 3, 4)]


@pytest.mark.parametrize("cores", ["1", "2"])
def test_students_learn_the_same_on_one_core_and_on_two(
    cores: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks, config = embedding_tracks(), AdaptConfig(**SHORT_HEAD, extra_iterations=0)

    def nobody(_: Adaptation) -> Int64Array:
        return np.empty((0, 2), np.int64)

    expected = adapt(tracks, None, config, find_positives=nobody)
    monkeypatch.setenv("OMP_NUM_THREADS", cores)
    assert_same_adaptation(expected, adapt(tracks, None, config, find_positives=nobody))


def test_without_evidence_of_pairs_there_is_one_student() -> None:
    assert adapt(embedding_tracks(), None, SHORT).students == 1


def test_progress_is_reported_in_thousandths() -> None:
    seen: list[tuple[int, int | None]] = []
    adapt(
        embedding_tracks(), None, SHORT, lambda stage, done, total, **_: seen.append((done, total))
    )
    assert seen == [
        (0, None),
        (125, 1000),
        (250, 1000),
        (375, 1000),
        (500, 1000),
        (750, 1000),
        (1000, 1000),
    ]


def test_attach_only_tracks_are_embedded_but_not_trained_on() -> None:
    attach_only = np.zeros(12, np.bool_)
    attach_only[5] = True
    tracks = replace(embedding_tracks(), attach_only=attach_only)
    adaptation = adapt(tracks, None, SHORT)
    assert adaptation.embeddings.shape == (60, 16)
    assert all(5 not in iteration.matches for iteration in adaptation.iterations)
    assert all(row["tracks"] <= 11 for row in adaptation.log)


def test_matches_that_are_not_plausible_are_dropped() -> None:
    tracks = embedding_tracks(track_spread=0.1)
    free = adapt(tracks, None, MATCHING_EARLY).iterations[0].matches

    def from_track_0(a: IntArray, b: IntArray) -> BoolArray:
        return np.asarray(a == 0)

    checked = adapt(tracks, None, MATCHING_EARLY, plausible=from_track_0)
    assert len(np.unique(free[:, 0])) > 1
    np.testing.assert_array_equal(checked.iterations[0].matches, free[free[:, 0] == 0])
    assert checked.log[-1]["matches"] == (free[:, 0] == 0).sum()


def test_without_the_match_filter_every_match_is_used() -> None:
    tracks = embedding_tracks(track_spread=0.1)
    config = MATCHING_EARLY.model_copy(update={"match_filter": False})

    def none(a: IntArray, b: IntArray) -> BoolArray:
        return np.zeros(len(a), np.bool_)

    free, unfiltered = (
        adapt(tracks, None, MATCHING_EARLY),
        adapt(tracks, None, config, plausible=none),
    )
    for a, b in zip(free.iterations, unfiltered.iterations, strict=True):
        np.testing.assert_array_equal(a.matches, b.matches)


def test_tracks_are_paired_across_only_if_wanted() -> None:
    config = MATCHING_EARLY.model_copy(update={"cross_track_pairs": "none"})
    adaptation = adapt(embedding_tracks(track_spread=0.1), None, config)
    assert all(iteration.matches.shape == (0, 2) for iteration in adaptation.iterations)


def test_positives_are_found_before_the_first_iteration_and_after_each() -> None:
    """In the place of coarse matches; the first iteration already trains on them."""
    tracks = embedding_tracks()
    attach_only = np.zeros(12, np.bool_)
    attach_only[5] = True
    given: list[Adaptation] = []

    def find_positives(done: Adaptation) -> Int64Array:
        given.append(done)
        last = len(done.iterations)
        return np.array([[0, 3 + last], [3 + last, 0], [2, 5], [5, 2]])

    config = AdaptConfig(**SHORT_HEAD, quality_filter=False, extra_iterations=0)
    film = replace(tracks, attach_only=attach_only)
    found = adapt(film, None, config, find_positives=find_positives)
    assert [len(done.iterations) for done in given] == [0, 1, 2]
    for done in given[1:]:
        assert done.iterations[-1].embeddings.shape == (60, 2 * 16)
        assert done.students == 2
        assert done.student_temperature == config.student_temperature
        assert done.teacher_temperature == config.teacher_temperature
    np.testing.assert_array_equal(given[2].embeddings, found.embeddings)
    pairs = [one.matches.tolist() for one in found.iterations]
    assert pairs == [[[0, 4], [4, 0]], []], "track 5 is not trained on"
    assert [row["matches"] for row in found.log] == [2] * (2 * 4 + 2 * 2)


@pytest.mark.parametrize(("changes_until", "expected"), [(0, 3), (2, 4), (3, 5), (9, 5)])
def test_iterations_go_on_while_the_pairs_to_train_on_change(
    changes_until: int, expected: int
) -> None:
    """Two are wanted and three more allowed; two in a row have to change nothing."""
    progress: list[tuple[int, object]] = []

    def find_positives(done: Adaptation) -> Int64Array:
        last = min(len(done.iterations), changes_until)
        return np.array([[0, 3 + last], [3 + last, 0]])

    def hook(stage: str, done: int, total: int | None, **facts: object) -> None:
        if total:
            progress.append((done, facts.get("iteration")))

    config = AdaptConfig(**SHORT_HEAD, quality_filter=False, extra_iterations=3)
    found = adapt(embedding_tracks(), None, config, hook, find_positives=find_positives)
    assert len(found.iterations) == expected
    assert progress[0][1] == "1 of at most 5"
    assert progress[-1][0] == 1000
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    fixed = adapt(embedding_tracks(), None, config)
    assert len(fixed.iterations) == 2, "without pairs to find there is nothing to settle"


def test_a_change_of_a_fiftieth_of_the_pairs_asks_for_no_iteration() -> None:
    tracks = embedding_tracks(n_people=6, tracks_each=5)
    pairs = [[a, b] for a in range(30) for b in range(30) if a != b]
    config = AdaptConfig(**SHORT_HEAD, quality_filter=False, extra_iterations=2)
    for share, expected in ((0.015, 3), (0.03, 4)):

        def find_positives(done: Adaptation, share: float = share) -> Int64Array:
            dropped = round(share * len(pairs)) if len(done.iterations) == 2 else 0
            return np.array(pairs[dropped:])

        found = adapt(tracks, None, config, find_positives=find_positives)
        assert len(found.iterations) == expected


def test_training_on_positives_draws_their_tracks_together() -> None:
    """Two halves of a person, unlike before, are alike after; other people are not drawn in."""
    tracks = embedding_tracks(n_people=6, tracks_each=2, track_spread=0.1)
    pairs = np.array([[0, 1], [1, 0], [6, 7], [7, 6], [0, 7], [7, 0], [1, 6], [6, 1]])
    config = AdaptConfig(
        **SHORT_HEAD | {"min_steps_per_epoch": 40}, cross_track_share=0.8, learning_rate=1e-3
    )
    every = np.arange(12)
    scores = []
    for positives in (pairs, np.empty((0, 2), np.int64)):
        found = adapt(tracks, None, config, find_positives=lambda _, one=positives: one)
        scores.append(learned_score(tracks, found, 2).block(every, every))
    trained, plain = scores
    others = [(2, 3), (3, 4), (4, 5), (2, 5)]
    gain = trained[0, 1] - np.mean([trained[pair] for pair in others])
    assert gain > 0.5 + plain[0, 1] - np.mean([plain[pair] for pair in others])


def test_auto_depth_is_the_head_where_there_are_no_images() -> None:
    found = adapt(embedding_tracks(), None, SHORT)
    assert found.facts["depth"] == "head"
    head = adapt(embedding_tracks(), None, AdaptConfig(**SHORT_HEAD, depth="head"))
    np.testing.assert_array_equal(found.embeddings, head.embeddings)


def test_tracks_of_outlying_quality_leave_the_next_iteration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def all_but_two(quality: Float32Array, mad: str) -> BoolArray:
        asked.append(mad)
        return np.arange(len(quality)) >= 2

    monkeypatch.setattr("personae.adapt.adaptation.quality_inliers", all_but_two)
    config = MATCHING_EARLY.model_copy(update={"quality_mad": "mean"})
    adaptation = adapt(embedding_tracks(track_spread=0.1), None, config)
    assert [row["tracks"] for row in adaptation.log] == [12] * 4 + [10] * 2
    assert set(asked) == {"mean"}
    assert adaptation.iterations[0].matches.min() >= 2
    assert adaptation.iterations[0].quality.shape == (12,)
    unfiltered = adapt(embedding_tracks(), None, SHORT.model_copy(update={"quality_filter": False}))
    assert {row["tracks"] for row in unfiltered.log} == {12}


def test_all_tracks_stay_if_none_passes_the_quality_filter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "personae.adapt.adaptation.quality_inliers",
        lambda quality, mad: np.zeros(len(quality), np.bool_),
    )
    assert {row["tracks"] for row in adapt(embedding_tracks(), None, SHORT).log} == {12}


@pytest.mark.parametrize(
    "tracks", [embedding_tracks(1, 1, 1), embedding_tracks(1, 1, 4), embedding_tracks(2, 1, 2)]
)
def test_the_smallest_films_can_be_adapted_to(tracks: TrackSet) -> None:
    assert np.isfinite(adapt(tracks, None, SHORT).embeddings).all()


def test_nothing_to_adapt_to_gives_no_iterations() -> None:
    empty = TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 16), np.float32))
    assert adapt(empty, None, AdaptConfig()).iterations == ()
    assert adapt(embedding_tracks(), None, AdaptConfig(iterations=0)).iterations == ()


def test_deeper_training_needs_images() -> None:
    with pytest.raises(SettingError, match="features only"):
        adapt(embedding_tracks(), None, AdaptConfig(**SHORT_HEAD, depth="last"))
