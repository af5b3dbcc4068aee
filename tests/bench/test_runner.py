"""The benchmark's loop: jobs, cache, interruption, several processes."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter

import pytest

from helpers.bench import (
    DATASET,
    FAST_METHODS,
    SHORT_ADAPTATION,
    RecordingHook,
    labels_of,
    run_small,
    save_labelled_features,
)
from personae.bench.result_cache import ADAPTATION_CODE, METHOD_CODE, code_digest
from personae.core.errors import SettingError


def test_every_method_runs_on_every_data_set_with_every_seed(tmp_path):
    hook = RecordingHook()
    benchmark = run_small(tmp_path, datasets=[DATASET, "simulated?tracks=20&people=2"], hook=hook)
    assert hook.last == (8, 8)
    # hac has no randomness, so that it runs with one seed
    assert Counter(hook.finished) == {"hac": 2, "kmeans": 4}
    assert len(benchmark.results) == 8
    keys = {(one.dataset.name, one.method.name, one.seed) for one in benchmark.results}
    names = [data.name for data in benchmark.datasets]
    assert keys == set(itertools.product(names, FAST_METHODS, [0, 1]))


def test_cached_results_are_not_computed_again(tmp_path):
    first = run_small(tmp_path)
    hook = RecordingHook()
    second = run_small(tmp_path, hook=hook)
    assert hook.finished == []
    assert hook.last == (4, 4)
    assert [one.cached for one in first.results] == [one.cached for one in second.results]
    run_small(tmp_path, [*FAST_METHODS, "finch"], hook=hook)
    assert hook.finished == ["finch"]


def test_interrupted_run_continues_with_the_same_results(tmp_path):
    names = [
        "hac",
        f"personae:{SHORT_ADAPTATION}:iterations=2",
        f"videoclusternet-paper:{SHORT_ADAPTATION}:iterations=1",
        "kmeans",
    ]
    with pytest.raises(KeyboardInterrupt):
        run_small(tmp_path / "interrupted", names, hook=RecordingHook(stop_after=3))
    hook = RecordingHook()
    continued = run_small(tmp_path / "interrupted", names, hook=hook)
    uninterrupted = run_small(tmp_path / "whole", names)
    assert 0 < len(hook.finished) <= 4
    assert labels_of(continued) == labels_of(uninterrupted)


def test_killed_run_continues(tmp_path):
    names = ["hac", "kmeans", "finch", "uldml"]
    options = ["--data", DATASET, "--methods", ",".join(names), "--seeds", "2", "--device", "cpu"]
    command = [sys.executable, "-m", "personae.cli", "bench", *options, "-o", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--progress", "json"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        for line in process.stderr:
            if "method" in json.loads(line):
                process.kill()
    n_cached = len(list((tmp_path / "cache").glob("*.json")))
    assert n_cached >= 1
    hook = RecordingHook()
    benchmark = run_small(tmp_path, names, hook=hook)
    n_distinct = len({(one.method.name, one.cached.seed) for one in benchmark.results})
    assert len(hook.finished) == n_distinct - n_cached
    assert hook.last == (8, 8)


def test_truncated_cache_file_is_computed_again(tmp_path):
    first = run_small(tmp_path)
    for path in (tmp_path / "cache").glob("*.json"):
        path.write_text(path.read_text()[:40])
    hook = RecordingHook()
    assert labels_of(run_small(tmp_path, hook=hook)) == labels_of(first)
    assert len(hook.finished) == 3


def test_new_labels_change_results_only_of_methods_that_use_them(tmp_path):
    path = tmp_path / "a.npz"
    name = save_labelled_features(path, ["ann", "ann", "bob", "bob", "cid", "cid"])
    run_small(tmp_path, datasets=[name])
    save_labelled_features(path, ["ann", "ann", "ann", "bob", "bob", "bob"])
    hook = RecordingHook()
    benchmark = run_small(tmp_path, datasets=[name], hook=hook)
    assert set(hook.finished) == {"kmeans"}
    assert benchmark.results[0].metrics["people"] == 2


def test_methods_of_one_seed_share_an_adaptation(tmp_path):
    names = [
        f"{name}:{SHORT_ADAPTATION}:iterations={n}"
        for name in ("personae", "personae:people=known")
        for n in (1, 2)
    ]
    benchmark = run_small(tmp_path, names)
    folders = [path for path in (tmp_path / "cache").glob("adapt-*") if path.is_dir()]
    assert len(folders) == 2, "one per seed"
    name = benchmark.datasets[0].name
    assert set(benchmark.quality) == {name}
    assert len(benchmark.quality[name]) == 30
    seconds = [one.cached.adapt_seconds for one in benchmark.results if one.seed == 0]
    assert seconds[0] < seconds[1]
    assert seconds[0] == seconds[2]


def test_two_processes_return_the_results_of_one(tmp_path):
    one = run_small(tmp_path / "one")
    two = run_small(tmp_path / "two", n_processes=2)
    assert labels_of(one) == labels_of(two)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"methods": ["nobody"]}, "no method"),
        ({"datasets": ["nothing"]}, "no kind of data"),
        ({"methods": ["hac:encoder=mobilefacenet-192"]}, "has features only"),
        ({"methods": [f"personae:depth=last:{SHORT_ADAPTATION}"]}, "features only"),
        ({"n_processes": 0}, "at least one seed and one job"),
    ],
)
def test_impossible_benchmark_raises(settings, message, tmp_path):
    with pytest.raises(SettingError, match=message):
        run_small(tmp_path, **settings)


def test_data_sets_of_one_name_are_numbered(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one = save_labelled_features(tmp_path / "a" / "x.npz", ["ann", "ann", "bob"])
    two = save_labelled_features(tmp_path / "b" / "x.npz", ["ann", "bob", "bob", "bob"])
    benchmark = run_small(tmp_path, datasets=[one, two])
    assert [data.name for data in benchmark.datasets] == ["x", "x (2)"]
    assert [one.metrics["tracks"] for one in benchmark.results] == [3] * 4 + [4] * 4


def test_cached_results_are_plain_json(tmp_path):
    run_small(tmp_path)
    for path in (tmp_path / "cache").glob("*.json"):
        content = json.loads(path.read_text())
        assert {"dataset", "method", "seed", "labels", "seconds", "settings"} <= set(content)
        assert len(content["labels"]) == 30


def test_cache_depends_on_code_that_exists():
    assert code_digest(*METHOD_CODE) != code_digest(*ADAPTATION_CODE)
    with pytest.raises(FileNotFoundError, match="no package evaluate"):
        code_digest("evaluate")
