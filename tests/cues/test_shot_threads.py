"""Shot threads: which pairs of tracks may be in one, and how alike set-up and position are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.grouping import unit_rows
from personae.core.trackset import Crops, TrackSet
from personae.cues.score_mixture import MAX_LOG_ODDS
from personae.cues.shot_threads import (
    MAX_DISTANCE_IN_FACE_WIDTHS,
    MAX_FACE_SIZE_RATIO,
    MAX_THREAD_GAP_S,
    MIN_DECORRELATION,
    ShotThreads,
)
from personae.metrics.clustering import bcubed

HERE, THERE = (100, 100, 50, 50), (400, 100, 50, 50)


def thumbnail(seed: int, noise: int = 0) -> np.ndarray:
    """A frame thumbnail of broad patches, with a little noise if wanted."""
    height, width, colours = THUMBNAIL_SHAPE
    broad = np.random.default_rng(seed).integers(0, 255, (height // 2, width // 2, colours))
    fine = np.random.default_rng(noise).normal(0, 3, THUMBNAIL_SHAPE) if noise else 0
    return np.clip(np.kron(broad, np.ones((2, 2, 1))) + fine, 0, 255).astype(np.uint8)


def tracks_of(*crops: tuple[int, float, tuple[int, int, int, int], np.ndarray]) -> TrackSet:
    """Tracks of crops (track, time in seconds, box, thumbnail)."""
    track, time, box, thumbnails = zip(*crops, strict=True)
    return TrackSet(
        track_of=np.array(track, np.int32),
        crops=Crops(
            boxes=np.array(box, np.float32),
            thumbnails=np.array(thumbnails),
            times_s=np.array(time, np.float32),
        ),
    )


def test_a_thread_pair_is_near_one_position_within_the_gap() -> None:
    found = ShotThreads().measure(
        tracks_of(
            (0, 0.0, HERE, thumbnail(1)),
            (
                1,
                5.0,
                (140, 100, 50, 50),
                thumbnail(1, noise=1),
            ),  # track 0 again, leaning to the right
            (2, 5.0, THERE, thumbnail(1)),  # elsewhere in the same frame
            (3, 5.5, (80, 80, 110, 110), thumbnail(1)),  # much larger
            (4, 6.0 + MAX_THREAD_GAP_S, HERE, thumbnail(1)),  # too late
        )
    )
    assert found.pairs.tolist() == [[0, 1]]
    assert found.features[0, 0] > 3
    assert found.features[0, 1] == pytest.approx(-40 / 50)


def test_the_most_similar_crops_count_whichever_track_comes_first() -> None:
    crops = [
        (1, 0.0, HERE, thumbnail(5)),
        (1, 1.0, (110, 100, 50, 50), thumbnail(6)),
        (0, 8.0, HERE, thumbnail(7)),
        (0, 9.0, HERE, thumbnail(6, noise=1)),
    ]
    found = ShotThreads().measure(tracks_of(*crops))
    assert found.pairs.tolist() == [[0, 1]]
    assert found.features[0, 1] == pytest.approx(-0.2)
    alike, other = (
        ShotThreads().measure(tracks_of(crops[1], crops[3])),
        ShotThreads().measure(tracks_of(crops[0], crops[2])),
    )
    np.testing.assert_allclose(found.features, alike.features)
    assert found.features[0, 0] > other.features[0, 0] + 2


def test_similarity_ignores_exposure_and_is_bounded() -> None:
    dark = (thumbnail(3) * 0.5).astype(np.uint8)
    found = ShotThreads().measure(tracks_of((0, 0.0, HERE, thumbnail(3)), (1, 1.0, HERE, dark)))
    assert found.features.tolist() == [[pytest.approx(-np.log(MIN_DECORRELATION)), 0]]


def test_tracks_that_overlap_in_time_form_no_pair() -> None:
    changed = tracks_of(
        (0, 0.0, HERE, thumbnail(1)),
        (0, 4.0, THERE, thumbnail(1)),
        (1, 2.0, THERE, thumbnail(1)),
        (1, 6.0, HERE, thumbnail(1)),
    )
    assert not len(ShotThreads().measure(changed).pairs)


def test_without_thumbnails_boxes_or_times_there_are_no_pairs() -> None:
    tracks = tracks_of((0, 0.0, HERE, thumbnail(1)), (1, 1.0, HERE, thumbnail(1)))
    assert len(ShotThreads().measure(tracks).pairs) == 1
    for missing in ("thumbnails", "boxes", "times_s"):
        crops = replace(tracks.crops, **{missing: None})
        assert not len(ShotThreads().measure(replace(tracks, crops=crops)).pairs)


def test_blocks_of_a_long_film_leave_no_pair_out() -> None:
    rng = np.random.default_rng(0)
    n = 1500
    time = np.sort(rng.uniform(0, 700, n)).astype(np.float32)
    box = np.column_stack([rng.uniform(0, 400, (n, 2)), np.full((n, 2), 60)]).astype(np.float32)
    thumbnails = np.array([thumbnail(int(seed)) for seed in range(5)])[rng.integers(0, 5, n)]
    tracks = TrackSet(
        track_of=np.arange(n, dtype=np.int32),
        crops=Crops(boxes=box, thumbnails=thumbnails, times_s=time),
    )
    expected = {
        (a, b): -float(np.linalg.norm(box[a, :2] - box[b, :2]) / 60)
        for a in range(n)
        for b in range(a + 1, n)
        if time[b] - time[a] <= MAX_THREAD_GAP_S
        and np.linalg.norm(box[a, :2] - box[b, :2]) < MAX_DISTANCE_IN_FACE_WIDTHS * 60
    }
    found = ShotThreads().measure(tracks)
    assert len(expected) > 1000
    assert {
        (int(a), int(b)): pytest.approx(near, abs=1e-4) for (a, b), near in expected.items()
    } == {
        (int(a), int(b)): float(near)
        for (a, b), (_, near) in zip(found.pairs, found.features, strict=True)
    }


def test_shot_threads_group_poor_faces() -> None:
    """Four people in two set-ups.

    The clear half of their tracks calibrates the threads, and the poor half is grouped by them.
    """
    without, with_threads = [], []
    for seed in range(4):
        tracks, person = cast([12] * 4, seed)
        poor = np.arange(len(person)) % 2 == 1
        blur = np.random.default_rng(seed).normal(0, 0.18, (len(person), 128)) * poor[:, None]
        alone = replace(
            tracks,
            embeddings=unit_rows(tracks.require_embeddings() + blur[tracks.track_of]).astype(
                np.float32
            ),
        )
        known = replace(
            alone,
            crops=Crops(
                boxes=np.array([HERE, THERE], np.float32)[person % 2][tracks.track_of],
                thumbnails=np.array(
                    [thumbnail(int(person[t]), noise=i + 1) for i, t in enumerate(tracks.track_of)]
                ),
                times_s=tracks.track_of.astype(np.float32),
            ),
        )
        for film, found in ((alone, without), (known, with_threads)):
            found.append(bcubed(person, CalibratedLinkage().cluster(film, None).labels).f)
    assert np.mean(with_threads) > np.mean(without) + 0.1
    assert (np.array(with_threads) >= without).all()


def pair_of_faces(
    gap_s: float = 1.0, shift: float = 0.0, ratio: float = 1.0, reverse: bool = False
) -> TrackSet:
    """Two faces in one set-up, the first one 50 pixels wide and centred at (200, 200)."""
    small, large = (
        np.array([200, 200, 50, 50]),
        np.array([200 + shift, 200, 50 * ratio, 50 * ratio]),
    )
    boxes = [tuple(int(v) for v in box) for box in (small * 100, large * 100)]
    centred = [(x - w // 2, y - h // 2, w, h) for x, y, w, h in boxes]
    first, second = centred[::-1] if reverse else centred
    return tracks_of((0, 0.0, first, thumbnail(1)), (1, gap_s, second, thumbnail(1)))


@pytest.mark.parametrize(("gap_s", "n_pairs"), [(0.0, 0), (0.5, 1), (60.0, 1), (60.1, 0)])
def test_a_pair_is_at_most_60_seconds_apart(gap_s: float, n_pairs: int) -> None:
    assert MAX_THREAD_GAP_S == 60.0
    assert len(ShotThreads().measure(pair_of_faces(gap_s=gap_s)).pairs) == n_pairs


@pytest.mark.parametrize(("shift", "n_pairs"), [(74.0, 1), (76.0, 0), (-74.0, 1), (-76.0, 0)])
def test_a_pair_is_less_than_one_and_a_half_face_widths_apart(shift: float, n_pairs: int) -> None:
    assert MAX_DISTANCE_IN_FACE_WIDTHS == 1.5
    assert len(ShotThreads().measure(pair_of_faces(shift=shift)).pairs) == n_pairs


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("ratio", "n_pairs"), [(1.0, 1), (1.98, 1), (2.02, 0), (60.0, 0)])
def test_a_pair_has_sizes_within_a_factor_of_two(ratio: float, n_pairs: int, reverse: bool) -> None:
    assert MAX_FACE_SIZE_RATIO == 2.0
    assert len(ShotThreads().measure(pair_of_faces(ratio=ratio, reverse=reverse)).pairs) == n_pairs


def test_distance_is_in_geometric_mean_face_widths() -> None:
    found = ShotThreads().measure(pair_of_faces(shift=30.0, ratio=1.44))
    assert found.features[0, 1] == pytest.approx(-30 / (50 * 1.2))


def test_similarity_is_at_most_that_of_a_correlation_of_0_99() -> None:
    assert MIN_DECORRELATION == 0.01
    assert ShotThreads().measure(pair_of_faces()).features[0, 0] == pytest.approx(-np.log(0.01))


def test_shot_threads_never_speak_against_one_person() -> None:
    """A set-up that looks different when it returns is no evidence against it."""
    assert (ShotThreads.min_log_odds, ShotThreads.max_log_odds) == (0.0, MAX_LOG_ODDS)
    assert ShotThreads().measure(pair_of_faces()).gaps_s is None
