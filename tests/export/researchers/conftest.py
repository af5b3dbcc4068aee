from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from helpers.fake_film import NamedProject, fake_film
from helpers.rated_film import RATES, VARIABLE, FilmRate, rated_film

TIMINGS: dict[str, FilmRate] = {
    **RATES,
    "12.5 in a coarse time base": FilmRate(Fraction(25, 2), Fraction(1, 100)),
    "variable": VARIABLE,
}


WITH_GAPS = {"25 from 1.4 s": 3}
"""Film -> every how many frames its tracks have a box."""


@pytest.fixture(params=[*TIMINGS, "interpolated boxes, unknown tracks"])
def film(request: pytest.FixtureRequest, tmp_path: Path) -> NamedProject:
    """A film of each timing, one with gaps in its tracks, and one with interpolated boxes."""
    names = {"P01": "Ann <The Hat> & Söhne", "P02": "Zoë"}
    if request.param not in TIMINGS:
        return fake_film(tmp_path / "film", names=names, duration=20.0, name="A film.cut.mp4")
    rate = TIMINGS[request.param]
    return rated_film(
        tmp_path / "film",
        rate,
        duration_s=6,
        shots=4,
        names=names,
        confidences=(0.9, 0.6),
        face_step=WITH_GAPS.get(request.param, 1),
    ).project


@pytest.fixture
def plain_film(tmp_path: Path) -> NamedProject:
    return fake_film(tmp_path / "film", names={"P01": "Ann", "P03": "Zoë"}, duration=20.0)
