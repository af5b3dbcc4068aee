"""The general entry: any method of the registry on a track set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import personae
from helpers.cast import cast, partition
from personae.adapt import adapt
from personae.cluster import METHODS, FaceTrackClusterer
from personae.cluster.anchors import select_anchors
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.cluster.hac import HAC
from personae.cluster.videoclusternet import VideoClusterNet
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError
from personae.core.trackset import Crops, TrackSet
from personae.cues.positives import CuePositives

FAST = {
    "iterations": 1,
    "first_epochs": 2,
    "head_only_epochs": 1,
    "warmup_epochs": 1,
    "min_steps_per_epoch": 2,
    "max_steps_per_epoch": 2,
}


class FakeEncoder:
    """Embeds a crop by the mean of its colours."""

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, crops: list[np.ndarray], **settings: object) -> np.ndarray:
        self.calls += 1
        return np.stack([crop.mean(axis=(0, 1)) for crop in crops]).astype(np.float32)


def crops_of_colours(colours: list[int]) -> TrackSet:
    """Make a track of two crops for each colour: 0 red, 1 green, 2 blue."""
    track_of = np.repeat(np.arange(len(colours), dtype=np.int32), 2)
    images = np.zeros((len(track_of), 8, 8, 3), np.uint8)
    images[np.arange(len(track_of)), :, :, np.repeat(colours, 2)] = 200
    return TrackSet(track_of=track_of, crops=Crops(images=list(images)))


def test_default_method_adapts_and_clusters() -> None:
    tracks, person = cast([5, 4, 3])
    clusterer = personae.FaceTrackClusterer(**FAST, seed=2)
    labels = clusterer.fit_predict(tracks)
    config = AdaptConfig(**FAST, seed=2)
    positives = CuePositives(tracks, select_anchors(tracks), seed=2)
    adaptation = adapt(tracks, None, config, find_positives=positives)
    expected = CalibratedLinkage().cluster(tracks, adaptation)
    np.testing.assert_array_equal(labels, expected.labels)
    np.testing.assert_array_equal(clusterer.clustering_.confidence, expected.confidence)
    assert clusterer.labels_ is labels
    assert clusterer.adaptation_ is not None
    assert partition(labels) == partition(person)


def test_methods_without_need_adapt_nothing() -> None:
    tracks, _ = cast([5, 4, 3])
    clusterer = FaceTrackClusterer("hac")
    np.testing.assert_array_equal(clusterer.fit_predict(tracks), HAC().fit_predict(tracks))
    assert clusterer.adaptation_ is None


def test_the_papers_method_is_made_by_its_name() -> None:
    clusterer = FaceTrackClusterer("videoclusternet-paper", quality_mad="mean", iterations=2)
    assert isinstance(clusterer.method, VideoClusterNet)
    expected = AdaptConfig(quality_mad="mean", iterations=2, cross_track_pairs="matches")
    assert clusterer.method.config == clusterer.config == expected


@pytest.mark.parametrize(
    ("hints", "allowed"),
    [({"num_people": 2}, {2}), ({"min_people": 6}, {6}), ({"max_people": 2}, {1, 2})],
)
def test_hints_are_honoured(hints: dict[str, int], allowed: set[int]) -> None:
    tracks, _ = cast([5, 4, 3])
    labels = FaceTrackClusterer(iterations=0, **hints).fit_predict(tracks)
    assert labels.max() + 1 in allowed


def test_crops_are_embedded_where_embeddings_are_missing() -> None:
    tracks, encoder = crops_of_colours([0, 1, 0, 2, 1]), FakeEncoder()
    labels = FaceTrackClusterer("hac", encoder=encoder).fit_predict(tracks)
    assert labels.tolist() == [0, 1, 0, 2, 1]
    assert encoder.calls == 1
    assert tracks.embeddings is None


def test_given_embeddings_are_used_as_they_are() -> None:
    tracks, encoder = crops_of_colours([0, 1]), FakeEncoder()
    same = replace(tracks, embeddings=np.ones((4, 3), np.float32))
    assert FaceTrackClusterer("hac", encoder=encoder).fit_predict(same).tolist() == [0, 0]
    assert encoder.calls == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"method": "nobody"}, f"no method 'nobody'; there are: {', '.join(METHODS)}."),
        ({"method": "videoclusternet-paper", "num_people": 3}, "takes no num_people"),
        ({"method": "hac", "max_people": 3}, "'hac' takes no max_people"),
        ({"method": "hac", "iterations": 3}, "'hac' adapts nothing: leave out iterations"),
        ({"method": "videoclusternet-paper", "iterations": 0}, "at least one iteration"),
        ({"min_people": 4, "max_people": 3}, "min_people cannot be 4"),
        ({"num_people": 0}, "num_people cannot be 0"),
        ({"n_clusters": 3}, "no setting 'n_clusters'"),
    ],
)
def test_settings_that_the_method_cannot_honour_are_refused(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SettingError, match=sentence) as caught:
        FaceTrackClusterer(**settings)
    assert "\n" not in str(caught.value)


def test_tracks_without_crops_and_embeddings_are_refused() -> None:
    with pytest.raises(ValueError, match="embeddings"):
        FaceTrackClusterer("hac").fit_predict(TrackSet(track_of=np.zeros(1, np.int32)))


def test_no_encoder_is_loaded_where_embeddings_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personae.encode.load_encoder", None)
    same = replace(crops_of_colours([0, 1]), embeddings=np.ones((4, 3), np.float32))
    assert FaceTrackClusterer("hac").fit_predict(same).tolist() == [0, 0]
