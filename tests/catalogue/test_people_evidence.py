"""The evidence across films is calibrated on the catalogue, and links hold as law."""

from __future__ import annotations

import json

import numpy as np
import pytest

from personae.catalogue.people.evidence import (
    MAX_SEEDS,
    CatalogueEvidence,
    choose_seeds,
    expect_share,
    fit_evidence,
)
from personae.catalogue.people.grouping import Group, merge_groups
from personae.core.arrays import Float32Array, Int64Array
from personae.metrics.clustering import bcubed

DIM = 96


def simulate(
    n_films: int, n_people: int, noise: float, seed: int = 0, tracks: Int64Array | None = None
) -> tuple[Float32Array, Int64Array, Int64Array]:
    """Return vectors of characters, their films, and who they are; ten characters a film.

    `noise` is that of a character, or of a track where the number of tracks is given.
    """
    rng = np.random.default_rng(seed)
    people, offset = rng.normal(size=(n_people, DIM)), 0.5 * rng.normal(size=DIM)
    truth = np.concatenate([rng.choice(n_people, 10, replace=False) for _ in range(n_films)])
    lengths = noise / np.sqrt(np.ones(len(truth)) if tracks is None else tracks)
    rows = people[truth] + offset + lengths[:, None] * rng.normal(size=(len(truth), DIM))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), np.repeat(np.arange(n_films), 10), truth


def many(films: Int64Array) -> Int64Array:
    """Return (n,) the tracks of characters that are all equally well known."""
    return np.full(len(films), 20)


def link(
    vectors: Float32Array,
    films: Int64Array,
    evidence: CatalogueEvidence,
    tracks: Int64Array | None = None,
) -> Int64Array:
    """Return (n,) groups, from all pairs as candidates."""
    centred = evidence.centre(vectors, many(films) if tracks is None else tracks)
    groups = [Group(centred[[i]], frozenset([int(films[i])])) for i in range(len(films))]
    pairs = [(a, b) for a in range(len(films)) for b in range(a) if films[a] != films[b]]
    labels = np.arange(len(films))
    for merge in merge_groups(groups, pairs, evidence.of_characters):
        labels[labels == merge.gone] = merge.kept
    return labels


@pytest.mark.parametrize("noise", [0.6, 1.0])
@pytest.mark.parametrize("n_films", [4, 12, 30])
def test_people_are_found_at_several_sizes_and_difficulties_without_a_threshold(
    n_films: int, noise: float
) -> None:
    vectors, films, truth = simulate(n_films, 25, noise)
    labels = link(vectors, films, fit_evidence(vectors, films, many(films)))
    assert bcubed(truth, labels).f > 0.97


def test_characters_of_films_that_share_nobody_stay_apart() -> None:
    vectors, films, _ = simulate(8, 1000, 0.8)
    labels = link(vectors, films, fit_evidence(vectors, films, many(films)))
    assert len(set(labels.tolist())) > 0.95 * len(labels)


def test_people_of_few_tracks_are_found_and_do_not_pass_for_lookalikes() -> None:
    tracks = np.where(np.random.default_rng(3).random(400) < 0.5, 1, 30)
    vectors, films, truth = simulate(40, 60, 1.2, tracks=tracks)
    evidence = fit_evidence(vectors, films, tracks)
    labels = link(vectors, films, evidence, tracks)
    few = tracks == 1
    assert bcubed(truth, labels).f > 0.95
    assert bcubed(truth[few], labels[few]).f > 0.9
    one, thirty = evidence.characters.reliability([1, 30])
    assert one < thirty


def test_a_track_of_a_lookalike_is_told_by_the_strangers_of_one_film() -> None:
    # everybody has a sibling in the same films
    rng = np.random.default_rng(5)
    family = rng.normal(size=(30, DIM))
    people = np.concatenate([family, family]) + 0.9 * rng.normal(size=(60, DIM))
    casts = [rng.choice(30, 5, replace=False) for _ in range(20)]
    cast = np.concatenate([np.concatenate([c, c + 30]) for c in casts])
    vectors = people[cast] + 0.6 * rng.normal(size=(len(cast), DIM))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    films = np.repeat(np.arange(20), 10)
    evidence = fit_evidence(vectors, films, many(films))
    assert evidence.characters.lookalike_share > 0.02
    assert bcubed(cast, link(vectors, films, evidence)).precision > 0.97


def test_log_odds_are_calibrated() -> None:
    vectors, films, truth = simulate(30, 40, 1.3)
    evidence = fit_evidence(vectors, films, many(films))
    centred = evidence.centre(vectors, many(films))
    log_odds = evidence.of_characters(centred, centred)
    other_film = np.triu(films[:, None] != films[None, :], 1)
    same = (truth[:, None] == truth[None, :])[other_film]
    for low, high, expected in ((-1.5, 0, 0.32), (0, 1.5, 0.68), (2.5, 9, 0.97)):
        there = (log_odds[other_film] >= low) & (log_odds[other_film] < high)
        assert same[there].mean() == pytest.approx(expected, abs=0.12)


