"""As many workers as memory and cores bear."""

from __future__ import annotations

import pytest

from personae.catalogue.worker_plan import FILM_MEMORY_BYTES, Machine, plan_workers

GIB = 1 << 30


@pytest.mark.parametrize(
    ("machines", "wanted", "workers", "threads"),
    [
        ([Machine(2, 24 * GIB)], None, 2, 1),
        ([Machine(16, 4 * FILM_MEMORY_BYTES)], None, 4, 4),
        ([Machine(4, GIB)], None, 1, 4),  # too little memory: one at least
        ([Machine(8, 64 * GIB), Machine(8, 64 * GIB)], None, 16, 1),
        ([Machine(8, 64 * GIB), Machine(8, 2 * FILM_MEMORY_BYTES)], None, 10, 1),
        ([Machine(0, GIB), Machine(2, 24 * GIB)], None, 2, 1),  # a head without work
        ([Machine(16, 64 * GIB)], 4, 4, 4),
        ([Machine(2, 24 * GIB)], 5, 5, 1),
        ([Machine(4, 64 * GIB), Machine(32, 64 * GIB)], 2, 2, 4),  # fits the smaller one
    ],
)
def test_plan(machines, wanted, workers, threads):
    plan = plan_workers(machines, wanted)
    assert (plan.workers, plan.threads) == (workers, threads)


def test_a_small_machine_gets_its_worker_all_the_same():
    assert plan_workers([Machine(4, GIB)]).memory_bytes == GIB


def test_workers_share_the_gpus():
    assert plan_workers([Machine(8, 64 * GIB, gpus=2)]).gpus == 0.25
    assert plan_workers([Machine(1, 64 * GIB, gpus=8)]).gpus == 1.0
