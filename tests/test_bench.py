"""The benchmark end to end on simulated features, and its parts against plain formulas."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from html_page import Page
from personae.adapt import adapt
from personae.bench.charts import Curve, curves, histogram, plate
from personae.bench.image_statistics import LARGEST, lightness, sharpness_by_svd
from personae.bench.methods import GROUPS, method, methods
from personae.bench.networks import Networks, first_iterations
from personae.bench.page import families, render_page
from personae.bench.published import PUBLISHED, published
from personae.bench.runner import Bench, run_bench
from personae.bench.scatter_plots import layout, matched
from personae.bench.tables import mean_rows, rows_of, spread
from personae.bench.task import CosineMetric, EuclideanMetric, Task, algorithm1_on, metric_of
from personae.cli.app import app
from personae.cluster.videoclusternet import VideoClusterNet
from personae.compared import SYSTEMS
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError
from personae.cues.face import plausible_pairs
from personae.cues.loss_metric import mean_similarity
from personae.datasets import DatasetContext, load
from personae.metrics.registry import FIGURES, figures

DATA = "simulated?tracks=30&people=3"
SHORT = "first-epochs=1:later-epochs=1:max-steps-per-epoch=3:min-steps-per-epoch=1"
FAST = ["hac", "kmeans"]
CPU = Networks(device="cpu")


def bench(
    folder: Path, names: list[str] = FAST, data: list[str] | None = None, **wanted: object
) -> Bench:
    return run_bench(data or [DATA], names, folder, seeds=2, networks=CPU, **wanted)


def simulated(folder: Path, text: str = DATA):
    return load(text, DatasetContext(folder, device="cpu"))


# --- methods by name


def test_groups_name_methods_that_there_are():
    for names in GROUPS.values():
        assert [one.name for one in methods(list(names))]
    everything = methods(["all", "ablations", "iterations", "depths"])
    assert len({one.name for one in everything}) == len(everything)
    assert {"personae", "hac", "tsiam"} <= {one.name for one in everything}
    assert len(methods(["all", "hac", "personae"])) == len(methods(["all"]))


def test_the_order_of_flags_does_not_matter():
    one, other = (
        method("personae:matching=off:iterations=3"),
        method("personae:iterations=3:matching=off"),
    )
    assert one.name == other.name
    assert one.settings == other.settings
    assert one.adapt == AdaptConfig(iterations=3, matching=False)


def test_methods_that_are_told_something_say_so():
    assert method("kmeans").given == "K"
    assert method("tsiam:threshold=1.0").given == ""
    assert method("personae").given == ""
    assert method("personae:people=known").given == "K"
    assert method("mlr").given == "a labelled track a person"
    for name, system in SYSTEMS.items():
        if system.runnable:
            assert system.title in method(name).title
            assert (method(name).given == "K") == ("n_clusters" in system.needs)


def test_different_methods_have_different_settings():
    chosen = methods(["all", "ablations", "iterations", "depths"])
    same = Counter(json.dumps([one.settings, one.encoder], sort_keys=True) for one in chosen)
    # five iterations are what our two adapting methods do anyway
    assert sum(same.values()) - len(same) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nobody", "no method 'nobody'; there are: personae"),
        ("hac:threshold=1", "no flag 'threshold'; there are: people"),
        ("personae:speed=1", "no flag 'speed'"),
        ("personae:iterations=x", "iterations cannot be 'x'"),
        ("personae:iterations", "write flags as :name=value"),
        ("personae:people=five", "people should be one of unknown, known"),
        ("personae:similarity=cosine", "clusters by personae"),
        ("videoclusternet-paper:people=known", "cannot be told"),
        ("videoclusternet-paper:iterations=0", "at least one iteration"),
        ("tsiam:speed=1", "no flag 'speed'"),
        ("mvcorr", "cannot be run here"),
    ],
)
def test_a_method_that_there_is_not_is_refused_in_one_sentence(text, says):
    with pytest.raises(SettingError, match=says) as caught:
        method(text)
    assert "\n" not in str(caught.value)


# --- ablations against plain formulas


def test_the_other_metrics_are_cosine_and_squared_euclidean():
    x = np.random.default_rng(0).normal(size=(6, 4))
    cosine, square = (mean_similarity(*m.sides(x)) for m in (CosineMetric(), EuclideanMetric()))
    for a, b in itertools.product(range(6), repeat=2):
        plain = -x[a] @ x[b] / np.linalg.norm(x[a]) / np.linalg.norm(x[b])
        assert cosine[a, b] == pytest.approx(plain)
        assert square[a, b] == pytest.approx(((x[a] - x[b]) ** 2).sum())


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory):
    data = simulated(tmp_path_factory.mktemp("room"))
    config = method(f"personae:{SHORT}:iterations=3").adapt
    return data, config, adapt(data.tracks, None, config, plausible=plausible_pairs(data.tracks))


@pytest.mark.parametrize("centre", [True, False])
def test_algorithm1_without_flags_is_the_published_method(adapted, centre):
    data, _, adaptation = adapted
    task = Task(data.tracks, adaptation, 3, {}, 0)
    ours = algorithm1_on(task, metric_of("loss", task, centre), quality_filter=True)
    assert ours.tolist() == VideoClusterNet(centre).cluster(data.tracks, adaptation).labels.tolist()


def test_the_first_iterations_of_a_long_adaptation_are_a_short_one(adapted):
    data, config, long = adapted
    fewer = config.model_copy(update={"iterations": 2})
    short = adapt(data.tracks, None, fewer, plausible=plausible_pairs(data.tracks))
    part, seconds = first_iterations(long, 2)
    assert len(part.iterations) == 2
    for one, other in zip(part.iterations, short.iterations, strict=True):
        np.testing.assert_array_equal(one.embeddings, other.embeddings)
        np.testing.assert_array_equal(one.matches, other.matches)
    assert 0 < seconds < first_iterations(long, 3)[1]


def test_base_embeddings_serve_where_nothing_is_adapted(tmp_path):
    done = bench(
        tmp_path, ["videoclusternet-paper:similarity=cosine:iterations=0", "personae:iterations=0"]
    )
    assert all(one.saved.adapt_seconds == 0 for one in done.results)
    assert all(one.figures["WCP"] > 0.5 for one in done.results)


# --- figures


def test_figures_count_labelled_tracks_only_and_weigh_them():
    truth = np.array([0, 0, 1, 1, -1])
    labels = np.array([0, 0, 0, -1, 1])
    found = figures(truth, labels, np.array([10, 20, 5, 1, 99]), np.array([1, 1, 3, 1, 9]))
    assert list(found) == list(FIGURES)
    assert found["tracks"] == 4
    assert found["WCP"] == 3 / 4
    assert found["WCP frames"] == 31 / 36
    assert found["WCP crops"] == (3 + 1) / 6
    assert found["PCR"] == 2 / 2
    assert found["placed"] == 3 / 4
    assert found["WCP placed"] == 2 / 3
    assert found["PCR placed"] == 1 / 2
    assert found["clusters"] == 1


def test_spread_is_mean_and_sample_deviation():
    both = spread([0.8, 0.9, 1.0])
    assert (both.mean, both.deviation) == pytest.approx((0.9, 0.1))
    assert both.text(scale=100) == "90.0 ± 10.0"
    assert spread([0.5]).text(scale=100) == "50.0"
    assert spread([0.5, 0.5], seeded=False).text(scale=100) == "50.0"


# --- the loop


class Watch:
    """A hook that keeps what was finished, and may stop the run."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.finished: list[str] = []
        self.last = (0, 0)
        self.stop_after = stop_after

    def __call__(self, stage: str, done: int, total: int | None, **facts: object) -> None:
        if stage == "bench":
            self.last = (done, total)
            if "method" in facts:
                self.finished.append(str(facts["method"]))
            if len(self.finished) == self.stop_after:
                raise KeyboardInterrupt


