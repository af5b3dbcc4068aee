"""The benchmark: every method on every data set with every seed, doing only what has not been done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from personae.bench.jobs import (
    BenchmarkJob,
    adaptation_folder,
    jobs_of,
    key_of,
    lines_of,
    work,
    work_apart,
)
from personae.bench.methods import Method, method, methods
from personae.bench.networks import Networks, encoder_of, with_embeddings
from personae.bench.result_cache import CachedResult, Store
from personae.core.arrays import Float32Array
from personae.core.errors import SettingError
from personae.core.hooks import Hook, silent
from personae.datasets import DatasetContext, load
from personae.datasets.labelled import LabelledTracks
from personae.metrics.registry import figures

CACHE = "cache"


@dataclass(frozen=True)
class Result:
    """One line of the benchmark."""

    dataset: LabelledTracks
    method: Method
    seed: int
    saved: CachedResult
    figures: dict[str, float]
    """By the names of `metrics.registry.FIGURES`."""

    @property
    def seconds(self) -> float | None:
        """Of adaptation and clustering together; None where not known."""
        return (
            None
            if self.saved.adapt_seconds is None
            else self.saved.adapt_seconds + self.saved.seconds
        )


@dataclass(frozen=True)
class Bench:
    """A finished benchmark."""

    datasets: tuple[LabelledTracks, ...]
    """With the embeddings of the run's network."""
    methods: tuple[Method, ...]
    seeds: int
    results: tuple[Result, ...]
    """By data set, method and seed."""
    quality: dict[str, Float32Array] = field(default_factory=dict)
    """Data set -> (T,) SER-FIQ quality of its tracks by an adapted student, where a method adapted."""
    device: str = "cpu"

    def of(self, dataset: LabelledTracks, chosen: Method) -> list[Result]:
        """The results of a method on a data set, one a seed."""
        return [
            one
            for one in self.results
            if one.dataset.name == dataset.name and one.method.name == chosen.name
        ]


def run_bench(
    data: Sequence[str],
    names: Sequence[str],
    folder: Path,
    seeds: int = 5,
    networks: Networks | None = None,
    jobs: int = 1,
    hook: Hook = silent,
) -> Bench:
    """Run methods on data sets with seeds 0, 1, ...; results are kept in `folder` and never made twice.

    `data` are names as `personae.datasets` reads them, `names` as `bench.methods` does. With `jobs`, so
    many processes share the work. The hook is told of stage "bench" in results. Raises a PersonaeError of one
    sentence for what cannot be read or run; what was finished by then is kept.
    """
    from personae.core.compute import choose_device, prepare_torch, usable_cores
    from personae.core.files import writing

    if seeds < 1 or jobs < 1:
        raise SettingError("There should be at least one seed and one job.")
    if not data:
        raise SettingError("Name at least one data set.")
    networks = networks or Networks()
    chosen = methods(list(names))
    cache = folder / CACHE
    with writing(folder):
        store = Store(cache)
    prepare_torch(usable_cores() if jobs == 1 else None)
    room = DatasetContext(folder, networks.encoder, networks.weights, networks.device, hook)
    sets = _distinct([load(text, room) for text in data])
    units = [
        unit
        for one in sets
        for unit in jobs_of(one, chosen, seeds, networks, cache, max(1, usable_cores() // jobs))
    ]
    _embed(units, networks, cache, hook)
    total = len(sets) * len(chosen) * seeds
    due = [unit for unit in (_missing(unit, store) for unit in units) if unit.names]
    left = sum(lines_of(unit, seeds) for unit in due)
    progress = _Progress(hook, total - left, total)
    for unit, name in _carry_out(due, jobs, store, progress):
        progress.step(unit, name, lines_of(replace(unit, names=(name,)), seeds))
    embedded = tuple(
        with_embeddings(one, encoder_of(one, None, networks), networks, cache, hook) for one in sets
    )
    results = tuple(
        _result(one, each, seed, networks, store)
        for one in embedded
        for each in chosen
        for seed in range(seeds)
    )
    quality = {
        one.name: found
        for one in sets
        if (found := _quality(one, chosen, networks, cache)) is not None
    }
    return Bench(embedded, tuple(chosen), seeds, results, quality, choose_device(networks.device))


def _distinct(sets: list[LabelledTracks]) -> list[LabelledTracks]:
    """Number data sets of one name."""
    seen: dict[str, int] = {}
    named = []
    for one in sets:
        seen[one.name] = seen.get(one.name, 0) + 1
        named.append(
            one if seen[one.name] == 1 else replace(one, name=f"{one.name} ({seen[one.name]})")
        )
    return named


def _missing(unit: BenchmarkJob, store: Store) -> BenchmarkJob:
    left = tuple(
        name
        for name in unit.names
        if store.load(key_of(unit.data, method(name), unit.networks, unit.seed)) is None
    )
    return replace(unit, names=left)


def _embed(units: list[BenchmarkJob], networks: Networks, cache: Path, hook: Hook) -> None:
    """Embed what several processes would otherwise embed at once."""
    for unit in units:
        for name in unit.names:
            encoder = encoder_of(unit.data, method(name).encoder, networks)
            with_embeddings(unit.data, encoder, networks, cache, hook)


class _Progress:
    """Tells the hook of finished results, and of what is going on in between."""

    def __init__(self, hook: Hook, done: int, total: int) -> None:
        self.hook, self.done, self.total = hook, done, total
        hook("bench", done, total)

    def step(self, unit: BenchmarkJob, name: str, lines: int) -> None:
        """Another method is finished."""
        self.done += lines
        self.hook("bench", self.done, self.total, data=unit.data.name, method=name, seed=unit.seed)

    def within(self, unit: BenchmarkJob) -> Hook:
        """Give the hook of a unit's own stages, which must not move the bar."""

        def tell(stage: str, done: int, total: int | None, **facts: object) -> None:
            share = f" {100 * done / total:.0f} %" if total else ""
            now = f"{stage}{share}"
            self.hook("bench", self.done, self.total, data=unit.data.name, seed=unit.seed, now=now)

        return tell


def _carry_out(
    due: list[BenchmarkJob], jobs: int, store: Store, progress: _Progress
) -> Iterator[tuple[BenchmarkJob, str]]:
    """Do the work and give each unit and method as it is finished."""
    if jobs == 1:
        for unit in due:
            for name in work(unit, store, progress.within(unit)):
                yield unit, name
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(work_apart, unit): unit for unit in due}
        try:
            for future in as_completed(futures):
                for name in future.result():
                    yield futures[future], name
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _result(
    data: LabelledTracks, each: Method, seed: int, networks: Networks, store: Store
) -> Result:
    saved = store.load(key_of(data, each, networks, seed if each.seeded else 0))
    if saved is None:
        raise RuntimeError(f"{each.name} on {data.name} left no result")
    crops = np.bincount(data.tracks.track_of, minlength=data.tracks.n_tracks).astype(np.int64)
    return Result(data, each, seed, saved, figures(data.truth, saved.array(), data.frames, crops))


def _quality(
    data: LabelledTracks, chosen: list[Method], networks: Networks, cache: Path
) -> Float32Array | None:
    """Give the SER-FIQ quality of a data set's tracks by the first adaptation of seed 0 that there is."""
    from personae.adapt import Adaptation

    for each in chosen:
        if each.adapt is not None and each.adapt.iterations:
            folder = adaptation_folder(data, each, networks, 0, cache)
            if folder.exists():
                return Adaptation.load(folder).iterations[each.adapt.iterations - 1].quality
    return None
