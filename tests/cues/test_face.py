"""The face cue: whitening within tracks and centring on the film."""

from __future__ import annotations

import numpy as np
import pytest

import personae.cues.face as face_module
from helpers.cast import cast
from personae.core.grouping import unit_rows
from personae.core.trackset import TrackSet
from personae.cues.face import (
    FILM_MEAN_MAX_COSINE_DISTANCE,
    FILM_MEAN_PRIOR_IDENTITIES,
    MAX_SUBSAMPLED_TRACKS,
    film_centred_tracks,
    film_mean_embedding,
    subsample_tracks,
    wccn_whiten,
)


def test_the_film_mean_is_over_identities_and_shrunk_by_four() -> None:
    assert FILM_MEAN_PRIOR_IDENTITIES == 4.0
    a, b = np.eye(8)[:2]
    expected = (a + b) / (2 + 4)
    np.testing.assert_allclose(film_mean_embedding(np.stack([a, b])), expected)
    np.testing.assert_allclose(film_mean_embedding(np.stack([a] * 30 + [b])), expected)
    np.testing.assert_allclose(film_mean_embedding(a[None]), a / (1 + 4))


@pytest.mark.parametrize(("distance", "n_identities"), [(0.449, 1), (0.451, 2)])
def test_tracks_are_one_identity_up_to_a_cosine_distance_of_0_45(
    distance: float, n_identities: int
) -> None:
    assert FILM_MEAN_MAX_COSINE_DISTANCE == 0.45
    cosine = 1 - distance
    means = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]])
    total = means.sum(axis=0)
    expected = total / 2 / (1 + 4) if n_identities == 1 else total / (2 + 4)
    np.testing.assert_allclose(film_mean_embedding(means), expected)


@pytest.mark.parametrize(("third_deg", "is_joined"), [(72.0, False), (66.0, True)])
def test_identities_of_the_film_mean_are_formed_by_average_linkage(
    third_deg: float, is_joined: bool
) -> None:
    """Single linkage would join the first track in both cases, complete linkage in neither."""
    angles = np.deg2rad([0.0, 38.0, third_deg])
    means = np.column_stack([np.cos(angles), np.sin(angles)])
    d01, d12, d02 = (1 - np.cos(angles[j] - angles[i]) for i, j in ((0, 1), (1, 2), (0, 2)))
    assert d12 < d01 < 0.45 < d02
    assert ((d01 + d02) / 2 <= 0.45) == is_joined
    pair = means[1:].mean(axis=0)
    expected = means.mean(axis=0) / (1 + 4) if is_joined else (means[0] + pair) / (2 + 4)
    np.testing.assert_allclose(film_mean_embedding(means), expected)


def test_what_all_faces_of_a_film_share_is_removed() -> None:
    """Different people look less alike once the light that they share is subtracted."""
    tracks, person = cast([4] * 8)
    assert tracks.embeddings is not None
    lit = tracks.embeddings + 0.8 * np.eye(tracks.embeddings.shape[1], dtype=np.float32)[0]
    film = TrackSet(track_of=tracks.track_of, embeddings=lit)
    means = unit_rows(
        np.stack([lit[tracks.track_of == t].mean(axis=0) for t in range(tracks.n_tracks)])
    )
    different = person[:, None] != person
    vectors = film_centred_tracks(film)
    plain, centred = (means @ means.T)[different].mean(), (vectors @ vectors.T)[different].mean()
    assert plain > 0.3
    assert centred < plain / 2
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)


def test_whitening_and_centring_can_be_switched_off() -> None:
    tracks, _ = cast([4] * 4)
    crops = unit_rows(tracks.require_embeddings())

    def means(x: np.ndarray) -> np.ndarray:
        return unit_rows(np.stack([x[tracks.track_of == t].mean(axis=0) for t in range(16)]))

    plain = means(crops)
    np.testing.assert_allclose(film_centred_tracks(tracks, False, False), plain)
    np.testing.assert_allclose(
        film_centred_tracks(tracks, True, False), means(wccn_whiten(crops, tracks))
    )
    np.testing.assert_allclose(
        film_centred_tracks(tracks, False, True), unit_rows(plain - film_mean_embedding(plain))
    )


def test_directions_that_vary_within_tracks_count_less() -> None:
    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(200, dtype=np.int32), 5)
    x = rng.normal(size=(200, 4))[track_of] + rng.normal(size=(1000, 4)) * [2.0, 0.1, 0.1, 0.1]
    tracks = TrackSet(track_of=track_of, embeddings=x.astype(np.float32))
    whitened = wccn_whiten(x, tracks)
    residuals = (
        whitened - np.stack([whitened[track_of == t].mean(axis=0) for t in range(200)])[track_of]
    )
    spread = residuals.std(axis=0)
    assert spread.max() < 1.5 * spread.min()


def test_whitening_is_by_the_shrunk_covariance_within_tracks() -> None:
    """The covariance of n - T residuals, and of d further ones of their mean variance."""
    from scipy.linalg import fractional_matrix_power

    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(6, dtype=np.int32), 4)
    x = rng.normal(size=(24, 3)) * [1.0, 0.5, 0.2]
    residuals = x - np.stack([x[track_of == t].mean(axis=0) for t in range(6)])[track_of]
    scatter = residuals.T @ residuals
    variance = np.trace(scatter) / 3 / (24 - 6)
    covariance = (scatter + 3 * variance * np.eye(3)) / (24 - 6 + 3)
    tracks = TrackSet(track_of=track_of, embeddings=x.astype(np.float32))
    np.testing.assert_allclose(
        wccn_whiten(x, tracks), x @ fractional_matrix_power(covariance, -0.5), rtol=1e-8
    )


def test_tracks_of_one_crop_are_not_whitened() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4))
    tracks = TrackSet(track_of=np.arange(5, dtype=np.int32), embeddings=x.astype(np.float32))
    np.testing.assert_array_equal(wccn_whiten(x, tracks), x)


def test_at_most_2000_tracks_are_subsampled_evenly() -> None:
    assert MAX_SUBSAMPLED_TRACKS == 2000
    all_of_them = np.arange(2000)
    assert subsample_tracks(all_of_them) is all_of_them
    for n in (2001, 9999):
        picked = subsample_tracks(np.arange(n))
        assert len(picked) == 2000
        assert (picked[0], picked[-1]) == (0, n - 1)
        assert np.ptp(np.diff(picked)) <= 1


def test_statistics_of_a_long_film_hardly_depend_on_the_subsample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracks, _ = cast([30, 25, 20, 15, 10, 10, 8, 6])
    whole = film_centred_tracks(tracks)
    monkeypatch.setattr(face_module, "MAX_SUBSAMPLED_TRACKS", 25)
    part = film_centred_tracks(tracks)
    scores, from_part = whole @ whole.T, part @ part.T
    assert 0 < np.abs(scores - from_part).max() < 0.25
    assert np.abs(scores - from_part).mean() < 0.05
