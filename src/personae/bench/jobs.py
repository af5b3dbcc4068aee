"""A piece of the benchmark's work: methods that share a data set, a seed and an adaptation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.bench.methods import Method, method
from personae.bench.networks import (
    Networks,
    adaptation_of,
    encoder_of,
    first_iterations,
    with_embeddings,
)
from personae.bench.result_cache import CachedResult, Store, adaptation_key, result_key
from personae.bench.task import Task
from personae.core.hooks import Hook, silent
from personae.datasets.labelled import LabelledTracks

if TYPE_CHECKING:
    from personae.adapt import Adaptation


@dataclass(frozen=True)
class BenchmarkJob:
    """Methods that share a data set, a seed and an adaptation; the piece of work that one process does."""

    data: LabelledTracks
    seed: int
    names: tuple[str, ...]
    networks: Networks
    cache: Path
    threads: int


def jobs_of(
    data: LabelledTracks,
    chosen: Sequence[Method],
    seeds: int,
    networks: Networks,
    cache: Path,
    threads: int,
) -> Iterator[BenchmarkJob]:
    for seed in range(seeds):
        groups: dict[str | None, list[str]] = {}
        for each in chosen:
            if seed and not each.seeded:
                continue  # seed 0 speaks for all
            key = adaptation_key(data, each, _weights(data, each, networks), seed)
            groups.setdefault(key, []).append(each.name)
        for key, names in groups.items():
            # methods that share nothing are pieces of their own, for processes to take
            pieces = [tuple(names)] if key is not None else [(name,) for name in names]
            for piece in pieces:
                yield BenchmarkJob(data, seed, piece, networks, cache, threads)


def _weights(data: LabelledTracks, each: Method, networks: Networks) -> str | None:
    encoder = encoder_of(data, each.encoder, networks)
    return None if encoder is None else networks.sha256(encoder)


def key_of(data: LabelledTracks, each: Method, networks: Networks, seed: int) -> str:
    return result_key(data, each, _weights(data, each, networks), seed, longest_tracks(data))


def lines_of(unit: BenchmarkJob, seeds: int) -> int:
    """How many results a unit stands for: one of a method without randomness counts for every seed."""
    return sum(1 if method(name).seeded else seeds for name in unit.names)


def work_apart(unit: BenchmarkJob) -> list[str]:
    """Do a unit in a process of its own."""
    return list(work(unit, Store(unit.cache), silent))


def work(unit: BenchmarkJob, store: Store, hook: Hook) -> Iterator[str]:
    """Run a unit's methods one after the other, keeping each result; gives their names."""
    from personae.core.compute import choose_device, prepare_torch

    prepare_torch(
        unit.threads
    )  # for every unit: what ran before it may have changed the processor's flags
    chosen = [method(name) for name in unit.names]
    data = with_embeddings(
        unit.data,
        encoder_of(unit.data, chosen[0].encoder, unit.networks),
        unit.networks,
        unit.cache,
        hook,
    )
    adaptation = _adaptation(unit, data, chosen, hook)
    labelled = longest_tracks(data)
    for each in chosen:
        used, adapt_seconds = None, 0.0 if adaptation is None else None
        if adaptation is not None and each.adapt is not None:
            used, adapt_seconds = first_iterations(adaptation, each.adapt.iterations)
        started = time.perf_counter()
        labels = each.fit(Task(data.tracks, used, data.n_people, labelled, unit.seed))
        seconds = time.perf_counter() - started
        saved = CachedResult(
            dataset=data.name,
            method=each.name,
            seed=unit.seed if each.seeded else None,
            labels=labels.tolist(),
            seconds=round(seconds, 4),
            adapt_seconds=None if adapt_seconds is None else round(adapt_seconds, 4),
            device=choose_device(unit.networks.device),
            settings=each.settings,
        )
        store.save(key_of(unit.data, each, unit.networks, unit.seed), saved)
        yield each.name


def _adaptation(
    unit: BenchmarkJob, data: LabelledTracks, chosen: list[Method], hook: Hook
) -> Adaptation | None:
    """Adapt once for all methods of a unit, as long as the longest of them asks for."""
    configs = [each.adapt for each in chosen if each.adapt is not None and each.adapt.iterations]
    if not configs or not data.tracks.n_crops:
        return None
    longest = max(configs, key=lambda config: config.iterations)
    encoder = encoder_of(data, chosen[0].encoder, unit.networks)
    folder = adaptation_folder(unit.data, chosen[0], unit.networks, unit.seed, unit.cache)
    network = None if encoder is None else unit.networks.load(encoder)
    return adaptation_of(
        data, network, longest.model_copy(update={"seed": unit.seed}), folder, hook
    )


def adaptation_folder(
    data: LabelledTracks, each: Method, networks: Networks, seed: int, cache: Path
) -> Path:
    key = adaptation_key(data, each, _weights(data, each, networks), seed)
    return cache / f"adapt-{(key or '')[:24]}"


def longest_tracks(data: LabelledTracks) -> dict[int, int]:
    """Give the person of one track a person, that of most frames: what a semi-supervised method is told."""
    chosen: dict[int, int] = {}
    for person in np.unique(data.truth[data.truth >= 0]).tolist():
        own = np.flatnonzero(data.truth == person)
        chosen[int(own[np.argmax(data.frames[own])])] = person
    return chosen
