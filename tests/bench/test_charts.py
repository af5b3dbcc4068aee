"""Scatter plots, charts and image statistics."""

from __future__ import annotations

from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from helpers.bench import load_simulated
from personae.bench.charts import Line, histogram, line_chart, scatter_plot
from personae.bench.image_statistics import N_BLUR_SINGULAR_VALUES, lightness, svd_sharpness
from personae.bench.scatter_plots import compute_layout, match_clusters_to_people


def test_clusters_take_the_number_of_the_best_matching_person():
    truth = np.array([0, 0, 0, 1, 1, 2, 2])
    labels = np.array([5, 5, 1, 0, 0, 0, -1])
    assert match_clusters_to_people(truth, labels).tolist() == [0, 0, 3, 1, 1, 1, -1]


def test_layout_is_reproducible_and_leaves_unlabelled_tracks_out(tmp_path):
    data = load_simulated(tmp_path)
    one, other = compute_layout(data), compute_layout(data)
    np.testing.assert_array_equal(one.points, other.points)
    assert one.points.min() == 0
    assert one.points.max() == 1
    data.truth[:3] = -1
    assert compute_layout(data).tracks.tolist() == list(range(3, 30))
    data.truth[4:] = -1
    assert compute_layout(data) is None


def test_charts_are_well_formed_and_contain_every_item():
    points = np.random.default_rng(0).random((60, 2))
    names = [f"<{n}>" for n in range(60)]
    scatter = ElementTree.fromstring(scatter_plot(points, [*range(-1, 59)], names, "a & b"))
    marks = [one for one in scatter.iter() if one.tag in ("circle", "rect", "polygon")]
    assert len(marks) == 60
    line = Line("one", [1, 2, 3], [0.5, 0.7, 0.9], [0.1, 0.0, 0.2])
    chart = ElementTree.fromstring(line_chart([line, line], "t", "iterations", 1.0))
    assert len(chart.findall(".//g[@class='curve k1']/circle")) == 3
    values = np.array([0.0, 0.1, 1.0])
    bars = ElementTree.fromstring(histogram(values, "t", "x", bins=4)).findall("rect")
    heights = [float(bar.get("height", 0)) for bar in bars]
    relative = [height / heights[0] for height in heights]
    assert relative == pytest.approx([1, 0, 0, 0.5], abs=0.01)


def test_a_chart_may_start_above_zero_and_draws_lower_values_at_its_foot():
    line = Line("one", [1, 2, 3], [0.5, 0.75, 0.3], [0.0, 0.0, 0.0])
    chart = ElementTree.fromstring(line_chart([line], "t", "iterations", lowest=0.5))
    heights = [float(mark.get("cy", 0)) for mark in chart.findall(".//g/circle")]
    assert heights[0] == heights[2] > heights[1]
    ticks = [float(one.text or 0) for one in chart.findall("text[@text-anchor='end']")]
    assert ticks[0] == 0.5
    assert ticks[-1] <= 0.75 * 1.05


def test_lightness_matches_hls_of_opencv():
    crop = np.random.default_rng(1).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    face = crop[24:-24, 24:-24]
    hls = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2HLS)
    assert lightness(crop) == pytest.approx(float(hls[..., 1].mean()), abs=1e-6)


def test_blur_lowers_svd_sharpness():
    crop = np.random.default_rng(2).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    blurred = [cv2.GaussianBlur(crop, (0, 0), sigma) for sigma in (1, 3, 8)]
    values = [svd_sharpness(one) for one in (crop, *blurred)]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] < values[0] < 1
    grey = crop @ np.array([0.299, 0.587, 0.114])
    singular = np.sqrt(np.sort(np.linalg.eigvalsh(grey @ grey.T).clip(0))[::-1])
    beta = singular[:N_BLUR_SINGULAR_VALUES].sum() / singular.sum()
    assert values[0] == pytest.approx(1 - beta, rel=1e-6)
    assert svd_sharpness(np.zeros_like(crop)) == 0
