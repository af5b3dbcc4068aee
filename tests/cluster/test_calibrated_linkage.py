"""The default method on synthetic casts: groups, unknown tracks and confidence."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from helpers.cast import cast, no_tracks, partition
from helpers.dressed_cast import seen_together
from personae.adapt import Adaptation, Iteration, adapt
from personae.cluster import Clustering
from personae.cluster.calibrated_linkage import (
    CalibratedLinkage,
    LinkageOptions,
    resolve_links,
)
from personae.cluster.linkage import constrained_average_linkage
from personae.cluster.tree_cut import select_cut
from personae.core.config import AdaptConfig, ClusterConfig
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.cues.evidence import pairwise_evidence
from personae.metrics.clustering import bcubed

CAST = [9, 6, 4, 3, 2, 1]


def cluster(tracks: TrackSet, num_people: int | None = None) -> Clustering:
    return CalibratedLinkage(num_people).cluster(tracks, None)


def with_attach_only(tracks: TrackSet, attach_only: np.ndarray) -> TrackSet:
    return replace(tracks, attach_only=attach_only)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [[1, 1], [5, 5], CAST, [2] * 10, [30, 2, 2], [1] * 8])
def test_people_are_found_without_parameters(sizes: list[int], seed: int) -> None:
    tracks, person = cast(sizes, seed)
    found = cluster(tracks)
    assert partition(found.labels) == partition(person)
    size = np.bincount(found.labels)
    assert (np.diff(size) <= 0).all(), "labels go by falling size"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 2, 3, 10, 40])
def test_one_person_stays_one(n: int, seed: int) -> None:
    assert cluster(cast([n], seed)[0]).labels.tolist() == [0] * n


def test_no_tracks_give_an_empty_clustering() -> None:
    found = cluster(no_tracks())
    assert len(found.labels) == len(found.confidence) == len(found.runner_up) == 0
    assert found.review_items == []


def test_adaptation_agrees_on_an_easy_cast() -> None:
    tracks, person = cast([5, 4, 3])
    config = AdaptConfig(
        iterations=3, first_epochs=6, later_epochs=3, warmup_epochs=1, min_steps_per_epoch=8
    )
    found = CalibratedLinkage().cluster(tracks, adapt(tracks, None, config))
    assert partition(found.labels) == partition(person)


@pytest.mark.parametrize("seed", range(4))
def test_attach_only_tracks_join_their_person_and_never_found_one(seed: int) -> None:
    tracks, person = cast([6, 6, 4], seed)
    attach_only = person == 2  # a person seen in attach_only tracks alone
    attach_only[np.flatnonzero(person == 0)[:2]] = True
    found = cluster(with_attach_only(tracks, attach_only))
    assert (found.labels[person == 2] == -1).all()
    assert partition(found.labels) == partition(np.where(person == 2, -1, person))
    assert found.labels.max() == 1


def test_attach_only_tracks_do_not_change_the_groups_of_others() -> None:
    tracks, person = cast([6, 6, 6])
    attach_only = np.zeros(18, np.bool_)
    attach_only[np.flatnonzero(person == 2)] = True
    all_of_them = cluster(with_attach_only(tracks, attach_only)).labels
    kept = np.flatnonzero(~attach_only)
    part = partition(all_of_them)
    assert {frozenset(t for t in c if t in set(kept.tolist())) for c in part} == partition(
        np.where(attach_only, -1, person)
    )


def test_attach_only_is_ignored_if_it_holds_for_all_tracks() -> None:
    tracks, person = cast([4, 3])
    assert partition(cluster(with_attach_only(tracks, np.ones(7, np.bool_))).labels) == partition(
        person
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [(20, 12, 8), (30, 20, 10, 10)])
def test_one_wrong_cannot_link_does_not_split_a_person(sizes: tuple[int, ...], seed: int) -> None:
    """A mirror or a poster, among 30 links that are right."""
    tracks, person = cast(sizes, seed)
    wrong = np.flatnonzero(person == 0)[:2]
    links = np.concatenate([[wrong], seen_together(person, 30)]).astype(np.int32)
    assert partition(cluster(replace(tracks, cannot_link=links)).labels) == partition(person)


@pytest.mark.parametrize("seed", range(4))
def test_in_a_film_of_a_dozen_tracks_a_wrong_cannot_link_may_split_its_person(seed: int) -> None:
    tracks, person = cast([8, 5], seed)
    a, b = np.flatnonzero(person == 0)[:2]
    labels = cluster(replace(tracks, cannot_link=np.array([[a, b]], np.int32))).labels
    assert len(np.unique(labels[person == 1])) == 1
    assert len(np.unique(labels[person == 0])) <= 2
    assert bcubed(person, labels).precision == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_true_cannot_links_separate_lookalikes(seed: int) -> None:
    """Two people as similar as one, a few times on screen together, and a third."""
    tracks, person = cast([12, 5], seed)
    twin = np.flatnonzero(person == 0)
    truth = person.copy()
    truth[twin[6:]] = 2
    together = replace(
        tracks, cannot_link=np.array([[a, b] for a in twin[:3] for b in twin[6:9]], np.int32)
    )
    assert partition(cluster(tracks).labels) == partition(person), "without links they are one"
    labels = cluster(together).labels
    for a, b in together.cannot_link:
        assert labels[a] != labels[b]
    assert not set(labels[person == 1]) & set(labels[twin])


@pytest.mark.parametrize("hint", [1, 2, 3, 6, 9, 25])
def test_num_people_is_honoured(hint: int) -> None:
    tracks, person = cast(CAST)
    labels = cluster(tracks, hint).labels
    assert labels.max() + 1 == hint
    if hint == len(CAST):
        assert partition(labels) == partition(person)


def test_num_people_is_limited_by_the_tracks() -> None:
    assert sorted(cluster(cast([2, 1])[0], 7).labels.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(4))
def test_bounds_are_honoured_and_change_nothing_where_they_hold(seed: int) -> None:
    tracks, person = cast(CAST, seed)
    for least, most in ((None, 6), (6, None), (3, 9), (6, 6)):
        assert partition(
            CalibratedLinkage(None, least, most).cluster(tracks, None).labels
        ) == partition(person)
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


def test_bounds_are_limited_by_the_tracks() -> None:
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
    ],
)
def test_contradicting_hints_are_refused(hints: dict[str, int], sentence: str) -> None:
    with pytest.raises(SettingError, match=re.escape(sentence)):
        ClusterConfig(**hints)
    with pytest.raises(SettingError, match=re.escape(sentence)):
        CalibratedLinkage(**hints)


def linked(tracks: TrackSet, **links: list[tuple[int, int]]) -> Clustering:
    given = {name: np.array(pairs, np.int32).reshape(-1, 2) for name, pairs in links.items()}
    return cluster(replace(tracks, **given))


@pytest.mark.parametrize("seed", range(4))
def test_must_links_always_hold(seed: int) -> None:
    """Two people joined by must-links are one, though all their tracks are on screen together."""
    tracks, person = cast([6, 5, 4], seed)
    one, other = (np.flatnonzero(person == p) for p in (0, 1))
    together = [(int(a), int(b)) for a in one for b in other]
    must_link = [
        (int(one[0]), int(other[0])),
        (int(other[1]), int(one[1])),
        (int(one[2]), int(one[2])),
    ]
    found = linked(tracks, must_link=must_link, cannot_link=together)
    for a, b in must_link:
        assert found.labels[a] == found.labels[b]
    third = np.flatnonzero(person == 2)
    assert partition(found.labels) >= {frozenset(third.tolist())}
    assert linked(tracks, must_link=must_link).labels.max() + 1 in (2, 3)
    assert all(
        found.labels[item.tracks[0]] >= -1 and 0 <= item.probability < 1
        for item in found.review_items
    )


def test_must_links_chain_and_precede_num_people() -> None:
    tracks, _ = cast([1] * 6)
    chain = [(0, 3), (5, 3), (5, 1)]
    labels = linked(tracks, must_link=chain).labels
    assert partition(labels) == {frozenset({0, 1, 3, 5}), frozenset({2}), frozenset({4})}
    everyone = replace(tracks, must_link=np.array(chain, np.int32))
    assert CalibratedLinkage(6).cluster(everyone, None).labels.tolist() == labels.tolist()


def test_must_links_that_agree_change_nothing() -> None:
    tracks, person = cast(CAST)
    same = np.flatnonzero(person == 0)
    free, held = cluster(tracks), linked(tracks, must_link=[(same[0], same[1]), (same[0], same[2])])
    np.testing.assert_array_equal(free.labels, held.labels)
    np.testing.assert_allclose(free.confidence, held.confidence)


def test_must_linked_attach_only_track_joins_or_founds_a_character() -> None:
    tracks, person = cast([6, 5, 3])
    attach_only = person == 2
    first, second, third = np.flatnonzero(attach_only)
    member = int(np.flatnonzero(person == 1)[0])
    assert (cluster(with_attach_only(tracks, attach_only)).labels[attach_only] == -1).all()
    joined = linked(
        with_attach_only(tracks, attach_only),
        must_link=[(first, member)],
        cannot_link=[(member, first)],
    )
    assert joined.labels[first] == joined.labels[member] >= 0
    made = linked(with_attach_only(tracks, attach_only), must_link=[(first, second)])
    assert made.labels[first] == made.labels[second] >= 0
    assert partition(made.labels) == partition(person), (
        "the third attach_only track joins the other two by itself"
    )
    assert made.labels[third] == made.labels[first]
    alone = linked(with_attach_only(tracks, attach_only), must_link=[(first, first)])
    assert alone.labels[first] == -1, "linked with itself it is as attach_only as before"


@pytest.mark.parametrize("seed", range(4))
def test_confidence_is_low_for_a_track_between_two_people(seed: int) -> None:
    tracks, person = cast([5, 5, 4], seed)
    x = tracks.require_embeddings()
    mixed = np.flatnonzero(person == 0)[0]
    sides = [x[np.isin(tracks.track_of, np.flatnonzero(person == p))].mean(axis=0) for p in (0, 1)]
    x = x.copy()
    rows = tracks.track_of == mixed
    x[rows] = (sides[0] + sides[1]) / 2 + (x[rows] - x[rows].mean(axis=0))
    found = cluster(replace(tracks, embeddings=x))
    assert (found.confidence >= 0).all()
    assert (found.confidence <= 1).all()
    others = np.delete(np.arange(14), mixed)
    assert found.confidence[mixed] < found.confidence[others].min()
    assert found.confidence[others].min() > 0.9
    first, second = found.labels[person == 1][0], found.labels[np.flatnonzero(person == 0)[1]]
    assert {found.labels[mixed], found.runner_up[mixed]} >= {first, second} - {found.labels[mixed]}


def hard(seed: int) -> tuple[TrackSet, np.ndarray]:
    tracks, person = cast([7, 5, 4, 3], seed, noise=1.4)
    rng = np.random.default_rng(seed)
    links = rng.integers(19, size=(12, 2)).astype(np.int32)
    attach_only = rng.random(19) < 0.2
    return replace(
        tracks,
        cannot_link=links[person[links[:, 0]] != person[links[:, 1]]],
        attach_only=attach_only,
    ), person


@pytest.mark.parametrize("seed", range(6))
def test_result_is_independent_of_track_order(seed: int) -> None:
    tracks, _ = hard(seed)
    order = np.random.default_rng(seed).permutation(19)
    one, other = cluster(tracks), cluster(tracks.subset(order))
    back = np.argsort(order)
    assert partition(other.labels[back]) == partition(one.labels)
    np.testing.assert_allclose(other.confidence[back], one.confidence, atol=1e-5)
    assert [item.kind for item in other.review_items] == [item.kind for item in one.review_items]
    np.testing.assert_allclose(
        [item.probability for item in other.review_items],
        [item.probability for item in one.review_items],
        atol=1e-6,
    )


def test_result_is_deterministic() -> None:
    tracks, _ = hard(0)
    one, again = cluster(tracks), cluster(tracks)
    for name in ("labels", "confidence", "runner_up"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert one.review_items == again.review_items
    assert one.facts == again.facts


def test_tracks_are_not_changed() -> None:
    tracks, _ = hard(1)
    before = tracks.require_embeddings().copy(), tracks.cannot_link.copy()
    cluster(tracks)
    np.testing.assert_array_equal(tracks.require_embeddings(), before[0])
    np.testing.assert_array_equal(tracks.cannot_link, before[1])


def test_a_thousand_tracks_take_seconds() -> None:
    """About half a second of one core; the bound leaves room for slow and busy machines."""
    tracks, person = cast([120] * 3 + [40] * 12 + [12] * 15, crops=4, noise=0.8)
    rng = np.random.default_rng(0)
    links = rng.integers(tracks.n_tracks, size=(800, 2)).astype(np.int32)
    attach_only = rng.random(tracks.n_tracks) < 0.15
    film = replace(
        tracks,
        cannot_link=links[person[links[:, 0]] != person[links[:, 1]]],
        attach_only=attach_only,
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
    assert bcubed(person, found.labels).f > 0.97


def test_chains_of_must_links_overrule_cannot_links() -> None:
    tracks = replace(
        cast([5])[0],
        must_link=np.array([[0, 1], [1, 2], [3, 3]], np.int32),
        cannot_link=np.array([[2, 0], [0, 3], [3, 4]], np.int32),
    )
    must_link, cannot_link = resolve_links(tracks)
    assert must_link.tolist() == [[0, 1], [1, 2]]
    assert cannot_link.tolist() == [[0, 3], [3, 4]]


@pytest.mark.parametrize("seed", range(6))
def test_the_cut_is_that_of_the_highest_silhouette_over_probabilities(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even odds are the expected distance within a person, and cannot-links bound the cut."""
    tracks, person = cast([7, 5, 4, 3], seed, noise=0.9)
    link = np.array([np.flatnonzero(person == k)[0] for k in (0, 1)])
    attach_only = np.zeros(19, np.bool_)
    attach_only[[2, 9]] = True
    tracks = replace(
        tracks, cannot_link=link[None].astype(np.int32), attach_only=attach_only & (person != 0)
    )
    anchors = tracks.anchors()
    log_odds = pairwise_evidence(tracks, None, anchors).log_odds[np.ix_(anchors, anchors)]
    links = (
        np.array([[np.flatnonzero(anchors == t)[0] for t in link]])
        if (np.isin(link, anchors).all())
        else np.empty((0, 2), np.int64)
    )
    tree = constrained_average_linkage(log_odds, links)
    cut = select_cut(tree, expit(log_odds), 0.5, links)
    given: list[np.ndarray] = []

    def spy(tree: object, scores: object, distance: float, cannot: np.ndarray, *rest: object):
        given.append(cannot)
        return select_cut(tree, scores, distance, cannot, *rest)

    monkeypatch.setattr("personae.cluster.calibrated_linkage.select_cut", spy)
    options = LinkageOptions(refinement=False, attaching=False)
    found = CalibratedLinkage(options=options).cluster(tracks, None).labels
    np.testing.assert_array_equal(given[0], links)
    assert partition(found[anchors]) == partition(cut)
