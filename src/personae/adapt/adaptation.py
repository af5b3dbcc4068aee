"""FaceTrackClusterer's outer loop: finetune, judge the tracks' quality, match tracks coarsely, and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from personae.adapt.branches import make_branches, make_views
from personae.adapt.checkpoint import Keeper
from personae.adapt.finetune import Halfway, finetune
from personae.adapt.matching import coarse_matches
from personae.adapt.pairs import PairSampler
from personae.adapt.quality import crop_quality, good_tracks, track_quality
from personae.adapt.result import Adaptation, Iteration
from personae.adapt.schedule import schedule
from personae.adapt.sources import ViewSource
from personae.adapt.training import Training
from personae.core.arrays import BoolArray, IntArray
from personae.core.compute import one_thread
from personae.core.config import AdaptConfig
from personae.core.hooks import Hook, silent
from personae.core.memory import AT_ONCE
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.encode.encoder import Encoder


PairTest = Callable[[IntArray, IntArray], BoolArray]
"""Judges the pairs of tracks (a_i, b_i)."""


def adapt(
    tracks: TrackSet,
    encoder: Encoder | None,
    config: AdaptConfig,
    hook: Hook = silent,
    checkpoint: Path | None = None,
    plausible: PairTest | None = None,
) -> Adaptation:
    """Adapt a face-ID model to one film by self-supervision on its own tracks (paper, Sec. 3; suppl.
    Algorithm 1).

    `tracks` gives the crops, or features alone (then `encoder` is None and only `depth=head` works). Every
    iteration finetunes on the tracks that passed the last quality check, scores all tracks anew, and matches
    the good ones. With `checkpoint`, a folder, each finished iteration is kept there and not in memory, and a
    long one's epochs too; a killed call goes on from it with the same result. What is returned reads from
    it, and the caller removes it. Weak tracks are embedded but never trained on. Coarse matches that
    `plausible` says no to, since other evidence rules them out, are dropped (not in the paper, and off with
    `check_matches=False`): training on positives alone has nothing that would ever part two people whom one
    wrong match has joined.
    """
    started = time.perf_counter()
    if not config.check_matches:
        plausible = None
    if not tracks.n_crops or not config.iterations:
        return Adaptation((), config.student_temperature, config.teacher_temperature)
    hook("adapt", 0, None)
    views = make_views(
        tracks,
        encoder,
        config,
        lambda done: hook("adapt", 0, None, views=f"{done} of {tracks.n_crops} crops"),
    )
    views_ready = time.perf_counter()
    training = Training(*make_branches(tracks, encoder, config), config)
    members = tracks.members()
    trainable = tracks.anchors()

    good, matches = trainable, np.empty((0, 2), dtype=np.int64)
    keeper = Keeper(checkpoint)
    log, halfway = keeper.restore(training)
    if keeper.iterations:
        good, matches = _next_tracks(keeper.iterations[-1], trainable, config)
    for number in range(len(keeper.iterations) + 1, config.iterations + 1):
        plan = schedule(config, number, sum(len(members[t]) for t in good))
        seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
        sampler = PairSampler(members, good, matches, config.cross_track_share, seed)

        def progress(step: int, steps: int, number: int = number) -> None:
            done = (number - 1 + step / steps) / config.iterations
            hook("adapt", round(1000 * done), 1000, iteration=f"{number} of {config.iterations}")

        def keep(state: Halfway) -> None:
            keeper.after_epoch(training, log, state)

        rng = np.random.default_rng(seed + 1)
        with one_thread(config.depth == "head"):
            rows = finetune(training, views, sampler, plan, config, rng, progress, halfway, keep)
        halfway = None
        about = {"iteration": number, "tracks": len(good), "matches": len(matches)}
        log.extend({**about, **row} for row in rows)
        iteration = _observe(training, views, tracks, members, trainable, plausible, config)
        good, matches = _next_tracks(iteration, trainable, config)
        keeper.after_iteration(training, iteration, log)
    seconds = {
        "views_seconds": round(views_ready - started, 2),
        "training_seconds": round(time.perf_counter() - views_ready, 2),
    }
    return Adaptation(
        keeper.iterations,
        config.student_temperature,
        config.teacher_temperature,
        tuple(log),
        seconds,
    )


@torch.inference_mode()
def _observe(
    training: Training,
    views: ViewSource,
    tracks: TrackSet,
    members: list[np.ndarray],
    trainable: np.ndarray,
    plausible: PairTest | None,
    config: AdaptConfig,
) -> Iteration:
    """Embed all crops with the student, score their quality, match the good tracks."""
    student, centre = training.student, training.centre
    features = torch.cat([_mean_reading(student.body, part) for part in views.clean()])
    parts = (student.head(part).cpu().numpy() for part in torch.split(features, AT_ONCE))
    embeddings = np.concatenate(list(parts)).astype(np.float32, copy=False)
    quality = track_quality(crop_quality(student.head, features, seed=config.seed), tracks.track_of)
    good = _good(quality, trainable, config)
    matches = (
        coarse_matches(embeddings, members, good, config.matching_space, seed=config.seed)
        if config.matching
        else np.empty((0, 2), dtype=np.int64)
    )
    if plausible is not None:
        matches = matches[plausible(matches[:, 0], matches[:, 1])]
    return Iteration(
        embeddings, centre.value.cpu().numpy().copy(), quality, matches.astype(np.int32)
    )


def _mean_reading(body: torch.nn.Module, part: Tensor) -> Tensor:
    """Average the body's outputs over a crop's readings (itself and its mirror image); (k, m, ...) -> (k,
    d)."""
    device = next(body.parameters(), part).device
    flat: Tensor = body(part.flatten(0, 1).to(device))
    return flat.reshape(*part.shape[:2], -1).mean(dim=1)


def _good(quality: np.ndarray, trainable: np.ndarray, config: AdaptConfig) -> np.ndarray:
    if not config.quality_filter:
        return trainable
    kept: np.ndarray = trainable[good_tracks(quality[trainable], config.mad)]
    return kept if len(kept) else trainable


def _next_tracks(
    last: Iteration, trainable: np.ndarray, config: AdaptConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Give the tracks and matches that the next iteration trains on."""
    return _good(last.quality, trainable, config), last.matches.astype(np.int64)
