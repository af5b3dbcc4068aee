"""The simulated cluster: hours follow the work until the storage or the database is the limit."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest

from helpers.paths import BENCHMARKS


@pytest.fixture
def simulation(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("catalogue_cluster")


@pytest.fixture
def boundless(simulation: Any) -> Any:
    """Ten workers, with a database and a storage that take no time."""
    return simulation.Cluster(10, 0.5, 0.0, 1e6, float("inf"))


def test_films_fill_the_workers_evenly(simulation, boundless):
    run = simulation.simulate(boundless, [3600.0] * 100)
    assert run.hours == pytest.approx(100 * 0.5 / 10)
    assert run.computing == pytest.approx(1.0)
    assert (run.database, run.storage) == (0.0, 0.0)


def test_one_film_is_no_quicker_on_many_workers(simulation, boundless):
    run = simulation.simulate(boundless, [3600.0])
    assert (run.hours, run.computing) == (pytest.approx(0.5), pytest.approx(0.1))


def test_a_slow_storage_is_the_limit(simulation, boundless):
    slow = replace(boundless, storage_bytes_per_s=1e6)  # the bytes of one second of film a second
    run = simulation.simulate(slow, [3600.0] * 100)
    assert run.hours == pytest.approx(100)
    assert run.storage == pytest.approx(1.0)


def test_too_many_signs_of_life_are_the_end(simulation, boundless):
    busy = replace(boundless, change_s=1.0)
    assert simulation.simulate(busy, [3600.0]).hours == float("inf")


def test_the_films_of_an_archive_have_its_length(simulation):
    films = simulation.draw_films(100, 1.5)
    assert len(films) == 67
    assert sum(films) == pytest.approx(100 * 3600)
    assert films == simulation.draw_films(100, 1.5)


def test_the_work_of_a_film_is_that_of_the_published_measurement(simulation):
    assert 0.1 < simulation.read_cpu_per_film_second() < 2
