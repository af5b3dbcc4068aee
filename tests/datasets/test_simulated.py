"""Simulated features."""

from __future__ import annotations

import numpy as np

from helpers.episodes import save_episode_npz
from personae.datasets import load_dataset


def test_simulated_features_are_marked_and_reproducible(context):
    names = (f"simulated?tracks=40&seed={seed}" for seed in (1, 1, 2))
    one, again, other = (load_dataset(name, context) for name in names)
    assert one.simulated
    assert "simulated" in one.title
    assert one.digest == again.digest != other.digest
    assert one.tracks.n_tracks == 40
    assert one.n_people == 8


def test_more_noise_separates_people_less(context):
    def margin(noise: float) -> float:
        data = load_dataset(f"simulated?noise={noise}", context)
        x = data.tracks.embeddings - data.tracks.embeddings.mean(axis=0)
        means = np.stack([x[own].mean(axis=0) for own in data.tracks.members()])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        same = data.truth[:, None] == data.truth
        np.fill_diagonal(same, False)
        alike = means @ means.T
        return alike[same].mean() - alike[~same].mean()

    assert margin(0.5) > margin(2) > margin(6)


def test_simulated_tracks_of_one_shot_are_different_people(context):
    data = load_dataset("simulated?tracks=200", context)
    a, b = data.tracks.cannot_link.T
    assert len(a)
    assert (data.truth[a] != data.truth[b]).all()


def test_features_are_simulated_on_real_tracks(tmp_path, context):
    episode = save_episode_npz(tmp_path / "bbt_s09e09.npz")
    data = load_dataset(f"simulated:{episode}?labels=first", context)
    assert data.simulated
    assert data.frame_counts.tolist() == [30, 15, 40]
    assert np.bincount(data.tracks.track_of).tolist() == [5, 5, 5]
    assert data.tracks.cannot_link.tolist() == [[0, 1]]
