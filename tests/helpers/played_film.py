"""A film of moving patches, in a container that browsers play and in one that they do not."""

from __future__ import annotations

from pathlib import Path

from helpers.copied_film import copy_streams
from helpers.patch_film import Patch, PatchFilm, patch_film

SHOTS = ((0, 150), (150, 300))
PATCHES = (
    Patch(0, 300, (20, 30), (0.5, 0.2), ((0, 100), (160, 300)), "P01"),
    Patch(50, 150, (260, 60), (-2.4, 0.3), ((50, 150),), "P02"),
    Patch(200, 260, (200, 10), (0.3, 0.0), ((200, 260),), None),
)
"""Tracks 0 and 1 are of P01, track 2 is of P02, and track 3 of nobody."""

START_S = 1.5
"""Time of the first frame in the file."""

DURATION_S = 12.0


def write_played_film(folder: Path) -> PatchFilm:
    """Write the film as MP4, with its project folder."""
    return patch_film(folder, PATCHES, SHOTS, start_pts=round(START_S * 12_800))


def write_unplayed_film(film: PatchFilm, folder: Path) -> PatchFilm:
    """Write the same film as Matroska, which browsers do not play, with its project folder."""
    return patch_film(folder, PATCHES, SHOTS, film=copy_streams(film.film, folder / "film.mkv"))
