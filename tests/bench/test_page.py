"""Tables and page of a benchmark, and the published results beside them."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.bench import (
    DATASET,
    SHORT_ADAPTATION,
    load_simulated,
    run_small,
    save_labelled_features,
)
from helpers.html_page import Page
from personae.bench.learned_auc import pair_auc
from personae.bench.methods import resolve_methods
from personae.bench.page import group_by_iterations, render_page
from personae.bench.published import PUBLISHED, find_published
from personae.bench.tables import dataset_rows, mean_rows, summarise, write_results_csv
from personae.cli.app import app
from personae.metrics.registry import METRICS


def test_summary_is_mean_and_sample_deviation():
    summary = summarise([0.8, 0.9, 1.0])
    assert (summary.mean, summary.deviation) == pytest.approx((0.9, 0.1))
    assert summary.format(scale=100) == "90.0 ± 10.0"
    assert summarise([0.5]).format(scale=100) == "50.0"
    assert summarise([0.5, 0.5], uses_seed=False).format(scale=100) == "50.0"


def test_command_writes_csv_and_page(tmp_path):
    output = tmp_path / "out"
    options = ["--data", DATASET, "--methods", "hac,kmeans", "--seeds", "2", "--device", "cpu"]
    result = CliRunner().invoke(app, ["bench", *options, "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert "simulated features" in result.output
    assert "results.csv" in result.output
    with open(output / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * (len(METRICS) + 1)
    assert {row["simulated"] for row in rows} == {"yes"}
    assert {row["given"] for row in rows if row["method"] == "kmeans"} == {"K"}
    wcp = [
        float(row["value"]) for row in rows if row["metric"] == "WCP" and row["method"] == "kmeans"
    ]
    assert len(wcp) == 2
    page = Page((output / "bench.html").read_text(encoding="utf-8"))
    assert page.open == []
    cells = "".join(page.texts["td"])
    mean, deviation = 100 * np.mean(wcp), 100 * np.std(wcp, ddof=1)
    assert f"{mean:.1f} ± {deviation:.1f}" in cells
    assert f"{mean:.1f}" in result.output


def test_page_marks_simulated_features_and_needs_no_network(tmp_path):
    text = render_page(run_small(tmp_path))
    page = Page(text)
    assert page.open == []
    assert "Simulated features" in page.texts["p"][1]
    assert "(simulated" in page.texts["title"][0]
    assert "no published results" in "".join(page.texts["p"])
    for external in ("http://", "https://", "src=", "<script", "@import", "url("):
        assert external not in text


def test_tables_hide_the_cluster_ratio_of_methods_that_are_given_k(tmp_path):
    benchmark = run_small(tmp_path, datasets=[DATASET, "simulated?tracks=20&people=2"])
    for rows in (dataset_rows(benchmark, benchmark.datasets[0]), mean_rows(benchmark)):
        hac, kmeans = rows
        assert "given" not in hac.cells.values()
        assert kmeans.cells["PCR"] == "given"
    wcp = [
        one.metrics["WCP"]
        for one in benchmark.results
        if one.method.name == "hac" and one.seed == 0
    ]
    assert mean_rows(benchmark)[0].cells["WCP"] == f"{100 * np.mean(wcp):.1f}"


def test_mean_leaves_simulated_sets_out_if_there_are_real_ones(tmp_path):
    real = save_labelled_features(tmp_path / "a.npz", ["ann", "ann", "bob", "bob"])
    benchmark = run_small(tmp_path, datasets=[DATASET, real])
    rows = dataset_rows(benchmark, benchmark.datasets[1])
    assert mean_rows(benchmark)[0].cells == rows[0].cells


def test_iteration_curves_group_methods_by_all_other_flags():
    names = [
        "personae",
        "personae:iterations=2",
        "personae:iterations=3:cross-track-pairs=none",
        "hac",
    ]
    groups = group_by_iterations(tuple(resolve_methods(names)))
    assert {name: list(group) for name, group in groups.items()} == {"personae": [2, 5]}


def test_page_shows_iteration_curves_and_quality(tmp_path):
    names = [f"personae:{SHORT_ADAPTATION}:iterations={n}" for n in (1, 2)]
    text = render_page(run_small(tmp_path, names))
    assert "WCP after each iteration" in text
    assert "pair AUC of the learned metric after each iteration" in text
    assert "SER-FIQ" in text
    assert text.count('class="curve k0"') == 4


def test_methods_that_share_their_adaptations_share_the_curve_of_the_learned_metric(tmp_path):
    names = [
        f"{name}:{SHORT_ADAPTATION}:iterations={n}{flag}"
        for name, flag in (
            ("personae", ""),
            ("personae", ":people=known"),
            ("personae", ":cross-track-pairs=none"),
        )
        for n in (1, 2)
    ]
    page = Page(render_page(run_small(tmp_path, names, n_seeds=1)))
    (caption,) = [one for one in page.texts["figcaption"] if "pair AUC" in one]
    assert caption.count(" and ") == 1
    assert caption.count("cross-track-pairs=none") == 1


def test_results_hold_the_auc_of_the_metric_after_a_methods_last_iteration(tmp_path):
    names = [f"personae:{SHORT_ADAPTATION}:iterations={n}" for n in (0, 1, 2)]
    benchmark = run_small(tmp_path, names, n_seeds=1)
    none, first, second = (one.learned_auc for one in benchmark.results)
    assert none is None
    assert 0.5 < first <= 1
    assert first != second
    write_results_csv(benchmark, tmp_path / "results.csv")
    with open(tmp_path / "results.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "learned AUC"]
    assert [float(row["value"]) for row in rows] == pytest.approx([first, second], abs=1e-5)


def test_pair_auc_is_the_share_of_pairs_in_the_right_order(tmp_path):
    """Count by hand: pairs of one person against pairs of two, over labelled tracks."""
    data = load_simulated(tmp_path)
    truth = np.where(np.arange(30) < 5, -1, data.truth)
    data = replace(data, truth=truth)
    scores = np.random.default_rng(0).random((30, 30))
    scores = scores + scores.T
    pairs = [(a, b) for a in range(5, 30) for b in range(5, a)]
    same = [scores[a, b] for a, b in pairs if truth[a] == truth[b]]
    different = [scores[a, b] for a, b in pairs if truth[a] != truth[b]]
    right = np.mean([[s > d for d in different] for s in same])
    assert pair_auc(scores, data) == pytest.approx(right)
    assert pair_auc(scores, replace(data, truth=np.zeros(30, dtype=np.int64))) is None


def test_nothing_is_published_on_simulated_features(tmp_path):
    assert find_published(load_simulated(tmp_path)) is None


def test_published_results_are_shown_on_the_same_tracks_only(tmp_path):
    data = load_simulated(tmp_path, "simulated?tracks=644&people=5&dim=2")
    data = replace(data, simulated=False)
    protocol = next(name for name, table in PUBLISHED.items() if table.n_tracks == 644)
    same = replace(data, protocol=protocol)
    assert find_published(same).results == PUBLISHED[protocol].results
    assert find_published(data) is None
    unlabelled = np.where(np.arange(644) == 0, -1, data.truth)
    assert find_published(replace(same, truth=unlabelled)) is None
    assert find_published(replace(same, simulated=True)) is None
