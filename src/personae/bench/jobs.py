"""Benchmark jobs: methods that share a data set, a seed and an adaptation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.bench.methods import Method, resolve_method
from personae.bench.networks import (
    Networks,
    load_or_adapt,
    select_encoder,
    truncate_adaptation,
    with_embeddings,
)
from personae.bench.result_cache import CachedResult, ResultCache, adaptation_key, result_key
from personae.bench.task import Task
from personae.core.config import AdaptConfig
from personae.core.hooks import Hook, silent_hook
from personae.datasets.labelled import LabelledTracks

if TYPE_CHECKING:
    from personae.adapt import Adaptation


@dataclass(frozen=True)
class BenchmarkJob:
    """The work of one process: methods that share a data set, a seed and an adaptation."""

    data: LabelledTracks
    seed: int
    names: tuple[str, ...]
    """Names of the methods."""
    networks: Networks
    cache: Path
    threads: int
    """Number of threads of PyTorch."""


def make_jobs(
    data: LabelledTracks,
    methods: Sequence[Method],
    n_seeds: int,
    networks: Networks,
    cache: Path,
    threads: int,
) -> Iterator[BenchmarkJob]:
    """Yield the jobs of a data set; a method without randomness runs with seed 0 alone.

    Methods that share no adaptation get jobs of their own, so that processes can share the work.
    """
    for seed in range(n_seeds):
        groups: dict[str | None, list[str]] = {}
        for method in methods:
            if seed and not method.uses_seed:
                continue
            key = adaptation_key(data, method, _weights_sha256(data, method, networks), seed)
            groups.setdefault(key, []).append(method.name)
        for key, names in groups.items():
            for group in [tuple(names)] if key is not None else [(name,) for name in names]:
                yield BenchmarkJob(data, seed, group, networks, cache, threads)


def _weights_sha256(data: LabelledTracks, method: Method, networks: Networks) -> str | None:
    encoder = select_encoder(data, method.encoder, networks)
    return None if encoder is None else networks.weights_sha256(encoder)


def cache_key(data: LabelledTracks, method: Method, networks: Networks, seed: int) -> str:
    """Return the key of a result in the cache."""
    weights_sha256 = _weights_sha256(data, method, networks)
    return result_key(data, method, weights_sha256, seed, select_labelled_tracks(data))


def count_results(job: BenchmarkJob, n_seeds: int) -> int:
    """Count the results of a job; one of a method without randomness counts for every seed."""
    return sum(1 if resolve_method(name).uses_seed else n_seeds for name in job.names)


def run_job_to_end(job: BenchmarkJob) -> list[str]:
    """Run a job in a process of its own, and return the names of its methods."""
    return list(run_job(job, ResultCache(job.cache), silent_hook))


def run_job(job: BenchmarkJob, cache: ResultCache, hook: Hook) -> Iterator[str]:
    """Run the methods of a job in turn, and yield each name once its result is cached."""
    from personae.core.compute import configure_torch, select_device

    # For every job, since earlier code may have changed the floating-point mode of the processor.
    configure_torch(job.threads)
    methods = [resolve_method(name) for name in job.names]
    encoder = select_encoder(job.data, methods[0].encoder, job.networks)
    data = with_embeddings(job.data, encoder, job.networks, job.cache, hook)
    adaptation = _load_adaptation(job, data, methods, hook)
    labelled = select_labelled_tracks(data)
    for method in methods:
        own_adaptation, adapt_seconds = None, 0.0 if adaptation is None else None
        if adaptation is not None and method.adapt is not None:
            own_adaptation, adapt_seconds = truncate_adaptation(
                adaptation, most_iterations(method.adapt)
            )
        started = time.perf_counter()
        labels = method.fit(Task(data.tracks, own_adaptation, data.n_people, labelled, job.seed))
        seconds = time.perf_counter() - started
        result = CachedResult(
            dataset=data.name,
            method=method.name,
            seed=job.seed if method.uses_seed else None,
            labels=labels.tolist(),
            seconds=round(seconds, 4),
            adapt_seconds=None if adapt_seconds is None else round(adapt_seconds, 4),
            device=select_device(job.networks.device),
            settings=method.settings,
        )
        cache.save(cache_key(job.data, method, job.networks, job.seed), result)
        yield method.name


def _load_adaptation(
    job: BenchmarkJob, data: LabelledTracks, methods: list[Method], hook: Hook
) -> Adaptation | None:
    """Adapt once for all methods of a job, for the largest number of iterations among them."""
    configs = [one.adapt for one in methods if one.adapt is not None and one.adapt.iterations]
    if not configs or not data.tracks.n_crops:
        return None
    longest = max(configs, key=most_iterations)
    name = select_encoder(data, methods[0].encoder, job.networks)
    folder = adaptation_folder(job.data, methods[0], job.networks, job.seed, job.cache)
    encoder = None if name is None else job.networks.load(name)
    config = longest.model_copy(update={"seed": job.seed})
    return load_or_adapt(data, encoder, config, folder, hook)


def most_iterations(config: AdaptConfig) -> int:
    """Return how many iterations an adaptation may have."""
    return config.iterations + config.extra_iterations


def adaptation_folder(
    data: LabelledTracks, method: Method, networks: Networks, seed: int, cache: Path
) -> Path:
    """Return where the adaptation of a method is stored."""
    key = adaptation_key(data, method, _weights_sha256(data, method, networks), seed)
    return cache / f"adapt-{(key or '')[:24]}"


def select_labelled_tracks(data: LabelledTracks) -> dict[int, int]:
    """Select the longest track of each person: the labels that a semi-supervised method gets.

    Returns:
        Track number -> person.
    """
    person_of: dict[int, int] = {}
    for person in np.unique(data.truth[data.truth >= 0]).tolist():
        tracks = np.flatnonzero(data.truth == person)
        person_of[int(tracks[np.argmax(data.frame_counts[tracks])])] = person
    return person_of