def test_every_method_on_every_data_set_with_every_seed(tmp_path):
    watch = Watch()
    done = bench(tmp_path, data=[DATA, "simulated?tracks=20&people=2"], hook=watch)
    assert watch.last == (8, 8)
    assert Counter(watch.finished) == {"hac": 2, "kmeans": 4}, (
        "one seed speaks for a method without any"
    )
    assert len(done.results) == 8
    assert {(one.dataset.name, one.method.name, one.seed) for one in done.results} == set(
        itertools.product([one.name for one in done.datasets], FAST, [0, 1])
    )


def test_nothing_is_worked_out_twice(tmp_path):
    first = bench(tmp_path)
    watch = Watch()
    second = bench(tmp_path, hook=watch)
    assert watch.finished == []
    assert watch.last == (4, 4)
    assert [one.saved for one in first.results] == [one.saved for one in second.results]
    bench(tmp_path, [*FAST, "finch"], hook=watch)
    assert watch.finished == ["finch"]


def test_a_stopped_run_goes_on_and_gives_the_same(tmp_path):
    names = [
        "hac",
        f"personae:{SHORT}:iterations=2",
        f"videoclusternet-paper:{SHORT}:iterations=1",
        "kmeans",
    ]
    with pytest.raises(KeyboardInterrupt):
        bench(tmp_path / "stopped", names, hook=Watch(stop_after=3))
    watch = Watch()
    went_on = bench(tmp_path / "stopped", names, hook=watch)
    at_once = bench(tmp_path / "whole", names)
    assert 0 < len(watch.finished) <= 4
    assert [one.saved.labels for one in went_on.results] == [
        one.saved.labels for one in at_once.results
    ]


