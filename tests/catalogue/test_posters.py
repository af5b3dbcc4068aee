"""Posters: a frame of the film that shows its leading characters."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.copied_film import encode_rated_film
from helpers.rated_film import RATES, RatedFilm, rated_film
from personae.catalogue.web.posters import POSTER_WIDTH, choose_poster, make_poster, rate_moment
from personae.export.appearances import Box
from personae.stills.choice import StillChoice

RATE = RATES["23.976"]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[RatedFilm, Path]:
    """A film of four seconds, each of whose frames is grey by its number, with its project."""
    folder = tmp_path_factory.mktemp("film")
    path = folder / "film.mp4"
    encode_rated_film(path, RATE, RATE.pts(round(4 * RATE.rate))[:-1], sound_start_s=None)
    return rated_film(folder / "film.personae", RATE, duration_s=4, shots=2, film=path), path


def still(character: str, quality: float) -> StillChoice:
    return StillChoice(character, None, 0, 0, 7, 7, 0.3, Box(0, 0, 9, 9), quality)


def test_a_poster_shows_its_character_well_and_others_beside() -> None:
    screen_time = {"P01": 100.0, "P02": 64.0, "P03": 4.0}

    def rate(character: str, quality: float, *present: str) -> float:
        return rate_moment(still(character, quality), {character, *present}, screen_time)

    assert rate("P01", 0.8) > rate("P01", 0.7)
    assert rate("P01", 0.7, "P02") > rate("P01", 0.8)
    assert rate("P01", 0.8, "P02") > rate("P01", 0.8, "P03") > rate("P01", 0.8)
    assert rate("P01", 0.8) > rate("P03", 0.9)
    assert rate("P01", 0.9) > rate("P01", 0.3, "P02", "P03"), "a blurred group is no poster"


def test_a_poster_is_the_frame_that_was_chosen_as_a_small_jpeg(
    film: tuple[RatedFilm, Path],
) -> None:
    made, path = film
    chosen = choose_poster(made.project)
    poster = make_poster(path, made.project.folder)
    assert chosen is not None
    assert poster is not None
    picture = cv2.imdecode(np.frombuffer(poster, np.uint8), cv2.IMREAD_COLOR)
    assert picture.mean() == pytest.approx(chosen.frame * 7 % 256, abs=4)
    assert picture.shape[1] == POSTER_WIDTH


def test_a_film_that_cannot_be_read_has_no_poster(
    film: tuple[RatedFilm, Path], tmp_path: Path
) -> None:
    made, path = film
    broken = tmp_path / "film.mp4"
    broken.write_bytes(b"no film")
    assert make_poster(broken, made.project.folder) is None
    folder = shutil.copytree(made.project.folder, tmp_path / "damaged.personae")
    (folder / "project.json").write_text("{")
    assert make_poster(path, folder) is None
