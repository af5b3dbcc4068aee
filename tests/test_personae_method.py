"""The default method on made-up casts: who is grouped, what stays unknown, and how sure it says it is."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import logit

from cast import cast, partition, reordered
from personae.adapt import Adaptation, Iteration, adapt
from personae.cluster import Clustering
from personae.cluster.anchors import defining_tracks
from personae.cluster.linkage import CANNOT_LINK_LOG_ODDS
from personae.cluster.personae import (
    CLEAR,
    CalibratedLinkage,
    attach,
    group_log_odds,
    judge,
    unambiguous_group,
)
from personae.cluster.review_items import AT_MOST, PLAIN
from personae.core.config import AdaptConfig, ClusterConfig
from personae.core.errors import SettingError
from personae.core.grouping import unit_rows
from personae.core.trackset import TrackSet
from personae.metrics.clustering import bcubed

CAST = [9, 6, 4, 3, 2, 1]


def group(tracks: TrackSet, num_people: int | None = None) -> Clustering:
    return CalibratedLinkage(num_people).cluster(tracks, None)


def with_weak(tracks: TrackSet, weak: np.ndarray) -> TrackSet:
    return replace(tracks, attach_only=weak)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [[1, 1], [5, 5], CAST, [2] * 10, [30, 2, 2], [1] * 8])
def test_people_are_found_without_any_parameter(sizes: list[int], seed: int) -> None:
    tracks, who = cast(sizes, seed)
    found = group(tracks)
    assert partition(found.labels) == partition(who)
    size = np.bincount(found.labels)
    assert (np.diff(size) <= 0).all(), "labels go by falling size"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 2, 3, 10, 40])
def test_one_person_stays_one(n: int, seed: int) -> None:
    assert group(cast([n], seed)[0]).labels.tolist() == [0] * n


def test_no_tracks() -> None:
    empty = TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 8), np.float32))
    found = group(empty)
    assert len(found.labels) == len(found.confidence) == len(found.runner_up) == 0
    assert found.checks == []


def test_an_adaptation_agrees_on_an_easy_cast() -> None:
    tracks, who = cast([5, 4, 3])
    config = AdaptConfig(
        iterations=3, first_epochs=6, later_epochs=3, warmup_epochs=1, min_steps_per_epoch=8
    )
    found = CalibratedLinkage().cluster(tracks, adapt(tracks, None, config))
    assert partition(found.labels) == partition(who)


@pytest.mark.parametrize("seed", range(4))
def test_weak_tracks_join_their_person_and_never_make_one(seed: int) -> None:
    tracks, who = cast([6, 6, 4], seed)
    weak = who == 2  # a person seen in weak tracks alone
    weak[np.flatnonzero(who == 0)[:2]] = True
    found = group(with_weak(tracks, weak))
    assert (found.labels[who == 2] == -1).all()
    assert partition(found.labels) == partition(np.where(who == 2, -1, who))
    assert found.labels.max() == 1


def test_weak_tracks_do_not_change_who_the_people_are() -> None:
    tracks, who = cast([6, 6, 6])
    weak = np.zeros(18, np.bool_)
    weak[np.flatnonzero(who == 2)] = True
    all_of_them = group(with_weak(tracks, weak)).labels
    kept = np.flatnonzero(~weak)
    part = partition(all_of_them)
    assert {frozenset(t for t in c if t in set(kept.tolist())) for c in part} == partition(
        np.where(weak, -1, who)
    )


def test_where_all_tracks_are_weak_they_count_as_they_are() -> None:
    tracks, who = cast([4, 3])
    assert partition(group(with_weak(tracks, np.ones(7, np.bool_))).labels) == partition(who)


def test_a_track_attaches_only_where_one_group_is_clear_of_all_else() -> None:
    never = -np.inf
    odds = np.array(
        [[-1, 9], [CLEAR - 0.01, never], [CLEAR + 0.01, never], [never, never], [3, 2.5]]
    )
    assert unambiguous_group(odds).tolist() == [1, -1, 0, -1, -1]
    assert unambiguous_group(np.empty((2, 0))).tolist() == [-1, -1]


def test_tracks_attach_by_way_of_each_other() -> None:
    labels = np.array([0, 0, -1, -1, -1])
    front, profile, back, stranger = [0, 1], 2, 3, 4
    odds = np.full((5, 5), -4.0)
    odds[0, 1] = odds[1, 0] = 6
    odds[front, profile] = odds[profile, front] = 3.0
    odds[front, back] = odds[back, front] = -0.5
    odds[profile, back] = odds[back, profile] = 6.0
    assert attach(odds, labels, np.empty((0, 2), np.int32)).tolist() == [0, 0, 0, 0, -1]
    assert labels.tolist() == [0, 0, -1, -1, -1]
    assert attach(odds, labels, np.array([[stranger, back], [front[0], back]])).tolist() == [
        0,
        0,
        0,
        -1,
        -1,
    ]


@pytest.mark.parametrize("seed", range(4))
def test_tracks_of_short_embeddings_join_their_person_and_never_make_one(seed: int) -> None:
    tracks, who = cast([6, 6, 4], seed)
    faint = who == 2  # a person hardly recognised in any track
    faint[np.flatnonzero(who == 0)[:2]] = True
    embeddings = (
        unit_rows(tracks.require_embeddings()) * np.where(faint, 0.5, 1.0)[tracks.track_of][:, None]
    )
    found = group(replace(tracks, embeddings=embeddings.astype(np.float32)))
    assert partition(found.labels) == partition(np.where(who == 2, -1, who))


def test_the_length_of_all_embeddings_together_says_nothing() -> None:
    tracks, who = cast(CAST)
    tiny = replace(
        tracks, embeddings=unit_rows(tracks.require_embeddings()).astype(np.float32) / 100
    )
    assert defining_tracks(tiny).tolist() == list(range(sum(CAST)))
    assert partition(group(tiny).labels) == partition(who)


@pytest.mark.parametrize("seed", range(4))
def test_one_wrong_cannot_link_does_not_split_a_person(seed: int) -> None:
    tracks, who = cast([8, 5], seed)
    a, b = np.flatnonzero(who == 0)[:2]
    wrong = replace(tracks, cannot_link=np.array([[a, b]], np.int32))
    assert partition(group(wrong).labels) == partition(who)


@pytest.mark.parametrize("seed", range(4))
def test_true_cannot_links_keep_lookalikes_apart(seed: int) -> None:
    """Two people whose tracks look as alike as one person's, on screen together a few times, and a third."""
    tracks, who = cast([12, 5], seed)
    twin = np.flatnonzero(who == 0)
    truth = who.copy()
    truth[twin[6:]] = 2
    together = replace(
        tracks, cannot_link=np.array([[a, b] for a in twin[:3] for b in twin[6:9]], np.int32)
    )
    assert partition(group(tracks).labels) == partition(who), "without links they are one"
    labels = group(together).labels
    for a, b in together.cannot_link:
        assert labels[a] != labels[b]
    assert not set(labels[who == 1]) & set(labels[twin])


