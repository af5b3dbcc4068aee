"""The paper's method as a class, and its settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import personae
from helpers.cast import cast, no_tracks, partition
from personae.adapt import Adaptation, Iteration, adapt
from personae.cluster import VideoClusterNet
from personae.cluster.algorithm1 import algorithm1
from personae.cluster.track_metrics import CosineMetric, EuclideanMetric
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError
from personae.core.labels import order_by_size
from personae.core.trackset import TrackSet
from personae.cues.loss_metric import LossMetric
from personae.cues.plausible_pairs import plausible_pairs

FAST = {
    "iterations": 2,
    "first_epochs": 2,
    "head_only_epochs": 1,
    "later_epochs": 1,
    "warmup_epochs": 1,
    "min_steps_per_epoch": 2,
    "max_steps_per_epoch": 2,
}


def adapted(seed: int = 0) -> tuple[TrackSet, Adaptation]:
    """Make tracks with an adaptation in which the last track is of outlying quality."""
    tracks, person = cast([5, 4, 3], seed)
    rng = np.random.default_rng(seed)
    embeddings = np.eye(12)[person[tracks.track_of]] + 0.1 * rng.normal(size=(60, 12))
    quality = np.full(12, 0.7) + 0.01 * rng.random(12)
    quality[-1] = 0.1
    last = Iteration(
        embeddings.astype(np.float32),
        (0.2 * rng.normal(size=12)).astype(np.float32),
        quality.astype(np.float32),
        np.empty((0, 2), np.int32),
    )
    unused = replace(last, embeddings=rng.normal(size=(60, 12)).astype(np.float32))
    return tracks, Adaptation((unused, last), 0.1, 0.04)


def test_it_is_algorithm_1_on_the_learned_metric_of_the_last_iteration() -> None:
    tracks, adaptation = adapted()
    last = adaptation.iterations[-1]
    kept = tracks.track_of < 11
    metric = LossMetric(last.centre, 0.1, 0.04)
    expected = algorithm1(last.embeddings[kept], tracks.track_of[kept], metric)
    found = VideoClusterNet().cluster(tracks, adaptation)
    assert found.labels.tolist() == [*order_by_size(expected).tolist(), -1]
    assert found.confidence.tolist() == [1] * 11 + [0]
    assert found.facts == {"iteration": 2}


def test_metric_has_the_temperatures_of_the_adaptation() -> None:
    tracks, adaptation = adapted()
    last = adaptation.iterations[-1]
    found = []
    for student, teacher in ((0.1, 0.04), (0.1, 5.0)):
        other = replace(adaptation, student_temperature=student, teacher_temperature=teacher)
        method = VideoClusterNet(quality_filter=False)
        labels = method.cluster(tracks, other).labels
        metric = LossMetric(last.centre, student, teacher)
        expected = algorithm1(last.embeddings, tracks.track_of, metric)
        assert labels.tolist() == order_by_size(expected).tolist()
        found.append(partition(labels))
    assert found[0] != found[1]


def test_without_quality_filter_all_tracks_are_clustered() -> None:
    tracks, adaptation = adapted()
    assert VideoClusterNet().cluster(tracks, adaptation).labels[-1] == -1
    assert VideoClusterNet(quality_filter=False).cluster(tracks, adaptation).labels.min() == 0


def test_quality_threshold_follows_the_deviation_of_the_settings() -> None:
    """The thresholds are 0.69 by the median deviation and 0.59 by the mean one."""
    tracks, adaptation = adapted()
    quality = [0.72, 0.72, 0.72, 0.74, 0.7, 0.75, 0.73, 0.84, 0.85, 0.87, 0.84, 0.6]
    last = replace(adaptation.iterations[-1], quality=np.array(quality, np.float32))
    other = replace(adaptation, iterations=(last,))
    by_default = VideoClusterNet().cluster(tracks, other).labels
    by_mean = VideoClusterNet(quality_mad="mean").cluster(tracks, other).labels
    assert np.flatnonzero(by_default < 0).tolist() == [11]
    assert (by_mean >= 0).all()


def test_attach_only_tracks_stay_unknown() -> None:
    tracks, adaptation = adapted()
    attach_only = np.arange(12) < 3
    found = VideoClusterNet().cluster(replace(tracks, attach_only=attach_only), adaptation)
    assert (found.labels[:3] == -1).all()
    assert (found.labels[3:11] >= 0).all()


def test_without_centre_the_metric_is_that_of_the_slides() -> None:
    tracks, adaptation = adapted()
    last = adaptation.iterations[-1]
    metric = LossMetric(np.zeros(12), 0.1, 0.04)
    expected = order_by_size(algorithm1(last.embeddings, tracks.track_of, metric))
    method = VideoClusterNet(centre=False, quality_filter=False)
    assert method.cluster(tracks, adaptation).labels.tolist() == expected.tolist()
    far = replace(last, centre=np.eye(12, dtype=np.float32)[0] * 40)
    shifted = replace(adaptation, iterations=(far,))
    assert method.cluster(tracks, shifted).labels.tolist() == expected.tolist()
    with_centre = VideoClusterNet(quality_filter=False).cluster(tracks, shifted).labels
    assert partition(with_centre) != partition(expected)


@pytest.mark.parametrize(
    ("name", "metric"), [("cosine", CosineMetric()), ("euclidean", EuclideanMetric())]
)
@pytest.mark.parametrize("with_adaptation", [True, False])
def test_other_metrics_use_the_last_embeddings_or_the_base_ones(
    name: str, metric: CosineMetric | EuclideanMetric, with_adaptation: bool
) -> None:
    tracks, adaptation = adapted()
    x = adaptation.embeddings if with_adaptation else tracks.require_embeddings()
    kept = tracks.track_of < 11 if with_adaptation else np.ones(60, np.bool_)
    expected = order_by_size(algorithm1(x[kept], tracks.track_of[kept], metric)).tolist()
    given = adaptation if with_adaptation else None
    for choice in (name, metric):
        found = VideoClusterNet(choice).cluster(tracks, given).labels
        assert found.tolist() == expected + [-1] * (12 - len(expected))


@pytest.mark.parametrize("adaptation", [None, Adaptation((), 0.1, 0.04)])
def test_where_nothing_was_learned_every_track_is_alone(adaptation: Adaptation | None) -> None:
    tracks, _ = cast([2, 1])
    assert VideoClusterNet().cluster(tracks, adaptation).labels.tolist() == [0, 1, 2]
    assert VideoClusterNet().cluster(no_tracks(), adaptation).labels.shape == (0,)


def test_fit_predict_adapts_and_clusters() -> None:
    tracks, _ = cast([4, 3, 3])
    clusterer = VideoClusterNet(**FAST, seed=3)
    labels = clusterer.fit_predict(tracks)
    expected = adapt(tracks, None, AdaptConfig(**FAST, seed=3), plausible=plausible_pairs(tracks))
    assert labels.tolist() == VideoClusterNet().cluster(tracks, expected).labels.tolist()
    np.testing.assert_array_equal(clusterer.adaptation_.embeddings, expected.embeddings)
    assert clusterer.labels_ is clusterer.clustering_.labels is labels
    assert personae.VideoClusterNet is VideoClusterNet


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"num_people": 5}, "'videoclusternet-paper' takes no num_people: leave that out"),
        ({"max_people": 5}, "takes no max_people"),
        ({"iteration": 3}, "no setting 'iteration'; did you mean 'iterations'"),
        ({"iterations": -1}, "iterations cannot be -1"),
        ({"iterations": 0}, "at least one iteration"),
        ({"metric": "manhattan"}, "metric cannot be 'manhattan': it should be 'loss', 'cosine'"),
    ],
)
def test_settings_that_it_cannot_honour_are_refused(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence) as caught:
        VideoClusterNet(**settings)
    assert "\n" not in str(caught.value)


def test_other_metrics_need_no_iteration() -> None:
    tracks, _ = cast([4, 3], noise=0.3)
    expected = algorithm1(tracks.require_embeddings(), tracks.track_of, CosineMetric())
    labels = VideoClusterNet("cosine", iterations=0).fit_predict(tracks)
    assert labels.tolist() == order_by_size(expected).tolist()


def test_tracks_without_crops_and_embeddings_are_refused() -> None:
    with pytest.raises(ValueError, match="embeddings"):
        VideoClusterNet().fit_predict(TrackSet(track_of=np.zeros(1, np.int32)))
