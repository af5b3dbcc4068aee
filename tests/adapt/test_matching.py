"""Coarse track matching against the densities of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf

from helpers.adaptation_inputs import embedding_tracks
from personae.adapt.matching import (
    MIN_COVARIANCE_CROPS,
    OUTLIER_SHARE,
    PCA_COMPONENTS,
    find_coarse_matches,
)


def test_matches_are_those_of_the_papers_densities() -> None:
    """pdf_j(mean X_k) >= mean of the lowest quarter of pdf_j over j's own crops."""
    tracks = embedding_tracks(n_people=2, tracks_each=3, crops=8, dim=4)
    x = tracks.require_embeddings().astype(np.float64)
    expected = set()
    for j in range(6):
        own = x[tracks.track_of == j]
        pdf = multivariate_normal(own.mean(axis=0), ledoit_wolf(own)[0] + 1e-9 * np.eye(4)).pdf
        threshold = np.sort(pdf(own))[:2].mean()
        expected |= {
            (j, k)
            for k in range(6)
            if k != j and pdf(x[tracks.track_of == k].mean(axis=0)) >= threshold
        }
    found = find_coarse_matches(x, tracks.members(), np.arange(6), space="raw")
    assert {tuple(pair) for pair in found.tolist()} == expected
    assert expected, "the example must have matches to tell anything"


@pytest.mark.parametrize(("position", "is_match"), [(4.44, True), (4.50, False)])
def test_the_threshold_is_the_mean_density_of_the_lowest_quarter(
    position: float, is_match: bool
) -> None:
    """Paper, Sec. 3.5: "the 25 % of the crops with the lowest p_i"; "mean(p_i)".

    Eight crops on a line, of mean 0 and variance 9.5. The two of lowest density are at -5 and 4, so
    the threshold is reached at sqrt(-19 log((exp(-25/19) + exp(-16/19)) / 2)) = 4.47. One or three
    outliers would move it to 5 or 4.31, the mean of the logarithms to 4.53.
    """
    assert OUTLIER_SHARE == 0.25
    own = np.array([-5.0, -3, -2, -1, 1, 2, 4, 4])
    x = np.append(own, position)[:, None]
    members = [np.arange(8), np.array([8])]
    found = find_coarse_matches(x, members, np.arange(2), space="raw")
    assert ([0, 1] in found.tolist()) == is_match


def test_outliers_are_rounded_up_to_whole_crops() -> None:
    """Five crops have two outliers: with one, the threshold would be reached at 3, not at 2.63."""
    own = np.array([-3.0, -1, 0, 2, 2])
    members = [np.arange(5), np.array([5])]
    densities = np.exp(-(own**2) / (2 * own.var()))
    edge = np.sqrt(-2 * own.var() * np.log(np.sort(densities)[:2].mean()))
    for position, is_match in ((edge - 0.02, True), (edge + 0.02, False)):
        x = np.append(own, position)[:, None]
        found = find_coarse_matches(x, members, np.arange(2), space="raw")
        assert ([0, 1] in found.tolist()) == is_match


def test_tracks_of_fewer_than_three_crops_have_the_pooled_covariance() -> None:
    assert MIN_COVARIANCE_CROPS == 3
    rng = np.random.default_rng(1)
    sizes = [2, 3, 12, 12]
    groups = [rng.normal(size=(n, 2)) * [1.0, 0.2] + rng.normal(size=2) for n in sizes]
    residuals = np.concatenate([group - group.mean(axis=0) for group in groups])
    pooled = residuals.T @ residuals / len(residuals)
    members = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])

    def expected(min_crops: int, candidates: np.ndarray) -> list[list[bool]]:
        rows = []
        for own in groups[:2]:
            covariance = pooled if len(own) < min_crops else ledoit_wolf(own)[0]
            covariance = covariance + 1e-9 * np.eye(2)
            pdf = multivariate_normal(own.mean(axis=0), covariance).pdf
            rows.append([bool(pdf(x) >= pdf(own).min()) for x in candidates])
        return rows

    candidates = rng.normal(size=(300, 2))
    assert expected(2, candidates)[0] != expected(3, candidates)[0]
    assert expected(4, candidates)[1] != expected(3, candidates)[1]
    found = []
    for candidate in candidates:
        x = np.concatenate([*groups, candidate[None]])
        with_candidate = [*members, np.array([sum(sizes)])]
        pairs = find_coarse_matches(x, with_candidate, np.arange(5), space="raw").tolist()
        found.append([[0, 4] in pairs, [1, 4] in pairs])
    assert np.array(found).T.tolist() == expected(3, candidates)


def test_matches_join_tracks_of_one_person() -> None:
    tracks = embedding_tracks(tracks_each=6, crops=8, track_spread=0.1)
    found = find_coarse_matches(tracks.require_embeddings(), tracks.members(), np.arange(18))
    assert len(found) > 10
    assert (found[:, 0] % 3 == found[:, 1] % 3).mean() > 0.95


def test_the_default_space_is_a_pca_of_four_components() -> None:
    """Measured, videoclusternet.md, section 4: "joint PCA with 4 components over all crops"."""
    assert PCA_COMPONENTS == 4
    tracks = embedding_tracks(tracks_each=6, crops=8, track_spread=0.1)
    x, members = tracks.require_embeddings().astype(np.float64), tracks.members()
    axes = np.linalg.svd(x - x.mean(axis=0))[2][:4]
    by_hand = find_coarse_matches((x - x.mean(axis=0)) @ axes.T, members, np.arange(18), "raw")
    found = find_coarse_matches(x, members, np.arange(18))
    assert found.tolist() == by_hand.tolist()
    for other in (3, 5):
        assert (
            found.tolist()
            != find_coarse_matches(x, members, np.arange(18), n_components=other).tolist()
        )


def test_only_the_given_tracks_match() -> None:
    tracks = embedding_tracks(tracks_each=6, crops=8, track_spread=0.1)
    some = np.array([0, 3, 4, 7, 9])
    found = find_coarse_matches(tracks.require_embeddings(), tracks.members(), some)
    assert len(found)
    assert set(found.ravel().tolist()) <= set(some.tolist())
    one = find_coarse_matches(tracks.require_embeddings(), tracks.members(), some[:1])
    assert one.shape == (0, 2)


def test_a_tsne_plane_is_deterministic() -> None:
    tracks = embedding_tracks(tracks_each=3, crops=6, track_spread=0.1)
    x, members = tracks.require_embeddings(), tracks.members()
    first, again = (find_coarse_matches(x, members, np.arange(9), "tsne", seed=3) for _ in "ab")
    np.testing.assert_array_equal(first, again)
    assert ((first >= 0) & (first < 9)).all()
