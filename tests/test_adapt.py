"""Self-supervised finetuning: each formula against a plain version of it, and the loop as a whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from personae.adapt import Adaptation, adapt
from personae.adapt.head import Branch, FixedLength, ProjectionHead, update_teacher
from personae.adapt.loss import Centre, cross_entropy, view_pairs
from personae.adapt.matching import coarse_matches
from personae.adapt.pairs import PairSampler
from personae.adapt.quality import crop_quality, good_tracks, track_quality
from personae.adapt.schedule import schedule
from personae.adapt.views import GLOBAL_VIEW, LOCAL_VIEW, colour_temperature, draw_view
from personae.core.config import AdaptConfig
from personae.core.errors import ProjectError, SettingError
from personae.core.trackset import TrackSet

QUICK = {
    "iterations": 2,
    "first_epochs": 4,
    "later_epochs": 2,
    "warmup_epochs": 1,
    "min_steps_per_epoch": 6,
}


def people(
    n_people: int = 3,
    tracks_each: int = 4,
    crops: int = 5,
    dim: int = 16,
    seed: int = 0,
    apart: float = 0.5,
) -> TrackSet:
    """Features of well separated people; `apart` is how far one person's tracks lie from each other."""
    rng = np.random.default_rng(seed)
    who = rng.normal(size=(n_people, dim)) * 3
    rows, track_of = [], []
    for track in range(n_people * tracks_each):
        place = who[track % n_people] + rng.normal(size=dim) * apart
        rows.append(place + rng.normal(size=(crops, dim)) * 0.3)
        track_of += [track] * crops
    return TrackSet(
        track_of=np.array(track_of, np.int32), embeddings=np.concatenate(rows).astype(np.float32)
    )


def test_loss_equals_the_formula_written_out() -> None:
    rng = np.random.default_rng(0)
    student, teacher, centre = (
        rng.normal(size=(2, 3, 5)),
        rng.normal(size=(2, 2, 5)),
        rng.normal(size=5),
    )
    found = cross_entropy(
        *(torch.tensor(x) for x in (student, teacher, centre)), tau_s=0.1, tau_t=0.04
    )
    for b in range(2):
        for t in range(2):
            for s in range(3):
                weight = [math.exp((teacher[b, t, d] - centre[d]) / 0.04) for d in range(5)]
                total = math.log(sum(math.exp(student[b, s, d] / 0.1) for d in range(5)))
                expected = -sum(
                    weight[d] / sum(weight) * (student[b, s, d] / 0.1 - total) for d in range(5)
                )
                assert found[b, t, s].item() == pytest.approx(expected, rel=1e-9)


def test_no_gradient_reaches_the_teacher() -> None:
    student, teacher = (
        torch.randn(1, 2, 4, requires_grad=True),
        torch.randn(1, 2, 4, requires_grad=True),
    )
    cross_entropy(student, teacher, torch.zeros(4), 0.1, 0.04).sum().backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_a_view_is_never_compared_with_itself() -> None:
    terms = view_pairs(2, 6)
    assert terms.sum() == 10
    assert not terms[0, 0]
    assert not terms[1, 1]