@pytest.mark.parametrize("hint", [1, 2, 3, 6, 9, 25])
def test_the_number_of_people_is_honoured(hint: int) -> None:
    tracks, who = cast(CAST)
    labels = group(tracks, hint).labels
    assert labels.max() + 1 == hint
    if hint == len(CAST):
        assert partition(labels) == partition(who)


def test_more_people_than_tracks_cannot_be() -> None:
    assert sorted(group(cast([2, 1])[0], 7).labels.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(4))
def test_bounds_on_the_number_of_people_are_honoured_and_idle_where_they_hold(seed: int) -> None:
    tracks, who = cast(CAST, seed)
    for least, most in ((None, 6), (6, None), (3, 9), (6, 6)):
        assert partition(
            CalibratedLinkage(None, least, most).cluster(tracks, None).labels
        ) == partition(who)
    for least, most in ((9, None), (8, 12)):
        assert (
            least
            <= CalibratedLinkage(None, least, most).cluster(tracks, None).labels.max() + 1
            <= (most or 25)
        )
    for least, most in ((None, 3), (2, 4), (None, 1)):
        assert (
            (least or 1)
            <= CalibratedLinkage(None, least, most).cluster(tracks, None).labels.max() + 1
            <= most
        )


def test_bounds_beyond_the_tracks_are_met_as_far_as_they_go() -> None:
    assert sorted(
        CalibratedLinkage(min_people=7).cluster(cast([2, 1])[0], None).labels.tolist()
    ) == [0, 1, 2]
    assert CalibratedLinkage(max_people=7).cluster(cast([3])[0], None).labels.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("hints", "sentence"),
    [
        (
            {"min_people": 4, "max_people": 2},
            "min_people cannot be 4: that is more than max_people, 2.",
        ),
        ({"num_people": 2, "min_people": 3}, "num_people cannot be 2 where min_people is 3"),
        ({"num_people": 5, "max_people": 3}, "num_people cannot be 5 where max_people is 3"),
        ({"min_people": 3, "method": "hac"}, "'hac' knows no min_people"),
        ({"max_people": 3, "method": "videoclusternet-paper"}, "use the method 'personae'"),
    ],
)
def test_hints_that_cannot_be_honoured_are_refused(hints: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=re.escape(sentence)):
        ClusterConfig(**hints)
    if "method" not in hints:
        with pytest.raises(SettingError, match=re.escape(sentence)):
            CalibratedLinkage(**hints)


