"""The registry of methods, and the hints that each honours."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.cast import cast
from personae.cluster import (
    METHODS,
    check_method,
    cluster_tracks,
    make_method,
    resolve_cross_track_pairs,
)
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.cluster.finch import FINCH
from personae.cluster.hac import HAC
from personae.cluster.hints import HINTS
from personae.cluster.videoclusternet import VideoClusterNet
from personae.core.config import AdaptConfig, ClusterConfig
from personae.core.errors import SettingError


def test_registry_has_four_methods() -> None:
    assert list(METHODS) == ["personae", "videoclusternet-paper", "hac", "finch"]
    adapting = [name for name, entry in METHODS.items() if entry.needs_adaptation]
    assert adapting == ["personae", "videoclusternet-paper"]
    assert all(entry.summary for entry in METHODS.values())


def test_settings_name_all_methods() -> None:
    described = ClusterConfig.model_fields["method"].description
    assert described is not None
    assert all(name in described for name in METHODS)
    assert ClusterConfig().method == "personae"
    assert set(HINTS) == set(ClusterConfig.model_fields) - {"method"}


def test_unknown_method_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(SettingError, match=r"'dbscan'; there are: personae, videoclus.*, finch\."):
        check_method(ClusterConfig(method="dbscan"))


@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("name", METHODS)
def test_hints_are_honoured_or_refused(name: str, hint: str) -> None:
    config = ClusterConfig(method=name, **{hint: 3})
    if hint in METHODS[name].hints:
        make_method(config)
    else:
        with pytest.raises(SettingError, match=f"'{name}' takes no {hint}: leave") as caught:
            make_method(config)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["personae", "hac", "finch"])
def test_num_people_reaches_the_method(name: str) -> None:
    tracks, _ = cast([5, 4, 4, 3, 3])
    for count in (2, 4):
        config = ClusterConfig(method=name, num_people=count)
        assert cluster_tracks(tracks, None, config).labels.max() + 1 == count


def test_bounds_reach_the_default_method() -> None:
    tracks, _ = cast([5, 4, 4, 3, 3])
    fewer = cluster_tracks(tracks, None, ClusterConfig(max_people=2))
    more = cluster_tracks(tracks, None, ClusterConfig(min_people=9))
    assert fewer.labels.max() + 1 == 2
    assert more.labels.max() + 1 == 9


def test_two_refused_hints_are_named_together() -> None:
    config = ClusterConfig(method="hac", min_people=2, max_people=4)
    with pytest.raises(SettingError, match="no min_people and no max_people"):
        make_method(config)


@pytest.mark.parametrize(("name", "clusterer"), [("hac", HAC()), ("finch", FINCH())])
def test_baselines_are_the_classes_on_base_embeddings(name: str, clusterer: HAC | FINCH) -> None:
    tracks, _ = cast([5, 4, 3], noise=1.2)
    found = cluster_tracks(tracks, None, ClusterConfig(method=name))
    np.testing.assert_array_equal(found.labels, clusterer.fit_predict(tracks))
    assert (found.confidence == 1).all()
    assert (found.runner_up == -1).all()


def test_methods_are_made_with_the_settings_of_their_adaptation() -> None:
    assert isinstance(make_method(ClusterConfig()), CalibratedLinkage)
    adapt = AdaptConfig(quality_filter=False, quality_mad="mean", iterations=2)
    paper = make_method(ClusterConfig(method="videoclusternet-paper"), adapt)
    assert isinstance(paper, VideoClusterNet)
    assert paper.config == adapt.model_copy(update={"cross_track_pairs": "matches"})
    assert paper.centre
    assert paper.metric == "loss"


@pytest.mark.parametrize(
    ("method", "pairs"), [("personae", "cues"), ("videoclusternet-paper", "matches")]
)
def test_methods_train_on_the_pairs_that_they_are_made_for(method: str, pairs: str) -> None:
    assert resolve_cross_track_pairs(method, AdaptConfig()).cross_track_pairs == pairs
    for given in ("cues", "matches", "none"):
        config = AdaptConfig(cross_track_pairs=given, seed=4)
        assert resolve_cross_track_pairs(method, config) == config


def test_settings_of_adaptation_are_refused_by_methods_that_adapt_nothing() -> None:
    check_method(ClusterConfig(method="hac"), AdaptConfig())
    check_method(ClusterConfig(), AdaptConfig(depth="last"))
    with pytest.raises(SettingError, match="'hac' adapts nothing: leave out depth, seed"):
        check_method(ClusterConfig(method="hac"), AdaptConfig(seed=1, depth="last"))