def test_centre_is_the_running_mean_of_batches() -> None:
    centre = Centre(2, momentum=0.9)
    centre.update(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert centre.value.tolist() == pytest.approx([0.2, 0.3])
    centre.update(torch.tensor([[[0.0, 0.0]]]))
    assert centre.value.tolist() == pytest.approx([0.18, 0.27])


def test_teacher_moves_towards_the_student() -> None:
    teacher, student = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    before, goal = teacher.weight.item(), student.weight.item()
    update_teacher(teacher, student, 0.9)
    assert teacher.weight.item() == pytest.approx(0.9 * before + 0.1 * goal, rel=1e-5)


def test_learning_rate_follows_the_papers_warm_up_and_cosine() -> None:
    plan = schedule(AdaptConfig(learning_rate=1e-4), iteration=1, n_crops=400)
    assert plan.epochs == 30
    assert plan.head_only_epochs == 10
    assert plan.learning_rate(0) == pytest.approx(5e-6)
    assert plan.learning_rate(5 * plan.steps_per_epoch) == pytest.approx(1e-4)
    assert plan.learning_rate(plan.steps) == pytest.approx(1e-5)
    assert schedule(AdaptConfig(), 2, 400).epochs == 10


def test_short_clips_and_films_train_for_bounded_steps() -> None:
    config = AdaptConfig()
    assert schedule(config, 1, 10).steps_per_epoch == config.min_steps_per_epoch
    assert schedule(config, 1, 10**6).steps_per_epoch == config.max_steps_per_epoch


def test_pairs_stay_in_a_track_or_its_matches() -> None:
    tracks = people()
    members = tracks.members()
    matches = np.array([[0, 3], [0, 6]])
    sampler = PairSampler(
        members, np.array([0, 1, 2, 3, 6]), matches, cross_track_share=0.5, seed=0
    )
    first, second = sampler.batch(2000)
    a, b = tracks.track_of[first], tracks.track_of[second]
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == {
        (0, 0),
        (0, 3),
        (0, 6),
        (1, 1),
        (2, 2),
        (3, 3),
        (6, 6),
    }
    crossing = (b[a == 0] != 0).mean()
    assert 0.4 < crossing < 0.6
    assert (first[a == b] != second[a == b]).all()
    assert np.ptp(np.bincount(first, minlength=15)[members[1]]) <= 1


def test_a_track_of_one_crop_pairs_with_itself() -> None:
    sampler = PairSampler([np.array([0])], np.array([0]), np.empty((0, 2), np.int64), 0.5, seed=0)
    assert sampler.batch(3)[1].tolist() == [0, 0, 0]


def test_coarse_matching_equals_the_papers_densities_written_out() -> None:
    """pdf_j(mean X_k) >= mean of the lowest quarter of pdf_j over j's own crops, each with its covariance."""
    from scipy.stats import multivariate_normal
    from sklearn.covariance import ledoit_wolf

    tracks = people(n_people=2, tracks_each=3, crops=8, dim=4)
    x = tracks.require_embeddings().astype(np.float64)
    expected = set()
    for j in range(6):
        own = x[tracks.track_of == j]
        pdf = multivariate_normal(own.mean(axis=0), ledoit_wolf(own)[0] + 1e-9 * np.eye(4)).pdf
        threshold = np.sort(pdf(own))[:2].mean()
        expected |= {
            (j, k)
            for k in range(6)
            if k != j and pdf(x[tracks.track_of == k].mean(axis=0)) >= threshold
        }
    found = coarse_matches(x, tracks.members(), np.arange(6), space="raw")
    assert {tuple(pair) for pair in found.tolist()} == expected
    assert expected, "the example must have matches to tell anything"


def test_coarse_matches_join_people_not_strangers() -> None:
    tracks = people(tracks_each=6, crops=8, apart=0.1)
    found = coarse_matches(tracks.require_embeddings(), tracks.members(), np.arange(18))
    assert len(found) > 10
    assert (found[:, 0] % 3 == found[:, 1] % 3).mean() > 0.95


def test_crop_quality_equals_ser_fiq_written_out() -> None:
    torch.manual_seed(0)
    head = ProjectionHead(6, 8)
    features = torch.randn(3, 6)
    found = crop_quality(head, features, passes=4, dropout=0.5, seed=7)
    generator = torch.Generator().manual_seed(7)
    mask = torch.rand((4, 1, 8), generator=generator) >= 0.5
    for crop in range(3):
        outputs = []
        for i in range(4):
            hidden = head.penultimate(features[crop]) * mask[i, 0] * 2.0
            outputs.append(torch.nn.functional.normalize(head.last(hidden), dim=0))
        pairs = [(outputs[i] - outputs[j]).norm().item() for i in range(4) for j in range(i)]
        expected = 2 / (1 + math.exp(sum(pairs) / len(pairs)))
        assert found[crop] == pytest.approx(expected, abs=1e-4)


def test_quality_threshold_takes_either_deviation() -> None:
    quality = np.array([0.70, 0.71, 0.72, 0.73, 0.74, 0.50], np.float32)
    mean, median = quality.mean(), np.median(quality)
    for mad in ("median", "mean"):
        spread = np.median(abs(quality - median)) if mad == "median" else abs(quality - mean).mean()
        assert good_tracks(quality, mad).tolist() == (quality >= mean - 2.7 * spread).tolist()
    assert not good_tracks(quality)[-1]


def test_track_quality_is_the_mean_over_crops() -> None:
    found = track_quality(np.array([0.2, 0.4, 0.9], np.float32), np.array([0, 0, 1], np.int32))
    assert found.tolist() == pytest.approx([0.3, 0.9])


@pytest.mark.parametrize("kind", [GLOBAL_VIEW, LOCAL_VIEW])
def test_views_show_the_asked_share_of_the_face(kind: object) -> None:
    """On a ramp picture the view's own slope tells its scale; its middle tells where it looked."""
    ramp = np.tile(np.arange(160, dtype=np.uint8)[None, :, None], (160, 1, 3))
    steady = type(kind)(scale=kind.scale, max_turn=0.0, kelvin=(6500.0, 6500.0))  # type: ignore[attr-defined, call-arg]
    rng = np.random.default_rng(0)
    slopes = []
    for _ in range(50):
        view = draw_view(ramp, steady, rng).astype(float)
        assert view.shape == (112, 112, 3)
        slopes.append(abs(view[56, 106, 0] - view[56, 6, 0]) / 100)
        assert view.min() >= 23
        assert view.max() <= 136
    low, high = (math.sqrt(s) for s in steady.scale)
    assert low - 0.02 <= min(slopes)
    assert max(slopes) <= high + 0.02


def test_colour_temperature_warms_and_cools() -> None:
    grey = np.full((2, 2, 3), 100, np.uint8)
    warm, cool = (colour_temperature(grey, k)[0, 0].astype(int) for k in (4000.0, 9000.0))
    assert warm[0] > warm[1] > warm[2]
    assert cool[0] < cool[1] < cool[2]
    assert abs(warm @ [0.299, 0.587, 0.114] - 100) < 1


def test_adaptation_draws_people_together_and_is_deterministic() -> None:
    tracks = people(n_people=3, tracks_each=5)
    config = AdaptConfig(**QUICK, learning_rate=1e-4, seed=3)
    first, again = (adapt(tracks, None, config) for _ in range(2))
    assert len(first.iterations) == 2
    assert first.embeddings.shape == (75, 16)
    np.testing.assert_array_equal(first.embeddings, again.embeddings)
    other = adapt(tracks, None, AdaptConfig(**QUICK, learning_rate=1e-4, seed=4))
    assert not np.array_equal(first.embeddings, other.embeddings)
    losses = [row["loss"] for row in first.log]
    assert losses[3] < losses[0]


def test_a_killed_adaptation_goes_on_with_the_same_result(tmp_path) -> None:
    tracks, config = people(), AdaptConfig(**QUICK)
    whole = adapt(tracks, None, config)

    class Killed(Exception): ...

    def kill(stage: str, done: int, total: int | None, **facts: object) -> None:
        if facts.get("iteration") == "2 of 2" and done > 600:
            raise Killed

    checkpoint = tmp_path / "state"
    with pytest.raises(Killed):
        adapt(tracks, None, config, kill, checkpoint)
    seen = []
    resumed = adapt(
        tracks, None, config, lambda *a, **facts: seen.append(facts.get("iteration")), checkpoint
    )
    assert "1 of 2" not in seen
    np.testing.assert_array_equal(whole.embeddings, resumed.embeddings)


def test_adaptation_is_written_and_read_back(tmp_path) -> None:
    adaptation = adapt(people(), None, AdaptConfig(**QUICK))
    adaptation.save(tmp_path)
    back = Adaptation.load(tmp_path)
    for a, b in zip(adaptation.iterations, back.iterations, strict=True):
        for name in ("embeddings", "centre", "quality", "matches"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert back.log == adaptation.log
    first, second = (tmp_path / f"iteration-{number}.safetensors" for number in (1, 2))
    whole = second.read_bytes()
    second.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ProjectError, match="damaged"):
        Adaptation.load(tmp_path)
    with pytest.raises(ProjectError, match="damaged"):
        back.embeddings  # noqa: B018
    second.write_bytes(whole)
    first.unlink()
    with pytest.raises(ProjectError, match="damaged"):
        Adaptation.load(tmp_path)


def test_iterations_that_were_saved_are_read_one_by_one(tmp_path) -> None:
    adaptation = adapt(people(), None, AdaptConfig(**QUICK))
    adaptation.save(tmp_path)
    stored = Adaptation.load(tmp_path).iterations
    assert len(stored) == 2
    assert len(stored[:1]) == 1
    for number in (0, 1, -1):
        np.testing.assert_array_equal(
            stored[number].embeddings, adaptation.iterations[number].embeddings
        )
    np.testing.assert_array_equal(stored[1:][0].quality, adaptation.iterations[1].quality)
    with pytest.raises(IndexError):
        stored[2]


def test_weak_tracks_are_embedded_but_not_trained_on() -> None:
    tracks = people()
    weak = np.zeros(12, np.bool_)
    weak[5] = True
    marked = TrackSet(track_of=tracks.track_of, embeddings=tracks.embeddings, attach_only=weak)
    adaptation = adapt(marked, None, AdaptConfig(**QUICK))
    assert adaptation.embeddings.shape == (60, 16)
    assert all(5 not in iteration.matches for iteration in adaptation.iterations)
    assert all(row["tracks"] <= 11 for row in adaptation.log)


@pytest.mark.parametrize("tracks", [people(1, 1, 1), people(1, 1, 4), people(2, 1, 2)])
def test_the_smallest_films_adapt(tracks: TrackSet) -> None:
    assert np.isfinite(adapt(tracks, None, AdaptConfig(**QUICK)).embeddings).all()


def test_nothing_to_adapt_gives_no_iterations() -> None:
    empty = TrackSet(track_of=np.empty(0, np.int32), embeddings=np.empty((0, 16), np.float32))
    assert adapt(empty, None, AdaptConfig()).iterations == ()
    assert adapt(people(), None, AdaptConfig(iterations=0)).iterations == ()


def test_deeper_training_needs_pictures() -> None:
    with pytest.raises(SettingError, match="features only"):
        adapt(people(), None, AdaptConfig(depth="last", **QUICK))


@pytest.mark.parametrize("depth", ["head", "last", "full"])
def test_every_depth_trains_what_it_says(depth: str) -> None:
    from personae.adapt.branches import make_branches
    from personae.encode import load_encoder

    encoder = load_encoder()
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 255, size=(6, 160, 160, 3), dtype=np.uint8)
    tracks = TrackSet(track_of=np.repeat(np.arange(3, dtype=np.int32), 2), crops=crops)
    config = AdaptConfig(
        depth=depth,
        iterations=1,
        first_epochs=2,
        head_only_epochs=1,
        min_steps_per_epoch=1,
        batch_pairs=2,
    )
    before = {name: value.clone() for name, value in encoder.module.state_dict().items()}
    student, teacher = make_branches(tracks, encoder, config)
    trained = sum(p.numel() for p in student.body.parameters())
    whole = sum(p.numel() for p in encoder.module.parameters())
    assert {"head": trained == 0, "last": 0 < trained < whole, "full": trained == whole}[depth]
    assert not torch.equal(student.head.first.weight, teacher.head.first.weight)
    adaptation = adapt(tracks, encoder, config)
    assert adaptation.embeddings.shape == (6, encoder.dim)
    assert np.isfinite(adaptation.embeddings).all()
    for name, value in encoder.module.state_dict().items():
        assert torch.equal(value, before[name]), "the encoder itself must stay as it was"


def test_a_branch_scales_embeddings_to_one_length() -> None:
    branch = Branch(FixedLength(4.0), ProjectionHead(3, 4))
    x = torch.randn(5, 3)
    assert torch.allclose(branch(x), branch(x * 100), atol=1e-5)
    assert branch.body(x).norm(dim=1).tolist() == pytest.approx([4.0] * 5, rel=1e-5)
