"""Scores of all pairs of tracks, drawn from known components, without any face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def people_of(sizes: Sequence[int]) -> np.ndarray:
    """Return (T,) people, the first `sizes[0]` tracks of person 0, and so on."""
    return np.repeat(np.arange(len(sizes)), sizes)


def draw_scores(
    person: np.ndarray,
    same: tuple[float, float],
    different: tuple[float, float],
    lookalike: tuple[float, float] = (0.0, 1.0),
    lookalikes: Sequence[tuple[int, int]] = (),
    seed: int = 0,
) -> np.ndarray:
    """Draw the symmetric scores of the pairs of tracks.

    Args:
        person: (T,) person of each track.
        same: Mean and standard deviation of the scores of one person.
        different: The same of two people.
        lookalike: The same of two people who resemble each other.
        lookalikes: Pairs of people who do.
        seed: Of the random numbers.

    Returns:
        (T, T) with 1 on the diagonal.
    """
    rng = np.random.default_rng(seed)
    shape = (len(person), len(person))
    kinds = np.where(person[:, None] == person, 0, 1)
    for a, b in lookalikes:
        kinds[np.ix_(person == a, person == b)] = kinds[np.ix_(person == b, person == a)] = 2
    drawn = np.choose(kinds, [rng.normal(*one, shape) for one in (same, different, lookalike)])
    scores = np.triu(drawn, 1)
    return scores + scores.T + np.eye(len(person))
