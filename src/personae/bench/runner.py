"""The benchmark: every method on every data set with every seed, with a cache of results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.bench.jobs import (
    BenchmarkJob,
    adaptation_folder,
    cache_key,
    count_results,
    make_jobs,
    run_job,
    run_job_to_end,
)
from personae.bench.learned_auc import base_auc, learned_auc
from personae.bench.methods import Method, resolve_method, resolve_methods
from personae.bench.networks import (
    Networks,
    select_encoder,
    truncate_adaptation,
    with_embeddings,
)
from personae.bench.result_cache import CachedResult, ResultCache
from personae.core.arrays import Float32Array
from personae.core.errors import SettingError
from personae.core.hooks import Hook, silent_hook
from personae.datasets import DatasetContext, load_dataset
from personae.datasets.labelled import LabelledTracks
from personae.metrics.registry import compute_metrics

if TYPE_CHECKING:
    from personae.adapt import Adaptation

CACHE_FOLDER = "cache"


@dataclass(frozen=True)
class BenchmarkResult:
    """One method on one data set with one seed."""

    dataset: LabelledTracks
    method: Method
    seed: int
    cached: CachedResult
    metrics: dict[str, float]
    """By the names of `metrics.registry`."""
    learned_auc: float | None = None
    """Pair AUC of the metric learned by the method's last iteration; None without one."""

    @property
    def seconds(self) -> float | None:
        """Run time of adaptation and clustering together; None where not known."""
        if self.cached.adapt_seconds is None:
            return None
        return self.cached.adapt_seconds + self.cached.seconds


@dataclass(frozen=True)
class Benchmark:
    """A finished benchmark."""

    datasets: tuple[LabelledTracks, ...]
    """With the embeddings of the run's network."""
    methods: tuple[Method, ...]
    n_seeds: int
    results: tuple[BenchmarkResult, ...]
    """In the order of data set, method and seed."""
    quality: dict[str, Float32Array] = field(default_factory=dict)
    """Data set -> (T,) SER-FIQ quality of its tracks, where a method adapted."""
    base_auc: dict[str, float] = field(default_factory=dict)
    """Data set -> pair AUC of the base embeddings, where a method adapted."""
    device: str = "cpu"

    def results_of(self, dataset: LabelledTracks, method: Method) -> list[BenchmarkResult]:
        """Return the results of a method on a data set, one per seed."""
        return [
            one
            for one in self.results
            if one.dataset.name == dataset.name and one.method.name == method.name
        ]