def linked(tracks: TrackSet, **links: list[tuple[int, int]]) -> Clustering:
    given = {name: np.array(pairs, np.int32).reshape(-1, 2) for name, pairs in links.items()}
    return group(replace(tracks, **given))


@pytest.mark.parametrize("seed", range(4))
def test_must_links_are_law(seed: int) -> None:
    """Two people declared to be one are one, even where all their tracks are on screen together."""
    tracks, who = cast([6, 5, 4], seed)
    one, other = (np.flatnonzero(who == person) for person in (0, 1))
    together = [(int(a), int(b)) for a in one for b in other]
    declared = [
        (int(one[0]), int(other[0])),
        (int(other[1]), int(one[1])),
        (int(one[2]), int(one[2])),
    ]
    found = linked(tracks, must_link=declared, cannot_link=together)
    for a, b in declared:
        assert found.labels[a] == found.labels[b]
    third = np.flatnonzero(who == 2)
    assert partition(found.labels) >= {frozenset(third.tolist())}
    assert linked(tracks, must_link=declared).labels.max() + 1 in (2, 3)
    assert all(
        found.labels[check.tracks[0]] >= -1 and 0 <= check.probability < 1 for check in found.checks
    )


def test_must_links_chain_and_go_before_the_number_of_people() -> None:
    tracks, _ = cast([1] * 6)
    chain = [(0, 3), (5, 3), (5, 1)]
    labels = linked(tracks, must_link=chain).labels
    assert partition(labels) == {frozenset({0, 1, 3, 5}), frozenset({2}), frozenset({4})}
    everyone = replace(tracks, must_link=np.array(chain, np.int32))
    assert CalibratedLinkage(6).cluster(everyone, None).labels.tolist() == labels.tolist()


def test_what_agrees_with_the_decision_changes_nothing() -> None:
    tracks, who = cast(CAST)
    same = np.flatnonzero(who == 0)
    free, held = group(tracks), linked(tracks, must_link=[(same[0], same[1]), (same[0], same[2])])
    np.testing.assert_array_equal(free.labels, held.labels)
    np.testing.assert_allclose(free.confidence, held.confidence)