def test_a_killed_run_goes_on(tmp_path):
    words = [
        "bench",
        "--data",
        DATA,
        "--methods",
        "hac,kmeans,finch,uldml",
        "--seeds",
        "2",
        "--device",
        "cpu",
    ]
    command = [
        sys.executable,
        "-m",
        "personae.cli",
        *words,
        "-o",
        str(tmp_path),
        "--progress",
        "json",
    ]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        for line in process.stderr:
            if "method" in json.loads(line):
                process.kill()
    kept = len(list((tmp_path / "cache").glob("*.json")))
    assert kept >= 1
    watch = Watch()
    done = bench(tmp_path, ["hac", "kmeans", "finch", "uldml"], hook=watch)
    assert (
        len(watch.finished)
        == len({(one.method.name, one.saved.seed) for one in done.results}) - kept
    )
    assert watch.last == (8, 8)


def test_a_result_that_was_cut_off_is_made_again(tmp_path):
    first = bench(tmp_path)
    for path in (tmp_path / "cache").glob("*.json"):
        path.write_text(path.read_text()[:40])
    watch = Watch()
    assert [one.saved.labels for one in bench(tmp_path, hook=watch).results] == [
        one.saved.labels for one in first.results
    ]
    assert len(watch.finished) == 3


def save_labels(path: Path, labels: list[str]) -> str:
    rng = np.random.default_rng(0)
    track_of = np.repeat(np.arange(len(labels)), 3)
    np.savez(path, embeddings=rng.normal(size=(len(track_of), 8)), track_of=track_of, labels=labels)
    return f"features:{path}"


def test_other_labels_change_results_only_of_methods_that_are_told(tmp_path):
    text = save_labels(tmp_path / "a.npz", ["ann", "ann", "bob", "bob", "cid", "cid"])
    bench(tmp_path, data=[text])
    save_labels(tmp_path / "a.npz", ["ann", "ann", "ann", "bob", "bob", "bob"])
    watch = Watch()
    done = bench(tmp_path, data=[text], hook=watch)
    assert set(watch.finished) == {"kmeans"}
    assert done.results[0].figures["people"] == 2


def test_an_adaptation_is_shared_by_methods_of_one_seed(tmp_path):
    names = [
        f"{name}:{SHORT}:iterations={n}"
        for name in ("personae", "videoclusternet-paper")
        for n in (1, 2)
    ]
    done = bench(tmp_path, names)
    folders = [path for path in (tmp_path / "cache").glob("adapt-*") if path.is_dir()]
    assert len(folders) == 2, "one a seed"
    assert set(done.quality) == {done.datasets[0].name}
    assert len(done.quality[done.datasets[0].name]) == 30
    seconds = [one.saved.adapt_seconds for one in done.results if one.seed == 0]
    assert seconds[0] < seconds[1]
    assert seconds[0] == seconds[2]


