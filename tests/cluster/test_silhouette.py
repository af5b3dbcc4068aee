"""The incremental silhouette against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.silhouette import plain_silhouette
from personae.cluster.silhouette import IncrementalSilhouette

EXPECTED_DISTANCE = 0.4


@pytest.mark.parametrize("seed", range(6))
def test_incremental_silhouette_matches_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 3))
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    groups = IncrementalSilhouette(1 - distances, EXPECTED_DISTANCE, np.arange(30) % 4)
    for _ in range(25):
        members = np.flatnonzero(groups.labels == rng.choice(groups.labels))
        if rng.random() < 0.7 and len(members) > 1:
            leaving = rng.choice(members, size=rng.integers(1, len(members)), replace=False)
            before = groups.silhouette()
            split = groups.propose_split(leaving)
            assert groups.silhouette() == before, "a proposal changes nothing"
            groups.apply_split(split)
            assert groups.silhouette() == pytest.approx(split.silhouette, abs=1e-9)
        elif groups.n_groups > 2:
            a, b = rng.choice(np.unique(groups.labels), size=2, replace=False)
            groups.merge(*(int(np.flatnonzero(groups.labels == g)[0]) for g in (a, b)))
        assert groups.n_groups == len(set(groups.labels.tolist()))
        assert groups.silhouette() == pytest.approx(
            plain_silhouette(distances, groups.labels, EXPECTED_DISTANCE), abs=1e-5
        )


@pytest.mark.parametrize("seed", range(3))
def test_nearest_groups_are_found_chunk_by_chunk(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("personae.cluster.silhouette.ROW_CHUNK", 7)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 3))
    distances = np.linalg.norm(x[:, None] - x[None], axis=2)
    groups = IncrementalSilhouette(1 - distances, EXPECTED_DISTANCE, np.arange(40) % 5)
    expected = plain_silhouette(distances, groups.labels, EXPECTED_DISTANCE)
    assert groups.silhouette() == pytest.approx(expected, abs=1e-5)


def test_one_group_has_silhouette_minus_one() -> None:
    groups = IncrementalSilhouette(np.eye(3), EXPECTED_DISTANCE, np.zeros(3, np.int64))
    assert groups.silhouette() == -1.0