def test_a_declared_weak_track_joins_its_character_or_makes_one() -> None:
    tracks, who = cast([6, 5, 3])
    weak = who == 2
    first, second, third = np.flatnonzero(weak)
    member = int(np.flatnonzero(who == 1)[0])
    assert (group(with_weak(tracks, weak)).labels[weak] == -1).all()
    joined = linked(
        with_weak(tracks, weak), must_link=[(first, member)], cannot_link=[(member, first)]
    )
    assert joined.labels[first] == joined.labels[member] >= 0
    made = linked(with_weak(tracks, weak), must_link=[(first, second)])
    assert made.labels[first] == made.labels[second] >= 0
    assert partition(made.labels) == partition(who), (
        "the third weak track joins the other two by itself"
    )
    assert made.labels[third] == made.labels[first]
    alone = linked(with_weak(tracks, weak), must_link=[(first, first)])
    assert alone.labels[first] == -1, "linked with itself it is as weak as before"


@pytest.mark.parametrize("seed", range(4))
def test_confidence_is_a_probability_and_doubts_a_track_between_two(seed: int) -> None:
    tracks, who = cast([5, 5, 4], seed)
    x = tracks.require_embeddings()
    mixed = np.flatnonzero(who == 0)[0]
    sides = [
        x[np.isin(tracks.track_of, np.flatnonzero(who == person))].mean(axis=0) for person in (0, 1)
    ]
    x = x.copy()
    rows = tracks.track_of == mixed
    x[rows] = (sides[0] + sides[1]) / 2 + (x[rows] - x[rows].mean(axis=0))
    found = group(replace(tracks, embeddings=x))
    assert (found.confidence >= 0).all()
    assert (found.confidence <= 1).all()
    clear = np.delete(np.arange(14), mixed)
    assert found.confidence[mixed] < found.confidence[clear].min()
    assert found.confidence[clear].min() > 0.9
    first, second = found.labels[who == 1][0], found.labels[np.flatnonzero(who == 0)[1]]
    assert {found.labels[mixed], found.runner_up[mixed]} >= {first, second} - {found.labels[mixed]}


def test_odds_to_groups_are_means_over_the_other_members_less_the_links() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(size=(7, 7))
    odds = odds + odds.T
    labels = np.array([0, 0, 0, 1, 1, 2, -1])
    links = np.array([[0, 3], [6, 1], [6, 2], [5, 6]])
    found = group_log_odds(odds, labels, links)
    for track in range(7):
        for k in range(3):
            others = [t for t in range(7) if labels[t] == k and t != track]
            linked = sum(
                1
                for a, b in links.tolist()
                for s, t in ((a, b), (b, a))
                if s == track and t in others
            )
            expected = (
                np.mean(odds[track, others]) - CANNOT_LINK_LOG_ODDS * linked if others else -np.inf
            )
            assert found[track, k] == pytest.approx(expected)
    asked = np.array([6, 2])
    np.testing.assert_allclose(group_log_odds(odds, labels, links, asked), found[asked])


def test_confidence_weighs_own_group_rival_and_somebody_else() -> None:
    odds = np.array([[2.0, 1.0, -3.0], [-np.inf, -1.0, -4.0], [0.5, -2.0, -5.0]])
    confidence, runner_up = judge(np.array([0, 0, -1]), odds)
    e = np.exp
    assert confidence[0] == pytest.approx(e(2) / (e(2) + e(1) + 1))
    assert confidence[1] == pytest.approx(1 / (e(-1) + 1)), "alone, it is somebody else"
    assert confidence[2] == pytest.approx(e(0.5) / (e(0.5) + 1)), "unknown: of the nearest group"
    assert runner_up.tolist() == [1, 1, 0]


