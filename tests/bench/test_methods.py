"""Methods of the benchmark by name, their flags, and the adaptations that they share."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from helpers.bench import SHORT_ADAPTATION, load_simulated, run_small
from personae.bench.methods import GROUPS, resolve_method, resolve_methods
from personae.bench.networks import truncate_adaptation
from personae.bench.task import Task
from personae.cluster import adapt_tracks
from personae.cluster.videoclusternet import VideoClusterNet
from personae.compared import SYSTEMS
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError

EVERYTHING = ["all", "ablations", "iterations", "iterations-by-depth", "depths"]


def test_groups_name_existing_methods():
    for names in GROUPS.values():
        assert [one.name for one in resolve_methods(list(names))]
    everything = resolve_methods(EVERYTHING)
    assert len({one.name for one in everything}) == len(everything)
    assert {"personae", "hac", "tsiam"} <= {one.name for one in everything}
    assert len(resolve_methods(["all", "hac", "personae"])) == len(resolve_methods(["all"]))


def test_order_of_flags_does_not_matter():
    one, other = (
        resolve_method("personae:cross-track-pairs=none:iterations=3"),
        resolve_method("personae:iterations=3:cross-track-pairs=none"),
    )
    assert one.name == other.name
    assert one.settings == other.settings
    assert one.adapt == AdaptConfig(iterations=3, extra_iterations=0, cross_track_pairs="none")


def test_a_number_of_iterations_is_exactly_that_in_a_benchmark():
    """A point of a curve does not go on until the pairs have settled."""
    assert resolve_method("personae").adapt.extra_iterations > 0
    assert resolve_method("personae:iterations=5").adapt.extra_iterations == 0
    assert resolve_method("personae:iterations=5:extra-iterations=2").adapt.extra_iterations == 2
    assert resolve_method("videoclusternet-paper").adapt.extra_iterations == 0


def test_methods_state_the_ground_truth_they_are_given():
    assert resolve_method("kmeans").given == "K"
    assert resolve_method("tsiam:threshold=1.0").given == ""
    assert resolve_method("personae").given == ""
    assert resolve_method("personae:people=known").given == "K"
    assert resolve_method("mlr").given == "one labelled track per person"
    for name, system in SYSTEMS.items():
        assert system.title in resolve_method(name).title
        assert (resolve_method(name).given == "K") == ("n_clusters" in system.inputs)


def test_different_methods_have_different_settings():
    methods = resolve_methods(EVERYTHING)
    counts = Counter(json.dumps([one.settings, one.encoder], sort_keys=True) for one in methods)
    # Of the paper's method, five iterations are the default, and those at depth head are in the
    # group of depths, too.
    assert sum(counts.values()) - len(counts) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nobody", "no method 'nobody'; there are: personae"),
        ("hac:threshold=1", "no flag 'threshold'; there are: people"),
        ("personae:speed=1", "no flag 'speed'"),
        ("personae:iterations=x", "iterations cannot be 'x'"),
        ("personae:iterations", "write flags as :name=value"),
        ("personae:people=five", "people should be one of unknown, known"),
        ("personae:similarity=cosine", "clusters by personae"),
        ("videoclusternet-paper:people=known", "cannot use the number of people"),
        ("videoclusternet-paper:iterations=0", "at least one iteration"),
        ("tsiam:speed=1", "no flag 'speed'"),
    ],
)
def test_unknown_method_flag_or_value_raises_one_sentence(text, message):
    with pytest.raises(SettingError, match=message) as caught:
        resolve_method(text)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory):
    data = load_simulated(tmp_path_factory.mktemp("bench"))
    config = resolve_method(f"personae:{SHORT_ADAPTATION}:iterations=3").adapt
    return data, config, adapt_tracks(data.tracks, None, config)


@pytest.mark.parametrize("centre", [True, False])
def test_paper_method_equals_the_published_method(adapted, centre):
    data, _, adaptation = adapted
    flag = "on" if centre else "off"
    method = resolve_method(f"videoclusternet-paper:{SHORT_ADAPTATION}:iterations=3:centre={flag}")
    labels = method.fit(Task(data.tracks, adaptation, 3, {}, 0))
    published = VideoClusterNet(centre=centre).cluster(data.tracks, adaptation)
    assert labels.tolist() == published.labels.tolist()


def test_first_iterations_of_a_long_adaptation_equal_a_short_one(adapted):
    data, config, long = adapted
    shorter = config.model_copy(update={"iterations": 2})
    short = adapt_tracks(data.tracks, None, shorter)
    truncated, seconds = truncate_adaptation(long, 2)
    assert len(truncated.iterations) == 2
    for one, other in zip(truncated.iterations, short.iterations, strict=True):
        np.testing.assert_array_equal(one.embeddings, other.embeddings)
        np.testing.assert_array_equal(one.matches, other.matches)
    assert 0 < seconds < truncate_adaptation(long, 3)[1]


def test_base_embeddings_are_used_without_an_adaptation(tmp_path):
    names = ["videoclusternet-paper:similarity=cosine:iterations=0", "personae:iterations=0"]
    benchmark = run_small(tmp_path, names)
    assert all(one.cached.adapt_seconds == 0 for one in benchmark.results)
    assert all(one.metrics["WCP"] > 0.5 for one in benchmark.results)