def test_what_is_certain_in_a_large_catalogue_is_less_so_in_a_small_one() -> None:
    vectors, films, _ = simulate(40, 60, 0.8)
    large = fit_evidence(vectors, films, many(films)).characters
    few = films < 2
    small = fit_evidence(vectors[few], films[few], many(films[few])).characters
    score, known = np.array([0.5], np.float32), np.array([0.95])
    assert small.log_likelihood_ratio(score, known) < large.log_likelihood_ratio(score, known) - 1


@pytest.mark.parametrize("n_films", [2, 3, 10])
def test_the_expected_share_of_one_person_falls_with_the_number_of_characters(n_films: int) -> None:
    small = expect_share(np.repeat(np.arange(n_films), 5))
    large = expect_share(np.repeat(np.arange(n_films), 50))
    assert small == pytest.approx(10 * large)
    assert small == pytest.approx(0.1)


def test_the_evidence_survives_being_stored() -> None:
    vectors, films, _ = simulate(10, 20, 0.8)
    faces = np.arange(len(vectors)), vectors
    evidence = fit_evidence(vectors, films, many(films), faces)
    again = CatalogueEvidence.from_dict(json.loads(json.dumps(evidence.as_dict())))
    centred, single = evidence.centre(vectors, many(films)), evidence.centre_faces(vectors)
    assert np.array_equal(
        evidence.of_characters(centred, centred), again.of_characters(centred, centred)
    )
    assert np.array_equal(evidence.of_faces(single, centred), again.of_faces(single, centred))
    assert again.n_characters == len(vectors)


def test_a_single_film_and_a_single_character_have_evidence_too() -> None:
    vectors, films, _ = simulate(1, 20, 0.8)
    for count in (1, 2, 10):
        evidence = fit_evidence(vectors[:count], films[:count], many(films[:count]))
        centred = evidence.centre(vectors[:count], many(films[:count]))
        assert np.isfinite(evidence.of_characters(centred, centred)).all()


def test_the_seeds_of_a_large_catalogue_are_bounded_and_spread_over_it() -> None:
    seeds = choose_seeds(40_000).tolist()
    assert len(seeds) == MAX_SEEDS
    assert (seeds[0], seeds[-1]) == (0, 39_999)
    assert choose_seeds(2).tolist() == [0, 1]


def one_vector(n: int) -> Float32Array:
    return np.tile(np.eye(1, DIM, dtype=np.float32), (n, 1))


def certain(one: Float32Array, other: Float32Array) -> Float32Array:
    return np.full((len(one), len(other)), 6.0, np.float32)


def test_two_characters_of_one_film_are_never_one_person_however_alike() -> None:
    groups = [Group(one_vector(1), frozenset([film])) for film in (1, 1, 2)]
    merges = merge_groups(groups, [(0, 1), (0, 2), (1, 2)], certain)
    assert [(one.kept, one.gone) for one in merges] == [(0, 2)]


def test_what_a_person_has_said_holds_against_all_evidence() -> None:
    def unlikely(one: Float32Array, other: Float32Array) -> Float32Array:
        return -certain(one, other)

    groups = [Group(one_vector(1), frozenset([1])) for _ in range(2)]
    assert len(merge_groups(groups, [], unlikely, must=[(0, 1)])) == 1
    groups = [Group(one_vector(1), frozenset([film])) for film in range(3)]
    groups[0].different.add(2)
    merges = merge_groups(groups, [(0, 1), (0, 2), (1, 2)], certain)
    assert len(merges) == 1, "0 and 2 may not meet by way of 1 either"


def test_two_confirmed_people_are_never_merged() -> None:
    groups = [Group(one_vector(1), frozenset([film]), fixed=film) for film in range(2)]
    assert merge_groups(groups, [(0, 1)], certain) == []


def test_the_evidence_of_a_merge_is_the_mean_over_all_pairs() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(1.0, 1.0, (4, 4))
    table = table + table.T

    def log_odds(one: Float32Array, other: Float32Array) -> Float32Array:
        return table[np.ix_(one.argmax(axis=1), other.argmax(axis=1))].astype(np.float32)

    eye = np.eye(4, DIM, dtype=np.float32)
    groups = [Group(eye[[i]], frozenset([i])) for i in range(4)]
    merges = merge_groups(groups, [(a, b) for a in range(4) for b in range(a)], log_odds)
    members = {i: [i] for i in range(4)}
    for one in merges:
        pairs = table[np.ix_(members[one.kept], members[one.gone])]
        assert one.log_odds == pytest.approx(pairs.mean(), abs=1e-5)
        members[one.kept] += members.pop(one.gone)
    assert merges
