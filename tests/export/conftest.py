"""Synthetic films at every kind of rate, with and without a start offset."""

from __future__ import annotations

import pytest

from helpers.rated_film import RATES, VARIABLE, RatedFilm, rated_film

ALL_RATES = {**RATES, "variable, from 0.1 s": VARIABLE}


@pytest.fixture(scope="session", params=list(ALL_RATES))
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RatedFilm:
    folder = tmp_path_factory.mktemp("rated") / "film.personae"
    return rated_film(folder, ALL_RATES[request.param], duration_s=30.0, names={"P02": "Hamlet"})


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> RatedFilm:
    folder = tmp_path_factory.mktemp("long") / "film.personae"
    rate = RATES["23.976"]
    return rated_film(folder, rate, duration_s=7200.0, shots=300, face_step=100_000)
