"""The outer loop of VideoClusterNet: finetune, measure quality, match tracks coarsely, repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.adapt.branches import make_view_source, resolve_depth
from personae.adapt.checkpoint import CheckpointWriter
from personae.adapt.finetune import Finetuning
from personae.adapt.matching import find_coarse_matches
from personae.adapt.pairs import PairSampler
from personae.adapt.quality import quality_inliers
from personae.adapt.result import Adaptation, AdaptationFacts, Iteration
from personae.adapt.schedule import make_schedule
from personae.adapt.student_weights import (
    WeightsOrigin,
    load_student_weights,
    take_student_weights,
)
from personae.adapt.students import embed_crops, iteration_seed, make_students, side_by_side
from personae.adapt.taught_pairs import TaughtPairs
from personae.core.arrays import BoolArray, Float32Array, Int64Array, IntArray
from personae.core.config import AdaptConfig
from personae.core.hooks import Hook, silent_hook
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.encode.encoder import Encoder


MAX_CHANGED_PAIRS = 0.02
"""Share of the pairs to train on whose change does not ask for another iteration."""

QUIET_ITERATIONS = 2
"""Iterations in a row that have changed no more, after which there is no other."""

PairPredicate = Callable[[IntArray, IntArray], BoolArray]
"""Decides for m pairs of tracks, given as two (m,) arrays, which may show one person, (m,)."""

FindPositives = Callable[[Adaptation], Int64Array]
"""Returns the (m, 2) directed pairs of tracks to train on next, by the iterations so far."""


def adapt(
    tracks: TrackSet,
    encoder: Encoder | None,
    config: AdaptConfig,
    hook: Hook = silent_hook,
    checkpoint: Path | None = None,
    plausible: PairPredicate | None = None,
    find_positives: FindPositives | None = None,
) -> Adaptation:
    """Adapt a face-recognition network to one film by self-supervision on its tracks.

    Every iteration finetunes on the tracks that passed the last quality filter, measures the
    quality of all tracks, and matches the good ones. Attach-only tracks are embedded but never
    trained on. Where evidence finds the pairs to train on, `students` learn side by side. With
    `learn_edits`, pairs that a person has linked are trained on in every iteration, and pairs that
    must not be linked in none. With `initial_weights`, students and teachers begin with what
    another adaptation has learned, and the first iteration is a later one.

    Args:
        tracks: Tracks with crops, or with embeddings alone.
        encoder: Network to adapt; None for tracks with embeddings alone, at depth head.
        config: Settings of the adaptation.
        hook: Reports progress.
        checkpoint: Folder for finished iterations and for the state inside a long one. A killed
            call continues from it with the same result. The returned iterations are read from it;
            the caller removes it. None: iterations are held in memory.
        plausible: Drops the coarse matches that other evidence excludes, unless `match_filter` is
            off. Not in the paper: training on positive pairs alone never separates two people again
            whom a wrong match has joined. None: no match is dropped.
        find_positives: Finds the pairs of tracks to train on, before the first iteration and after
            each, in the place of coarse matching. Up to `extra_iterations` follow while these
            change. Not in the paper. None: coarse matching.

    Returns:
        The iterations; none if there are no crops or no iterations are wanted.

    Raises:
        SettingError: The depth needs images, and there are embeddings alone; or the initial
            weights are of another depth or encoder.
        WeightsError: The initial weights cannot be read.
        OutputError: A checkpoint cannot be written.

    Source:
        Walawalkar and Garrido, "VideoClusterNet", ECCV 2024, Sec. 3; supplementary Algorithm 1.
    """
    started = time.perf_counter()
    config = resolve_depth(config, tracks, encoder)
    if not config.match_filter:
        plausible = None
    if not tracks.n_crops or not config.iterations:
        return Adaptation((), config.student_temperature, config.teacher_temperature)
    hook("adapt", 0, None)
    origin = WeightsOrigin(config.depth, encoder.weight_sha256 if encoder is not None else "")
    learned = None
    if config.initial_weights is not None:
        learned = load_student_weights(config.initial_weights, origin.depth, origin.encoder)
    views = make_view_source(
        tracks,
        encoder,
        config,
        lambda done: hook("adapt", 0, None, views=f"{done} of {tracks.n_crops} crops"),
    )
    views_ready = time.perf_counter()
    # Students are averaged as evidence of pairs; the paper's matching is by the outputs of one.
    students = make_students(tracks, encoder, config, config.students if find_positives else 1)
    if learned is not None:
        learned.load_into(students)
    members = tracks.members()
    trainable = tracks.anchors()

    writer = CheckpointWriter(checkpoint)
    log, cursors = writer.restore(students)

    taught = TaughtPairs(tracks, trainable, config.seed) if config.learn_edits else None

    def complete(found: Int64Array) -> Int64Array:
        return found if taught is None else taught.complete(found)

    def positives(*finished: Iteration) -> Int64Array:
        if find_positives is None:
            return complete(np.empty((0, 2), dtype=np.int64))
        found = find_positives(
            Adaptation(
                finished,
                config.student_temperature,
                config.teacher_temperature,
                students=len(students),
            )
        )
        return complete(found[np.isin(found, trainable).all(axis=1)])

    if writer.iterations:
        good, matches = _next_training_set(writer.iterations[-1], trainable, config)
    else:
        good, matches = trainable, positives()
    most = config.iterations + (config.extra_iterations if find_positives is not None else 0)
    while len(writer.iterations) < most and not _has_settled(writer.iterations, config):
        number = len(writer.iterations) + 1
        n_crops = sum(len(members[t]) for t in good)
        schedule = make_schedule(config, number, n_crops, has_learned=learned is not None)
        runs = []
        for k, model in enumerate(students):
            seed = iteration_seed(config, number, k)
            sampler = PairSampler(members, good, matches, config.cross_track_share, seed)
            rng = np.random.default_rng(seed + 1)
            cursor = cursors[k] if cursors else None
            runs.append(Finetuning(model, views, sampler, schedule, config, rng, cursor))
        cursors = []
        with side_by_side(students, config) as train_epoch:
            while (epoch := len(runs[0].log)) < schedule.epochs:
                train_epoch(runs)
                done = (number - 1 + (epoch + 1) / schedule.epochs) / most
                of = f"{most}" if most == config.iterations else f"at most {most}"
                hook("adapt", round(1000 * done), 1000, iteration=f"{number} of {of}")
                if epoch + 1 < schedule.epochs:
                    writer.after_epoch(students, log, runs)
        for k, run in enumerate(runs, start=1):
            log.extend(
                {
                    "iteration": number,
                    "student": k,
                    "tracks": len(good),
                    "matches": len(matches),
                    **row,
                }
                for row in run.log
            )
        iteration = embed_crops(students, views, tracks, config)
        if find_positives is not None:
            pairs = positives(*writer.iterations, iteration)
        else:
            pairs = complete(_match_coarsely(iteration, members, trainable, plausible, config))
        iteration = replace(iteration, matches=pairs.astype(np.int32))
        good, matches = _next_training_set(iteration, trainable, config)
        writer.after_iteration(students, iteration, log)
    if len(writer.iterations) < most:
        hook("adapt", 1000, 1000)
    facts: AdaptationFacts = {
        "depth": config.depth,
        "views_seconds": round(views_ready - started, 2),
        "training_seconds": round(time.perf_counter() - views_ready, 2),
    }
    return Adaptation(
        writer.iterations,
        config.student_temperature,
        config.teacher_temperature,
        tuple(log),
        facts,
        len(students),
        take_student_weights(students, origin),
    )


def _has_settled(iterations: Sequence[Iteration], config: AdaptConfig) -> bool:
    """Return whether the last two iterations have hardly changed the pairs to train on.

    Selecting pairs and training on them take turns, as in expectation-maximisation; poor faces need
    more turns than good ones. One quiet turn says little: what is learned may be believed only
    after the next.
    """
    if len(iterations) < max(QUIET_ITERATIONS + 1, config.iterations):
        return False
    pairs = [
        {(int(a), int(b)) for a, b in one.matches} for one in iterations[-QUIET_ITERATIONS - 1 :]
    ]
    return all(
        len(one ^ before) <= MAX_CHANGED_PAIRS * len(one | before)
        for before, one in pairwise(pairs)
    )


def _match_coarsely(
    iteration: Iteration,
    members: list[Int64Array],
    trainable: Int64Array,
    plausible: PairPredicate | None,
    config: AdaptConfig,
) -> Int64Array:
    """Return the (m, 2) coarse matches of the tracks that pass the quality filter."""
    if config.cross_track_pairs == "none":
        return np.empty((0, 2), dtype=np.int64)
    good = _select_good_tracks(iteration.quality, trainable, config)
    matches = find_coarse_matches(
        iteration.embeddings, members, good, config.matching_space, seed=config.seed
    )
    if plausible is not None:
        matches = matches[plausible(matches[:, 0], matches[:, 1])]
    return matches


def _select_good_tracks(
    quality: Float32Array, trainable: Int64Array, config: AdaptConfig
) -> Int64Array:
    """Select the trainable tracks that pass the quality filter, or all if none does."""
    if not config.quality_filter:
        return trainable
    good = trainable[quality_inliers(quality[trainable], config.quality_mad)]
    return good if len(good) else trainable


def _next_training_set(
    last: Iteration, trainable: Int64Array, config: AdaptConfig
) -> tuple[Int64Array, Int64Array]:
    """Return the tracks and the pairs of tracks that the next iteration trains on."""
    return _select_good_tracks(last.quality, trainable, config), last.matches.astype(np.int64)
