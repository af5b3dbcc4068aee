"""Simulated casts with clothes: who wears what, when, beside whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from personae.core.grouping import unit_rows
from personae.core.trackset import TrackSet

N_COLOURS = 64
"""Bins of the simulated histograms."""


def outfit_colours(n_outfits: int, seed: int = 0) -> np.ndarray:
    """Return (n_outfits, N_COLOURS) histograms of a few main colours each."""
    return np.random.default_rng(seed).dirichlet(np.full(N_COLOURS, 0.08), n_outfits)


def dress(
    tracks: TrackSet,
    outfit: np.ndarray,
    seconds_apart: float = 2.0,
    variety: float = 0.02,
    seed: int = 0,
) -> TrackSet:
    """Return tracks in clothes, one after another in time.

    Args:
        tracks: T tracks.
        outfit: (T,) what each track wears; -1: no clothes are visible.
        seconds_apart: Time between the beginnings of two successive tracks.
        variety: How far the colours of one outfit change from crop to crop; folds and light.
        seed: Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    worn = outfit[tracks.track_of]
    colours = outfit_colours(int(outfit.max(initial=0)) + 1)[worn]
    noise = rng.dirichlet(np.full(N_COLOURS, 0.3), tracks.n_crops)
    clothes = np.where(worn[:, None] >= 0, (1 - variety) * colours + variety * noise, 0.0)
    times = seconds_apart * tracks.track_of + 0.8 * seconds_apart * rng.random(tracks.n_crops)
    crops = replace(
        tracks.crops, clothes=clothes.astype(np.float32), times_s=times.astype(np.float32)
    )
    return replace(tracks, crops=crops)


def blur_faces(tracks: TrackSet, is_blurred: np.ndarray, amount: float = 0.18) -> TrackSet:
    """Return tracks of which some, given as a (T,) mask, have poor faces."""
    x = tracks.require_embeddings()
    noise = np.random.default_rng(0).normal(0, amount, (tracks.n_tracks, x.shape[1]))
    blurred = unit_rows(x + (noise * is_blurred[:, None])[tracks.track_of])
    return replace(tracks, embeddings=blurred.astype(np.float32))


def seen_together(person: np.ndarray, n_pairs: int, seed: int = 0) -> np.ndarray:
    """Return (n_pairs, 2) cannot-links between tracks of two people, near each other in time."""
    a, b = np.triu_indices(len(person), 1)
    different = np.flatnonzero((person[a] != person[b]) & (b - a <= 4))
    chosen = np.random.default_rng(seed).choice(different, n_pairs, replace=False)
    return np.column_stack([a[chosen], b[chosen]]).astype(np.int32)