def test_several_processes_give_what_one_gives(tmp_path):
    one, two = bench(tmp_path / "one"), bench(tmp_path / "two", jobs=2)
    assert [each.saved.labels for each in one.results] == [
        each.saved.labels for each in two.results
    ]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"names": ["nobody"]}, "no method"),
        ({"data": ["nothing"]}, "no kind of data"),
        ({"names": ["hac:encoder=mobilefacenet-192"]}, "has features only"),
        ({"names": [f"personae:depth=last:{SHORT}"]}, "features only"),
        ({"jobs": 0}, "at least one seed and one job"),
    ],
)
def test_what_cannot_be_run_is_refused(wanted, says, tmp_path):
    with pytest.raises(SettingError, match=says):
        bench(tmp_path, **wanted)


def test_data_sets_of_one_name_stay_apart(tmp_path):
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
    one = save_labels(tmp_path / "a" / "x.npz", ["ann", "ann", "bob"])
    two = save_labels(tmp_path / "b" / "x.npz", ["ann", "bob", "bob", "bob"])
    done = bench(tmp_path, data=[one, two])
    assert [each.name for each in done.datasets] == ["x", "x (2)"]
    assert [each.figures["tracks"] for each in done.results] == [3] * 4 + [4] * 4


# --- tables and page


