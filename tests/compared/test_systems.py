"""Every compared system on simulated people: it finds them, repeats itself, survives tiny sets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from helpers.simulated_tracks import tracks_of_people
from personae.compared import SYSTEMS
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet

FAST = {
    "tsiam": {"min_steps": 150},
    "ssiam": {"min_steps": 150},
    "pseudo-rf": {"min_steps": 150},
    "ccl": {"min_steps": 150},
    "imp-triplet": {"steps": 100},
    "uldml": {"steps": 200},
    "jfac": {"steps": 50},
    "vctrsf": {"steps": 15, "n_layers": 2, "hidden_dim": 64, "embedding_dim": 32},
    "mlr": {"steps": 100},
    "mvcorr": {"steps": 30, "embedding_dim": 64},
}
"""Shorter schedules of the trained systems: what is tested here is that they work, not how well."""


def make(name, identity, **changes):
    """Make a system with a short schedule and whatever it cannot do without."""
    system = SYSTEMS[name].load()
    settings = {**FAST.get(name, {}), **changes}
    if system.needs_n_clusters:
        settings.setdefault("n_clusters", max(len(set(identity.tolist())), 1))
    if name == "mlr":
        known = np.unique(identity, return_index=True)[1]
        settings["labelled_tracks"] = {int(track): int(identity[track]) for track in known}
    return system(**settings)


def assert_ordered_by_size(labels, n_tracks):
    assert labels.shape == (n_tracks,)
    assert labels.dtype == np.int64
    sizes = np.bincount(labels[labels >= 0])
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("name", SYSTEMS)
def test_finds_well_separated_people_given_their_number(name):
    tracks, identity = tracks_of_people()
    labels = make(name, identity, n_clusters=4).fit_predict(tracks)
    assert_ordered_by_size(labels, tracks.n_tracks)
    assert adjusted_rand_score(identity, labels) == 1.0


@pytest.mark.parametrize("name", SYSTEMS)
def test_better_than_chance_on_noisy_people(name):
    tracks, identity = tracks_of_people(crop_noise=1.2, track_noise=0.8, seed=5)
    labels = make(name, identity, n_clusters=4).fit_predict(tracks)
    assert adjusted_rand_score(identity, labels) > 0.2


@pytest.mark.parametrize("name", SYSTEMS)
def test_same_seed_gives_same_labels(name):
    tracks, identity = tracks_of_people(crop_noise=1.2, track_noise=0.8, seed=7)
    takes_seed = "seed" in SYSTEMS[name].load().__dataclass_fields__
    changes = {"seed": 3} if takes_seed else {}
    np.random.seed(0)  # noqa: NPY002  global state must not matter
    first = make(name, identity, **changes)
    np.random.seed(1)  # noqa: NPY002
    second = make(name, identity, **changes)
    assert first.fit_predict(tracks).tolist() == second.fit_predict(tracks).tolist()


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_scale_of_embeddings_does_not_matter(name):
    tracks, identity = tracks_of_people(crop_noise=1.0, track_noise=0.5)
    larger = replace(tracks, embeddings=64 * tracks.embeddings)
    labels = [make(name, identity).fit_predict(each).tolist() for each in (tracks, larger)]
    assert labels[0] == labels[1]


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("n_tracks", [1, 2, 3])
@pytest.mark.parametrize("links", [0, 1])
def test_tiny_sets_get_labels(name, crops, n_tracks, links):
    tracks, identity = tracks_of_people(
        people=min(2, n_tracks), n_tracks=n_tracks, crops=crops, links=links
    )
    labels = make(name, identity).fit_predict(tracks)
    assert_ordered_by_size(labels, n_tracks)


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "mlr"])
def test_no_tracks_give_no_labels(name):
    tracks = TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 8), np.float32))
    assert make(name, np.empty(0, int)).fit_predict(tracks).shape == (0,)


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize(
    "changes", [{"links": 0}, {"crops": 1}], ids=["no cannot-links", "one crop a track"]
)
def test_sets_without_links_or_repeated_crops_are_clustered(name, changes):
    tracks, identity = tracks_of_people(**changes)
    labels = make(name, identity, n_clusters=4).fit_predict(tracks)
    assert adjusted_rand_score(identity, labels) > 0.2


@pytest.mark.parametrize("name", SYSTEMS)
def test_copies_of_one_crop_get_labels(name):
    tracks = TrackSet(
        track_of=np.repeat(np.arange(5), 2).astype(np.int32),
        embeddings=np.ones((10, 8), np.float32),
    )
    labels = make(name, np.array([0, 0, 1, 1, 0])).fit_predict(tracks)
    assert_ordered_by_size(labels, 5)


@pytest.mark.parametrize("name", [n for n in SYSTEMS if SYSTEMS[n].load().needs_n_clusters])
def test_a_system_that_needs_the_number_of_people_says_so(name):
    tracks, _ = tracks_of_people()
    with pytest.raises(SettingError, match="set n_clusters"):
        SYSTEMS[name].load()().fit_predict(tracks)
    with pytest.raises(SettingError, match="at least 1"):
        SYSTEMS[name].load()(n_clusters=0).fit_predict(tracks)


@pytest.mark.parametrize("name", ["c1c", "muhpc-1"])
@pytest.mark.parametrize("n_clusters", [None, 2])
def test_cannot_links_are_never_broken(name, n_clusters):
    tracks, _ = tracks_of_people(links=80, crop_noise=1.5, seed=2)
    labels = SYSTEMS[name].load()(n_clusters=n_clusters).fit_predict(tracks)
    assert all(labels[a] != labels[b] for a, b in tracks.cannot_link)


@pytest.mark.parametrize("name", ["muhpc-1", "bcl"])
def test_finds_well_separated_people_without_their_number(name):
    tracks, identity = tracks_of_people(track_noise=0.05, crop_noise=0.1)
    assert adjusted_rand_score(identity, make(name, identity).fit_predict(tracks)) == 1.0


@pytest.mark.parametrize("name", ["tsiam", "ssiam", "pseudo-rf", "ccl", "imp-triplet"])
def test_a_threshold_replaces_the_number_of_people(name):
    tracks, identity = tracks_of_people()
    labels = SYSTEMS[name].load()(threshold=1.0, **FAST[name]).fit_predict(tracks)
    assert adjusted_rand_score(identity, labels) > 0.5


def test_mlr_without_labelled_tracks_is_refused():
    with pytest.raises(SettingError, match="semi-supervised"):
        SYSTEMS["mlr"].load()().fit_predict(tracks_of_people()[0])
