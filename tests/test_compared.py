"""Every compared system on made-up identities: it finds them, repeats itself, and survives tiny sets."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from personae.compared import SYSTEMS
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet

RUNNABLE = [name for name, system in SYSTEMS.items() if system.runnable]
FAST = {
    "tsiam": {"at_least": 150},
    "ssiam": {"at_least": 150},
    "pseudo-rf": {"at_least": 150},
    "ccl": {"at_least": 150},
    "imp-triplet": {"steps": 100},
    "uldml": {"steps": 200},
    "jfac": {"steps": 50},
    "vctrsf": {"steps": 15, "layers": 2, "hidden": 64, "out": 32},
    "mlr": {"steps": 100},
}
"""Shorter schedules of the trained systems: what is tested here is that they work, not how well."""


def make_tracks(
    people=4, n_tracks=24, crops=4, d=32, crop_noise=0.3, track_noise=0.2, links=12, seed=0
):
    """Give tracks around Gaussian identity centres, and the identity of each; links join different people."""
    rng = np.random.default_rng(seed)
    identity = np.concatenate([np.arange(people), rng.integers(0, people, n_tracks - people)])[
        :n_tracks
    ]
    centres = rng.normal(size=(people, d))
    track_of = np.repeat(np.arange(n_tracks), crops)
    x = centres[identity[track_of]] + track_noise * rng.normal(size=(n_tracks, d))[track_of]
    x += crop_noise * rng.normal(size=x.shape)
    apart = np.argwhere(np.triu(identity[:, None] != identity))
    chosen = apart[rng.permutation(len(apart))[:links]].astype(np.int32).reshape(-1, 2)
    tracks = TrackSet(
        track_of=track_of.astype(np.int32),
        embeddings=(10 * x).astype(np.float32),
        cannot_link=chosen,
    )
    return tracks, identity


def make(name, identity, **changes):
    """Make a system with a short schedule and whatever it cannot do without."""
    system = SYSTEMS[name].load()
    settings = {**FAST.get(name, {}), **changes}
    if system.needs_n_clusters:
        settings.setdefault("n_clusters", max(len(set(identity.tolist())), 1))
    if name == "mlr":
        known = np.unique(identity, return_index=True)[1]
        settings["labelled"] = {int(track): int(identity[track]) for track in known}
    return system(**settings)


def assert_ordered(labels, n_tracks):
    assert labels.shape == (n_tracks,)
    assert labels.dtype == np.int64
    sizes = np.bincount(labels[labels >= 0])
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("name", RUNNABLE)
def test_finds_well_separated_people_given_their_number(name):
    tracks, identity = make_tracks()
    labels = make(name, identity, n_clusters=4).fit_predict(tracks)
    assert_ordered(labels, tracks.n_tracks)
    assert adjusted_rand_score(identity, labels) == 1.0


@pytest.mark.parametrize("name", RUNNABLE)
def test_better_than_chance_on_noisy_people(name):
    tracks, identity = make_tracks(crop_noise=1.2, track_noise=0.8, seed=5)
    assert (
        adjusted_rand_score(identity, make(name, identity, n_clusters=4).fit_predict(tracks)) > 0.2
    )


@pytest.mark.parametrize("name", RUNNABLE)
def test_same_seed_same_labels(name):
    tracks, identity = make_tracks(crop_noise=1.2, track_noise=0.8, seed=7)
    np.random.seed(0)  # noqa: NPY002  global state must not matter
    first = make(name, identity, seed=3) if "seed" in fields(name) else make(name, identity)
    np.random.seed(1)  # noqa: NPY002
    second = make(name, identity, seed=3) if "seed" in fields(name) else make(name, identity)
    assert first.fit_predict(tracks).tolist() == second.fit_predict(tracks).tolist()


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_scale_of_embeddings_does_not_matter(name):
    tracks, identity = make_tracks(crop_noise=1.0, track_noise=0.5)
    larger = replace(tracks, embeddings=64 * tracks.embeddings)
    labels = [make(name, identity).fit_predict(each).tolist() for each in (tracks, larger)]
    assert labels[0] == labels[1]


def fields(name):
    return SYSTEMS[name].load().__dataclass_fields__


@pytest.mark.parametrize("name", RUNNABLE)
@pytest.mark.parametrize("crops", [1, 3])
@pytest.mark.parametrize("n_tracks", [1, 2, 3])
@pytest.mark.parametrize("links", [0, 1])
def test_tiny_sets(name, crops, n_tracks, links):
    tracks, identity = make_tracks(
        people=min(2, n_tracks), n_tracks=n_tracks, crops=crops, links=links
    )
    labels = make(name, identity).fit_predict(tracks)
    assert_ordered(labels, n_tracks)


@pytest.mark.parametrize("name", [name for name in RUNNABLE if name != "mlr"])
def test_no_tracks(name):
    tracks = TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 8), np.float32))
    assert make(name, np.empty(0, int)).fit_predict(tracks).shape == (0,)


@pytest.mark.parametrize("name", RUNNABLE)
@pytest.mark.parametrize(
    "changes", [{"links": 0}, {"crops": 1}], ids=["no cannot-links", "one crop a track"]
)
def test_poor_sets(name, changes):
    tracks, identity = make_tracks(**changes)
    labels = make(name, identity, n_clusters=4).fit_predict(tracks)
    assert adjusted_rand_score(identity, labels) > 0.2


@pytest.mark.parametrize("name", RUNNABLE)
def test_copies_of_one_crop(name):
    tracks = TrackSet(
        track_of=np.repeat(np.arange(5), 2).astype(np.int32),
        embeddings=np.ones((10, 8), np.float32),
    )
    labels = make(name, np.array([0, 0, 1, 1, 0])).fit_predict(tracks)
    assert_ordered(labels, 5)


@pytest.mark.parametrize("name", [n for n in RUNNABLE if SYSTEMS[n].load().needs_n_clusters])
def test_a_system_that_needs_the_number_says_so(name):
    tracks, _ = make_tracks()
    assert "n_clusters" in SYSTEMS[name].needs
    with pytest.raises(SettingError, match="give n_clusters"):
        SYSTEMS[name].load()().fit_predict(tracks)
    with pytest.raises(SettingError, match="at least 1"):
        SYSTEMS[name].load()(n_clusters=0).fit_predict(tracks)


@pytest.mark.parametrize("name", ["c1c", "muhpc-1"])
@pytest.mark.parametrize("n_clusters", [None, 2])
def test_hard_constraints_hold(name, n_clusters):
    tracks, _ = make_tracks(links=80, crop_noise=1.5, seed=2)
    labels = SYSTEMS[name].load()(n_clusters=n_clusters).fit_predict(tracks)
    assert all(labels[a] != labels[b] for a, b in tracks.cannot_link)


@pytest.mark.parametrize("name", ["muhpc-1", "bcl"])
def test_finds_well_separated_people_without_their_number(name):
    tracks, identity = make_tracks(track_noise=0.05, crop_noise=0.1)
    assert adjusted_rand_score(identity, make(name, identity).fit_predict(tracks)) == 1.0


@pytest.mark.parametrize("name", ["tsiam", "ssiam", "pseudo-rf", "ccl", "imp-triplet"])
def test_a_threshold_stands_in_for_the_number(name):
    tracks, identity = make_tracks()
    labels = SYSTEMS[name].load()(threshold=1.0, **FAST[name]).fit_predict(tracks)
    assert adjusted_rand_score(identity, labels) > 0.5


@pytest.mark.parametrize("name", [n for n, system in SYSTEMS.items() if not system.runnable])
def test_a_system_that_cannot_run_says_what_is_missing(name):
    with pytest.raises(SettingError, match="cannot be run here: it "):
        SYSTEMS[name].load()


def test_the_registry_loads_nothing_heavy():
    code = "import sys, personae.compared as c; assert len(c.SYSTEMS) > 20; print('torch' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "False"


def test_mlr_without_labelled_tracks_is_refused():
    with pytest.raises(SettingError, match="semi-supervised"):
        SYSTEMS["mlr"].load()().fit_predict(make_tracks()[0])


def test_reconstructions_are_called_so():
    assert SYSTEMS["tsiam"].title == "our reconstruction of tsiam"
    assert SYSTEMS["kmeans"].title == "kmeans"
    for name in RUNNABLE:
        assert SYSTEMS[name].exact or "reconstruct" in SYSTEMS[name].load().__doc__.lower()