def run_benchmark(
    dataset_names: Sequence[str],
    method_names: Sequence[str],
    folder: Path,
    n_seeds: int = 5,
    networks: Networks | None = None,
    n_processes: int = 1,
    hook: Hook = silent_hook,
) -> Benchmark:
    """Run methods on data sets with seeds 0, 1, ...; results are cached and never computed twice.

    The hook is called with the stage "bench", counted in results.

    Args:
        dataset_names: Names as `personae.datasets.load_dataset` reads them.
        method_names: Names as `personae.bench.methods.resolve_methods` reads them.
        folder: Where results and intermediate results are stored.
        n_seeds: Number of seeds.
        networks: The encoder and the device; by default the package's.
        n_processes: Number of processes that share the work.
        hook: Progress.

    Raises:
        PersonaeError: A data set cannot be read, or a method cannot be run. Results that were
            finished by then stay in the cache.
    """
    from personae.core.compute import configure_torch, count_usable_cores, select_device
    from personae.core.files import reraise_write_errors

    if n_seeds < 1 or n_processes < 1:
        raise SettingError("There should be at least one seed and one job.")
    if not dataset_names:
        raise SettingError("Name at least one data set.")
    networks = networks or Networks()
    methods = resolve_methods(list(method_names))
    cache_folder = folder / CACHE_FOLDER
    with reraise_write_errors(folder):
        cache = ResultCache(cache_folder)
    configure_torch(count_usable_cores() if n_processes == 1 else None)
    context = DatasetContext(folder, networks.encoder, networks.weights, networks.device, hook)
    datasets = _with_distinct_names([load_dataset(text, context) for text in dataset_names])
    threads = max(1, count_usable_cores() // n_processes)
    jobs = [
        job
        for data in datasets
        for job in make_jobs(data, methods, n_seeds, networks, cache_folder, threads)
    ]
    _cache_embeddings(jobs, networks, cache_folder, hook)
    total = len(datasets) * len(methods) * n_seeds
    due = [job for job in (_without_cached(job, cache) for job in jobs) if job.names]
    n_missing = sum(count_results(job, n_seeds) for job in due)
    progress = _Progress(hook, total - n_missing, total)
    for job, name in _run_jobs(due, n_processes, cache, progress):
        progress.advance(job, name, count_results(replace(job, names=(name,)), n_seeds))
    embedded = tuple(
        with_embeddings(data, select_encoder(data, None, networks), networks, cache_folder, hook)
        for data in datasets
    )
    results = tuple(
        _make_result(data, method, seed, networks, cache)
        for data in embedded
        for method in methods
        for seed in range(n_seeds)
    )
    quality = {
        data.name: values
        for data in datasets
        if (values := _load_quality(data, methods, networks, cache_folder)) is not None
    }
    adapted = {one.dataset.name for one in results if one.learned_auc is not None}
    base_aucs = {
        data.name: auc
        for data in embedded
        if data.name in adapted and (auc := base_auc(data)) is not None
    }
    device = select_device(networks.device)
    return Benchmark(embedded, tuple(methods), n_seeds, results, quality, base_aucs, device)


def _with_distinct_names(datasets: list[LabelledTracks]) -> list[LabelledTracks]:
    """Append a number to the names of data sets that are called the same."""
    counts: dict[str, int] = {}
    renamed = []
    for data in datasets:
        count = counts[data.name] = counts.get(data.name, 0) + 1
        renamed.append(data if count == 1 else replace(data, name=f"{data.name} ({count})"))
    return renamed


def _without_cached(job: BenchmarkJob, cache: ResultCache) -> BenchmarkJob:
    """Return the job with those methods only whose result is not cached."""
    missing = tuple(
        name
        for name in job.names
        if cache.load(cache_key(job.data, resolve_method(name), job.networks, job.seed)) is None
    )
    return replace(job, names=missing)


def _cache_embeddings(
    jobs: list[BenchmarkJob], networks: Networks, cache: Path, hook: Hook
) -> None:
    """Compute embeddings first, which several processes would otherwise compute at once."""
    for job in jobs:
        for name in job.names:
            encoder = select_encoder(job.data, resolve_method(name).encoder, networks)
            with_embeddings(job.data, encoder, networks, cache, hook)


class _Progress:
    """Calls the hook with finished results, and with the progress of the current one."""

    def __init__(self, hook: Hook, done: int, total: int) -> None:
        self.hook, self.done, self.total = hook, done, total
        hook("bench", done, total)

    def advance(self, job: BenchmarkJob, name: str, n_results: int) -> None:
        """Count the results of a method that has finished."""
        self.done += n_results
        self.hook("bench", self.done, self.total, data=job.data.name, method=name, seed=job.seed)

    def hook_of(self, job: BenchmarkJob) -> Hook:
        """Return the hook of a job's own stages, which shows them without moving the bar."""

        def report(stage: str, done: int, total: int | None, **facts: object) -> None:
            share = f" {100 * done / total:.0f} %" if total else ""
            now = f"{stage}{share}"
            self.hook("bench", self.done, self.total, data=job.data.name, seed=job.seed, now=now)

        return report


def _run_jobs(
    jobs: list[BenchmarkJob], n_processes: int, cache: ResultCache, progress: _Progress
) -> Iterator[tuple[BenchmarkJob, str]]:
    """Run jobs, and yield each job and method as it finishes."""
    if n_processes == 1:
        for job in jobs:
            for name in run_job(job, cache, progress.hook_of(job)):
                yield job, name
        return
    with ProcessPoolExecutor(n_processes, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(run_job_to_end, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                for name in future.result():
                    yield futures[future], name
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _make_result(
    data: LabelledTracks, method: Method, seed: int, networks: Networks, cache: ResultCache
) -> BenchmarkResult:
    cached = cache.load(cache_key(data, method, networks, seed if method.uses_seed else 0))
    if cached is None:
        raise RuntimeError(f"{method.name} on {data.name} left no result")
    track_of, n_tracks = data.tracks.track_of, data.tracks.n_tracks
    crop_counts = np.bincount(track_of, minlength=n_tracks).astype(np.int64)
    metrics = compute_metrics(data.truth, cached.label_array(), data.frame_counts, crop_counts)
    adaptation = _load_adaptation(data, method, seed, networks, cache.folder)
    auc = None if adaptation is None else learned_auc(data, adaptation, len(adaptation.iterations))
    return BenchmarkResult(data, method, seed, cached, metrics, auc)


def _load_adaptation(
    data: LabelledTracks, method: Method, seed: int, networks: Networks, cache: Path
) -> Adaptation | None:
    """Return the stored adaptation up to the method's last iteration; None where it is absent."""
    from personae.adapt import Adaptation

    if method.adapt is None or not method.adapt.iterations:
        return None
    folder = adaptation_folder(data, method, networks, seed, cache)
    if not folder.exists():
        return None
    return truncate_adaptation(Adaptation.load(folder), method.adapt.iterations)[0]


def _load_quality(
    data: LabelledTracks, methods: list[Method], networks: Networks, cache: Path
) -> Float32Array | None:
    """Return the SER-FIQ quality of tracks by the first method's adaptation with seed 0."""
    for method in methods:
        adaptation = _load_adaptation(data, method, 0, networks, cache)
        if adaptation is not None:
            return adaptation.iterations[-1].quality
    return None