def test_the_command_leaves_tables_and_a_page(tmp_path):
    words = [
        "bench",
        "--data",
        DATA,
        "--methods",
        "hac,kmeans",
        "--seeds",
        "2",
        "-o",
        str(tmp_path / "out"),
    ]
    said = CliRunner().invoke(app, [*words, "--device", "cpu"])
    assert said.exit_code == 0, said.output
    assert "simulated features" in said.output
    assert "results.csv" in said.output
    with open(tmp_path / "out" / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * (len(FIGURES) + 1)
    assert {row["simulated"] for row in rows} == {"yes"}
    assert {row["given"] for row in rows if row["method"] == "kmeans"} == {"K"}
    wcp = [
        float(row["value"]) for row in rows if row["metric"] == "WCP" and row["method"] == "kmeans"
    ]
    assert len(wcp) == 2
    page = Page((tmp_path / "out" / "bench.html").read_text(encoding="utf-8"))
    assert page.open == []
    cells = "".join(page.texts["td"])
    mean, deviation = 100 * np.mean(wcp), 100 * np.std(wcp, ddof=1)
    assert f"{mean:.1f} ± {deviation:.1f}" in cells
    assert f"{mean:.1f}" in said.output


def test_the_page_says_what_is_simulated_and_needs_no_network(tmp_path):
    text = render_page(bench(tmp_path))
    page = Page(text)
    assert page.open == []
    assert "Simulated features" in page.texts["p"][1]
    assert "(simulated" in page.texts["title"][0]
    assert "No published figures" in "".join(page.texts["p"])
    for outside in ("http://", "https://", "src=", "<script", "@import", "url("):
        assert outside not in text


def test_tables_hide_the_ratio_of_methods_that_are_given_it(tmp_path):
    done = bench(tmp_path, data=[DATA, "simulated?tracks=20&people=2"])
    for rows in (rows_of(done, done.datasets[0]), mean_rows(done)):
        free, told = rows
        assert "given" not in free.cells.values()
        assert told.cells["PCR"] == "given"
    hac = [one.figures["WCP"] for one in done.results if one.method.name == "hac" and one.seed == 0]
    assert mean_rows(done)[0].cells["WCP"] == f"{100 * np.mean(hac):.1f}"


def test_the_mean_leaves_simulated_sets_out_where_there_are_real_ones(tmp_path):
    real = save_labels(tmp_path / "a.npz", ["ann", "ann", "bob", "bob"])
    done = bench(tmp_path, data=[DATA, real])
    assert mean_rows(done)[0].cells == rows_of(done, done.datasets[1])[0].cells


def test_iteration_curves_group_methods_by_all_other_flags():
    chosen = methods(
        ["personae", "personae:iterations=2", "personae:iterations=3:matching=off", "hac"]
    )
    assert {name: list(group) for name, group in families(tuple(chosen)).items()} == {
        "personae": [2, 5]
    }


def test_curves_appear_on_the_page(tmp_path):
    text = render_page(bench(tmp_path, [f"personae:{SHORT}:iterations={n}" for n in (1, 2)]))
    assert "WCP after each iteration" in text
    assert "SER-FIQ" in text
    assert text.count('class="curve k0"') == 3


# --- published figures


def test_nothing_is_published_on_simulated_features(tmp_path):
    assert published(simulated(tmp_path)) is None


def test_published_figures_stand_only_beside_the_same_tracks(tmp_path):
    from dataclasses import replace

    data = replace(simulated(tmp_path, "simulated?tracks=644&people=5&dim=2"), simulated=False)
    protocol = next(name for name, (tracks, _, _) in PUBLISHED.items() if tracks == 644)
    same = replace(data, protocol=protocol)
    assert published(same)[1] == PUBLISHED[protocol][2]
    assert published(data) is None
    assert published(replace(same, truth=np.where(np.arange(644) == 0, -1, data.truth))) is None
    assert published(replace(same, simulated=True)) is None


# --- plates, charts, statistics


def test_clusters_take_the_number_of_the_person_they_fit_best():
    truth = np.array([0, 0, 0, 1, 1, 2, 2])
    labels = np.array([5, 5, 1, 0, 0, 0, -1])
    assert matched(truth, labels).tolist() == [0, 0, 3, 1, 1, 1, -1]


def test_the_layout_repeats_itself_and_leaves_unlabelled_tracks_out(tmp_path):
    data = simulated(tmp_path)
    one, other = layout(data), layout(data)
    np.testing.assert_array_equal(one.places, other.places)
    assert one.places.min() == 0
    assert one.places.max() == 1
    data.truth[:3] = -1
    assert layout(data).rows.tolist() == list(range(3, 30))
    data.truth[4:] = -1
    assert layout(data) is None


def test_charts_are_well_formed_and_hold_every_item():
    x = np.random.default_rng(0).random((60, 2))
    dots = ElementTree.fromstring(
        plate(x, [*range(-1, 59)], [f"<{n}>" for n in range(60)], "a & b")
    )
    assert len([one for one in dots.iter() if one.tag in ("circle", "rect", "polygon")]) == 60
    line = Curve("one", [1, 2, 3], [0.5, 0.7, 0.9], [0.1, 0.0, 0.2])
    drawn = ElementTree.fromstring(curves([line, line], "t", "iterations", 1.0))
    assert len(drawn.findall(".//g[@class='curve k1']/circle")) == 3
    bars = ElementTree.fromstring(histogram(np.array([0.0, 0.1, 1.0]), "t", "x", bins=4)).findall(
        "rect"
    )
    room = [float(bar.get("height", 0)) for bar in bars]
    assert [tall / room[0] for tall in room] == pytest.approx([1, 0, 0, 0.5], abs=0.01)


def test_lightness_is_that_of_hls_space():
    crop = np.random.default_rng(1).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    face = crop[24:-24, 24:-24]
    hls = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2HLS)
    assert lightness(crop) == pytest.approx(float(hls[..., 1].mean()), abs=1e-6)


def test_blur_lowers_sharpness():
    crop = np.random.default_rng(2).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    values = [
        sharpness_by_svd(cv2.GaussianBlur(crop, (0, 0), s) if s else crop) for s in (0, 1, 3, 8)
    ]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] < values[0] < 1
    grey = crop @ np.array([0.299, 0.587, 0.114])
    roots = np.sqrt(np.sort(np.linalg.eigvalsh(grey @ grey.T).clip(0))[::-1])
    assert values[0] == pytest.approx(1 - roots[:LARGEST].sum() / roots.sum(), rel=1e-6)
    assert sharpness_by_svd(np.zeros_like(crop)) == 0


def test_kept_results_are_plain_json(tmp_path):
    bench(tmp_path)
    for path in (tmp_path / "cache").glob("*.json"):
        content = json.loads(path.read_text())
        assert {"dataset", "method", "seed", "labels", "seconds", "settings"} <= set(content)
        assert len(content["labels"]) == 30
