"""What clothes do to the labels of simulated films whose people are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast, partition
from helpers.dressed_cast import blur_faces, dress, outfit_colours, seen_together
from personae.cluster import Clustering
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.trackset import Crops, TrackSet
from personae.cues.evidence import FilmEvidence
from personae.metrics.clustering import bcubed

SEEDS = pytest.mark.parametrize("seed", range(3))


def linked_cast(
    sizes: list[int], seed: int, noise: float = 0.8, blur: float = 0.0
) -> tuple[TrackSet, np.ndarray]:
    """Tracks of which every second one is blurred, and some are on screen together."""
    tracks, person = cast(sizes, seed, noise=noise)
    if blur:
        tracks = blur_faces(tracks, np.arange(len(person)) % 2 == 0, blur)
    return replace(tracks, cannot_link=seen_together(person, 8, seed)), person


def cluster(tracks: TrackSet) -> Clustering:
    return CalibratedLinkage().cluster(tracks, None)


def clothes_log_odds(found: Clustering) -> float:
    cues = {one["name"]: one["mean_absolute_log_odds"] for one in found.facts["pair_cues"]}
    return cues["clothes"]


@SEEDS
@pytest.mark.parametrize(
    ("case", "variety"),
    [("uniforms", 0.02), ("one colour", 0.0), ("random", 0.02), ("no two alike", 0.02)],
)
def test_clothes_that_say_nothing_are_found_to_say_nothing(
    case: str, variety: float, seed: int
) -> None:
    tracks, person = linked_cast([12, 10, 8], seed)
    n = len(person)
    outfit = {
        "uniforms": np.zeros(n, np.int64),
        "one colour": np.zeros(n, np.int64),
        "random": np.random.default_rng(seed).integers(0, 5, n),
        "no two alike": np.arange(n),
    }[case]
    found = cluster(dress(tracks, outfit, variety=variety))
    assert clothes_log_odds(found) < 0.2
    assert partition(found.labels) == partition(cluster(tracks).labels) == partition(person)


@SEEDS
def test_clothes_repair_a_poor_face_score(seed: int) -> None:
    tracks, person = linked_cast([12, 10, 8], seed, blur=0.18)
    found = cluster(dress(tracks, person))
    assert bcubed(person, cluster(tracks).labels).f < 0.85
    assert bcubed(person, found.labels).f > 0.93
    assert clothes_log_odds(found) > 2


@SEEDS
def test_clothes_that_change_between_scenes_do_not_split_people(seed: int) -> None:
    """Three scenes of a minute, with other clothes for everybody in each."""
    tracks, person = linked_cast([14, 12, 10], seed)
    scene = np.arange(36) // 12
    dressed = dress(tracks, person + 3 * scene, seconds_apart=4.0)
    assert partition(cluster(dressed).labels) == partition(person)
    persistence_s = FilmEvidence(dressed, dressed.anchors()).base_fit.cues[1].persistence_s
    assert persistence_s < 90, "that they are changed is found"


@SEEDS
def test_two_people_in_the_same_clothes_stay_two(seed: int) -> None:
    tracks, person = linked_cast([12, 10, 8], seed)
    found = cluster(dress(tracks, np.minimum(person, 1)))
    assert partition(found.labels) == partition(person)


@SEEDS
def test_tracks_without_visible_clothes_are_left_to_the_face(seed: int) -> None:
    tracks, person = linked_cast([12, 10, 8], seed)
    close_up = np.arange(30) % 3 == 0
    found = cluster(dress(tracks, np.where(close_up, -1, person)))
    assert partition(found.labels) == partition(person)


@pytest.mark.parametrize("missing", ["clothes", "times_s", "everything"])
def test_a_film_that_lacks_what_cues_need_is_clustered_by_the_face(missing: str) -> None:
    tracks, person = linked_cast([9, 6, 4], 0)
    dressed = dress(tracks, person)
    crops = Crops() if missing == "everything" else replace(dressed.crops, **{missing: None})
    found, bare = cluster(replace(dressed, crops=crops)), cluster(tracks)
    np.testing.assert_array_equal(found.labels, bare.labels)
    np.testing.assert_array_equal(found.confidence, bare.confidence)


def test_the_same_film_gives_the_same_result() -> None:
    tracks, person = linked_cast([9, 6, 4], 0, blur=0.1)
    film = dress(tracks, person)
    one, other = cluster(film), cluster(film)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.confidence, other.confidence)
    assert one.facts == other.facts


def test_simulated_clothes_are_histograms_that_tell_outfits_apart() -> None:
    colours = outfit_colours(4)
    np.testing.assert_allclose(colours.sum(axis=1), 1)
    alike = np.sqrt(colours) @ np.sqrt(colours).T
    assert alike[~np.eye(4, dtype=bool)].max() < 0.7
    tracks, person = cast([3, 3])
    dressed = dress(tracks, np.where(person == 1, -1, person))
    total = dressed.crops.clothes.sum(axis=1)
    np.testing.assert_allclose(total, (person == 0)[tracks.track_of], atol=1e-6)
