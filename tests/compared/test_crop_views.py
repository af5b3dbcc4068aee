"""Views of face crops: descriptors against plain versions, and which views a data set has."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from helpers.simulated_tracks import tracks_of_lengths, tracks_of_people
from personae.compared.cmvfc import CMVFC, FACE_VIEWS
from personae.compared.crop_views import (
    compute_view,
    gabor_magnitudes,
    grey_face,
    hair_colours,
    intensities,
    local_binary_patterns,
    parse_views,
    uniform_pattern_bins,
)
from personae.compared.mcafc import McAFC
from personae.core.errors import SettingError
from personae.core.trackset import Crops

CROP = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)


def test_uniform_patterns_change_at_most_twice_around_the_ring():
    bins = uniform_pattern_bins()
    ring = [format(code, "08b") for code in range(256)]
    changes = [sum(a != b for a, b in zip(bits, bits[1:] + bits[0], strict=True)) for bits in ring]
    uniform = [code for code in range(256) if changes[code] <= 2]
    assert len(uniform) == 58
    assert bins[uniform].tolist() == list(range(58))
    assert set(bins[[code for code in range(256) if changes[code] > 2]].tolist()) == {58}


def test_local_binary_patterns_match_their_definition():
    """Pixel by pixel: compare with the ring of neighbours, and count in 8 x 7 cells."""
    grey = cv2.cvtColor(CROP[24:-24, 24:-24], cv2.COLOR_RGB2GRAY).astype(int)
    bins, ring = uniform_pattern_bins(), [(-1, -1), (-1, 0), (-1, 1), (0, 1)]
    ring += [(-y, -x) for y, x in ring]
    histograms = np.zeros((8, 7, 59))
    rows = np.repeat(np.arange(8), [len(part) for part in np.array_split(np.arange(110), 8)])
    columns = np.repeat(np.arange(7), [len(part) for part in np.array_split(np.arange(110), 7)])
    for y in range(110):
        for x in range(110):
            centre = grey[y + 1, x + 1]
            bits = [grey[y + 1 + dy, x + 1 + dx] >= centre for dy, dx in ring]
            code = sum(int(bit) << number for number, bit in enumerate(bits))
            histograms[rows[y], columns[x], bins[code]] += 1
    histograms /= histograms.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(local_binary_patterns(CROP), histograms.ravel())


def test_gabor_magnitude_matches_its_formula():
    """One pixel in each orientation: the length of the even and the odd filter's answer."""
    grey = grey_face(CROP, (25, 30))
    y, x = np.mgrid[-4:5, -4:5]
    patch = grey[15 - 4 : 15 + 5, 12 - 4 : 12 + 5]
    found = gabor_magnitudes(CROP).reshape(4, 30, 25)[:, 15, 12]
    for number, angle in enumerate(np.deg2rad([0, 45, 90, 135])):
        along = x * np.cos(angle) + y * np.sin(angle)
        # OpenCV's kernels are mirrored, which the magnitude does not see for a symmetric envelope.
        wave = np.exp(-(x**2 + y**2) / (2 * 2.0**2)) * np.exp(2j * np.pi * along / 4.0)
        assert found[number] == pytest.approx(abs((patch * wave).sum()), rel=1e-6)


def test_intensities_are_the_grey_face():
    grey = np.full((160, 160, 3), 7, np.uint8)
    grey[24:-24, 24:-24] = 100
    assert intensities(grey).tolist() == [100.0] * 2000


@pytest.mark.parametrize("side", [160, 112])
def test_hair_is_the_strip_above_the_forehead(side):
    """Only the strip's colour counts; a crop without a margin shows less of it."""
    low = (side - 112) // 2
    crop = CROP[:side, :side].copy()
    crop[max(0, low - 8) : low + 24, low + 24 : low + 88] = (200, 30, 30)
    found = hair_colours(crop)
    assert np.count_nonzero(found) == 1
    assert found.sum() == 1
    crop[max(0, low - 8)] = (30, 30, 200)
    rows = low + 24 - max(0, low - 8)
    assert sorted(hair_colours(crop))[-2:] == pytest.approx([1 / rows, 1 - 1 / rows])


def test_views_are_computed_of_the_chosen_crops_only():
    tracks, _ = tracks_of_people(n_tracks=4, crops=2)
    images = [np.full((112, 112, 3), 20 * number, np.uint8) for number in range(8)]
    clothes = np.eye(8, dtype=np.float32)
    tracks = replace(tracks, crops=Crops(images=images, clothes=clothes))
    rows = np.array([5, 2])
    assert compute_view("intensity", tracks, rows).mean(axis=1).tolist() == [100, 40]
    assert compute_view("torso", tracks, rows).argmax(axis=1).tolist() == [5, 2]
    np.testing.assert_array_equal(
        compute_view("embedding", tracks, rows), tracks.embeddings[rows].astype(np.float64)
    )


def test_a_system_takes_the_views_that_the_tracks_have():
    bare = tracks_of_lengths([1, 1])
    assert parse_views("x", None, FACE_VIEWS, bare) == ("embedding",)
    assert parse_views("x", None, ("hair", "torso"), bare) == ()
    crops = Crops(images=[CROP, CROP])
    with_images = replace(bare, crops=crops)
    assert parse_views("x", None, FACE_VIEWS, with_images) == FACE_VIEWS
    assert parse_views("x", None, ("hair", "torso"), with_images) == ("hair",)
    assert parse_views("x", "lbp+gabor+lbp", FACE_VIEWS, with_images) == ("lbp", "gabor")


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (CMVFC(n_clusters=2, views="lbp"), "view lbp needs images of faces"),
        (CMVFC(n_clusters=2, views="hair"), "no view 'hair'; join some of embedding, intensity"),
        (McAFC(n_clusters=2, cues="hair"), "view hair needs images of faces"),
        (McAFC(n_clusters=2, cues="torso"), "view torso needs colours of clothes"),
        (McAFC(n_clusters=2, cues="voice"), "no view 'voice'; join some of hair, torso"),
    ],
)
def test_a_view_that_is_not_there_is_refused_in_one_sentence(system, message):
    tracks, _ = tracks_of_people()
    with pytest.raises(SettingError, match=message) as caught:
        system.fit_predict(tracks)
    assert "\n" not in str(caught.value)