def test_checks_tell_what_was_decided_against_the_odds_and_from_even_ones_outwards() -> None:
    """Blurred faces, so that decisions of every kind come close to the edge."""
    seen = set()
    for seed in range(4):
        tracks, _ = cast([6] * 5, seed, noise=1.4)
        weak = np.zeros(30, np.bool_)
        weak[::4] = True
        found = group(with_weak(tracks, weak))
        assert len(found.checks) <= AT_MOST
        odds = {check: float(logit(check.probability)) for check in found.checks}
        distance = [
            o * {"merge": 1, "split": -1, "unknown": np.sign(o)}[check.kind]
            for check, o in odds.items()
        ]
        assert (np.diff(distance) >= -1e-9).all()
        assert max(distance) < PLAIN
        for check in found.checks:
            a, b = found.labels[list(check.tracks)]
            seen.add(check.kind)
            assert (a == b) == (check.kind == "merge")
            assert (a == -1) == (check.kind == "unknown")
            assert b >= 0
    assert seen == {"merge", "split", "unknown"}


def test_plain_casts_need_no_checks() -> None:
    assert group(cast([5, 5, 5], noise=0.2)[0]).checks == []


def hard(seed: int) -> tuple[TrackSet, np.ndarray]:
    tracks, who = cast([7, 5, 4, 3], seed, noise=1.4)
    rng = np.random.default_rng(seed)
    links = rng.integers(19, size=(12, 2)).astype(np.int32)
    weak = rng.random(19) < 0.2
    return replace(
        tracks, cannot_link=links[who[links[:, 0]] != who[links[:, 1]]], attach_only=weak
    ), who


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_tracks_does_not_matter(seed: int) -> None:
    tracks, _ = hard(seed)
    order = np.random.default_rng(seed).permutation(19)
    one, other = group(tracks), group(reordered(tracks, order))
    back = np.argsort(order)
    assert partition(other.labels[back]) == partition(one.labels)
    np.testing.assert_allclose(other.confidence[back], one.confidence, atol=1e-5)
    assert [check.kind for check in other.checks] == [check.kind for check in one.checks]
    np.testing.assert_allclose(
        [check.probability for check in other.checks],
        [check.probability for check in one.checks],
        atol=1e-6,
    )


def test_the_same_tracks_give_the_same_answer() -> None:
    tracks, _ = hard(0)
    one, again = group(tracks), group(tracks)
    for name in ("labels", "confidence", "runner_up"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert one.checks == again.checks
    assert one.facts == again.facts


def test_the_given_tracks_stay_as_they_are() -> None:
    tracks, _ = hard(1)
    before = tracks.require_embeddings().copy(), tracks.cannot_link.copy()
    group(tracks)
    np.testing.assert_array_equal(tracks.require_embeddings(), before[0])
    np.testing.assert_array_equal(tracks.cannot_link, before[1])


def test_a_thousand_tracks_take_seconds() -> None:
    """About half a second of one core; the bound leaves room for slow and busy machines."""
    tracks, who = cast([120] * 3 + [40] * 12 + [12] * 15, crops=4, noise=0.8)
    rng = np.random.default_rng(0)
    links = rng.integers(tracks.n_tracks, size=(800, 2)).astype(np.int32)
    weak = rng.random(tracks.n_tracks) < 0.15
    film = replace(
        tracks, cannot_link=links[who[links[:, 0]] != who[links[:, 1]]], attach_only=weak
    )
    learnt = tuple(
        Iteration(
            tracks.require_embeddings() * (1 + k),
            np.zeros(tracks.require_embeddings().shape[1], np.float32),
            np.ones(tracks.n_tracks, np.float32),
            np.empty((0, 2), np.int32),
        )
        for k in range(5)
    )
    assert tracks.n_tracks >= 1000
    started = time.process_time()
    found = CalibratedLinkage().cluster(film, Adaptation(learnt, 0.1, 0.04))
    assert time.process_time() - started < 20
    assert bcubed(who, found.labels).f > 0.97
