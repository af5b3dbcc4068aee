"""The evidence across films is calibrated on the catalogue, and links hold as law."""

from __future__ import annotations

import json

import numpy as np
import pytest

from personae.catalogue.people.evidence import CatalogueEvidence, choose_seeds, fit_evidence
from personae.catalogue.people.grouping import Group, merge_groups
from personae.core.arrays import Float32Array, Int64Array
from personae.metrics.clustering import bcubed

DIM = 96


def simulate(
    n_films: int, n_people: int, noise: float, seed: int = 0
) -> tuple[Float32Array, Int64Array, Int64Array]:
    """Return vectors of characters, their films, and who they are; ten characters a film."""
    rng = np.random.default_rng(seed)
    people, offset = rng.normal(size=(n_people, DIM)), 0.5 * rng.normal(size=DIM)
    truth = np.concatenate([rng.choice(n_people, 10, replace=False) for _ in range(n_films)])
    rows = people[truth] + offset + noise * rng.normal(size=(len(truth), DIM))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), np.repeat(np.arange(n_films), 10), truth


def link(vectors: Float32Array, films: Int64Array, evidence: CatalogueEvidence) -> Int64Array:
    """Return (n,) groups, from all pairs as candidates."""
    centred = evidence.centre(vectors)
    groups = [Group(centred[[i]], frozenset([int(films[i])])) for i in range(len(films))]
    pairs = [(a, b) for a in range(len(films)) for b in range(a) if films[a] != films[b]]
    labels = np.arange(len(films))
    for merge in merge_groups(groups, pairs, evidence.of_characters):
        labels[labels == merge.gone] = merge.kept
    return labels


@pytest.mark.parametrize("noise", [0.6, 1.0])
def test_people_are_found_at_several_difficulties_without_a_threshold(noise: float) -> None:
    vectors, films, truth = simulate(20, 25, noise)
    labels = link(vectors, films, fit_evidence(vectors, films))
    assert bcubed(truth, labels).f > 0.97


def test_characters_of_films_that_share_nobody_stay_apart() -> None:
    vectors, films, _ = simulate(8, 1000, 0.8)
    labels = link(vectors, films, fit_evidence(vectors, films))
    assert len(set(labels.tolist())) > 0.95 * len(labels)


def test_log_odds_are_calibrated() -> None:
    vectors, films, truth = simulate(30, 40, 1.3)
    evidence = fit_evidence(vectors, films)
    centred = evidence.centre(vectors)
    log_odds = evidence.of_characters(centred, centred)
    other_film = np.triu(films[:, None] != films[None, :], 1)
    same = (truth[:, None] == truth[None, :])[other_film]
    for low, high, expected in ((-1.5, 0, 0.32), (0, 1.5, 0.68), (2.5, 9, 0.97)):
        there = (log_odds[other_film] >= low) & (log_odds[other_film] < high)
        assert same[there].mean() == pytest.approx(expected, abs=0.2)


def test_the_evidence_survives_being_stored() -> None:
    vectors, films, _ = simulate(10, 20, 0.8)
    evidence = fit_evidence(vectors, films, vectors)
    again = CatalogueEvidence.from_dict(json.loads(json.dumps(evidence.as_dict())))
    centred = evidence.centre(vectors)
    assert np.array_equal(
        evidence.of_characters(centred, centred), again.of_characters(centred, centred)
    )
    assert again.n_characters == len(vectors)


def test_the_sample_of_a_large_catalogue_is_bounded_and_spread_over_it() -> None:
    seeds = choose_seeds(list(range(0, 80_000, 2)))
    assert len(seeds) < 100
    assert (seeds[0], seeds[-1]) == (0, 79_998)
    assert choose_seeds([3, 5]) == [3, 5]


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
