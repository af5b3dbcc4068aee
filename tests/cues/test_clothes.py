"""Clothes: which pairs of tracks are compared, and how alike they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import personae.cues.clothes as clothes_module
from helpers.cast import cast, no_tracks
from helpers.dressed_cast import dress, seen_together
from personae.core.trackset import Crops, TrackSet
from personae.cues.clothes import MAX_GAP_S, MIN_DISSIMILARITY, Clothes


def tracks_in(*crops: tuple[int, float, list[float]], cannot_link: object = ()) -> TrackSet:
    """Tracks of crops (track, time in seconds, histogram)."""
    track, time, histogram = zip(*crops, strict=True)
    return TrackSet(
        track_of=np.array(track, np.int32),
        crops=Crops(clothes=np.array(histogram, np.float32), times_s=np.array(time, np.float32)),
        cannot_link=np.array(cannot_link, np.int32).reshape(-1, 2),
    )


def slow_pairs(tracks: TrackSet) -> dict[tuple[int, int], tuple[float, float]]:
    """Return feature and time of every pair, written out track by track."""
    means, spans = [], []
    for crops in tracks.members():
        shown = [one for one in tracks.crops.clothes[crops].astype(np.float64) if one.sum() > 0]
        means.append(np.mean(shown, axis=0) if shown else None)
        times = tracks.crops.times_s[crops].astype(np.float64)
        spans.append((times.min(), times.max()))
    linked = {tuple(sorted(pair)) for pair in tracks.cannot_link.tolist()}
    found = {}
    for i in range(tracks.n_tracks):
        for j in range(i + 1, tracks.n_tracks):
            gap = max(spans[j][0] - spans[i][1], spans[i][0] - spans[j][1], 0.0)
            dressed = means[i] is not None and means[j] is not None
            if dressed and gap <= 300 and (i, j) not in linked:
                similarity = np.sqrt(means[i] * means[j]).sum()
                found[i, j] = (-np.log(max(1 - similarity, 0.01)), gap)
    return found


@pytest.mark.parametrize("block_size", [7, 512])
def test_pairs_are_bhattacharyya_coefficients_written_out(
    block_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film of ten minutes, in blocks whose windows overlap; tracks are in no order of time."""
    monkeypatch.setattr(clothes_module, "BLOCK_SIZE", block_size)
    tracks, person = cast([20, 15, 15], crops=3)
    outfit = np.where(np.arange(50) % 9 == 0, -1, person)
    tracks = dress(tracks, outfit, seconds_apart=12.0, variety=0.2)
    shown = tracks.crops.clothes.copy()
    shown[::7] = 0.0  # crops of dressed tracks that show none
    shuffled = np.random.default_rng(0).permutation(50)[tracks.track_of]
    tracks = replace(
        tracks,
        track_of=shuffled.astype(np.int32),
        crops=replace(tracks.crops, clothes=shown),
        cannot_link=seen_together(np.arange(50), 40)[:, ::-1],
    )
    found, expected = Clothes().measure(tracks), slow_pairs(tracks)
    assert len(found.pairs) == len(expected) > 300
    assert (found.pairs[:, 0] < found.pairs[:, 1]).all()
    for pair, feature, gap in zip(found.pairs, found.features, found.gaps_s, strict=True):
        similar, apart = expected[int(pair[0]), int(pair[1])]
        assert feature[0] == pytest.approx(similar, abs=1e-3)
        assert gap == pytest.approx(apart, abs=1e-3)


def test_tracks_on_screen_together_and_undressed_ones_are_left_out() -> None:
    red, blue, nothing = [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]
    crops = [(0, 0.0, red), (1, 0.0, blue), (2, 3.0, red), (3, 3.0, nothing)]
    found = Clothes().measure(tracks_in(*crops, cannot_link=[(1, 0)]))
    assert {tuple(pair) for pair in found.pairs.tolist()} == {(0, 2), (1, 2)}


def test_crops_without_clothes_do_not_dilute_a_track() -> None:
    red, nothing = [1.0, 0.0], [0.0, 0.0]
    found = Clothes().measure(tracks_in((0, 0.0, red), (0, 1.0, nothing), (1, 5.0, red)))
    assert found.features.tolist() == [[pytest.approx(-np.log(MIN_DISSIMILARITY))]]
    assert found.gaps_s.tolist() == [4.0]


@pytest.mark.parametrize(("gap_s", "n_pairs"), [(0.0, 1), (300.0, 1), (300.1, 0)])
def test_tracks_are_at_most_five_minutes_apart(gap_s: float, n_pairs: int) -> None:
    assert MAX_GAP_S == 300.0
    found = Clothes().measure(tracks_in((0, 1.0, [1.0]), (1, 1.0 + gap_s, [1.0])))
    assert len(found.pairs) == n_pairs


def test_tracks_that_overlap_are_no_time_apart() -> None:
    crops = [(0, 0.0, [1.0]), (0, 9.0, [1.0]), (1, 4.0, [1.0])]
    assert Clothes().measure(tracks_in(*crops)).gaps_s.tolist() == [0.0]


def test_similarity_is_bounded_by_noise() -> None:
    assert MIN_DISSIMILARITY == 0.01
    found = Clothes().measure(tracks_in((0, 0.0, [1.0, 0.0]), (1, 1.0, [1.0, 0.0])))
    assert found.features[0, 0] == pytest.approx(-np.log(0.01))
    apart = Clothes().measure(tracks_in((0, 0.0, [1.0, 0.0]), (1, 1.0, [0.0, 1.0])))
    assert apart.features[0, 0] == pytest.approx(0.0)


@pytest.mark.parametrize("missing", ["clothes", "times_s"])
def test_without_clothes_or_times_there_are_no_pairs(missing: str) -> None:
    tracks, person = cast([3, 3])
    dressed = dress(tracks, person)
    assert len(Clothes().measure(dressed).pairs) == 15
    crops = replace(dressed.crops, **{missing: None})
    assert not len(Clothes().measure(replace(dressed, crops=crops)).pairs)


def test_without_tracks_or_dressed_tracks_there_are_no_pairs() -> None:
    tracks, _ = cast([3])
    nobody = dress(tracks, np.full(3, -1))
    for film in (no_tracks(), nobody):
        found = Clothes().measure(film)
        assert found.pairs.shape == (0, 2)
        assert found.features.shape == (0, 1)


def test_clothes_speak_for_and_against_one_person() -> None:
    assert (Clothes.min_log_odds, Clothes.max_log_odds) == (-3.0, 3.0)
