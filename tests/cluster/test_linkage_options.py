"""What each ingredient of the default method does when it is switched off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from helpers.cast import cast, partition
from helpers.dressed_cast import dress
from helpers.learned_iterations import adaptation_of, iteration_that_knows
from personae.adapt import Adaptation
from personae.cluster.calibrated_linkage import (
    EVEN_ODDS_DISTANCE,
    CalibratedLinkage,
    LinkageOptions,
)
from personae.cluster.dendrogram import cut_at_count
from personae.cluster.linkage import NO_PAIRS, constrained_average_linkage
from personae.cluster.tree_cut import select_cut
from personae.core.arrays import Float32Array, Float64Array
from personae.core.labels import Labels
from personae.core.trackset import TrackSet
from personae.cues.clothes import Clothes
from personae.cues.evidence import EvidenceOptions, pairwise_evidence
from personae.cues.shot_threads import ShotThreads


def cluster(tracks: TrackSet, **options: bool) -> Labels:
    return CalibratedLinkage(options=LinkageOptions(**options)).cluster(tracks, None).labels


def log_odds_and_tree(tracks: TrackSet) -> tuple[Float32Array, Float64Array]:
    log_odds = pairwise_evidence(tracks, None, tracks.anchors()).log_odds
    return log_odds, constrained_average_linkage(log_odds, NO_PAIRS)


def film() -> tuple[TrackSet, Adaptation]:
    """Make dressed tracks in camera set-ups, and two iterations that learn different amounts."""
    tracks, person = cast([8, 7, 6, 5], noise=0.8)
    tracks = dress(tracks, person)
    rng = np.random.default_rng(0)
    owner = person[tracks.track_of]
    pictures = rng.integers(0, 256, (4, 14, 24, 3), np.uint8)
    x = 100.0 + 300 * owner
    boxes = np.column_stack([x, x, np.full_like(x, 60), np.full_like(x, 60)])
    crops = replace(tracks.crops, boxes=boxes.astype(np.float32), thumbnails=pictures[owner])
    iterations = [iteration_that_knows(tracks, person, noise) for noise in (0.05, 0.09)]
    return replace(tracks, crops=crops), adaptation_of(*iterations)


@pytest.mark.parametrize(
    "options",
    [
        EvidenceOptions(whitening=False),
        EvidenceOptions(film_centring=False),
        EvidenceOptions(score_weights=False),
        EvidenceOptions(pair_cues=(Clothes(),)),
        EvidenceOptions(pair_cues=(ShotThreads(),)),
    ],
)
def test_evidence_is_computed_without_its_ingredient(options: EvidenceOptions) -> None:
    tracks, adaptation = film()
    expected = pairwise_evidence(tracks, adaptation, tracks.anchors(), options)
    method = CalibratedLinkage(options=LinkageOptions(evidence=options))
    found = method.cluster(tracks, adaptation)
    whole = CalibratedLinkage().cluster(tracks, adaptation)
    assert found.facts == expected.facts()
    assert found.facts != whole.facts
    assert not np.array_equal(found.confidence, whole.confidence)


def test_without_norm_filter_tracks_of_low_norm_found_characters() -> None:
    tracks, person = cast([6, 6, 4])
    scale = np.where(person == 2, 0.5, 1.0)[tracks.track_of][:, None]
    scale = scale / np.linalg.norm(tracks.require_embeddings(), axis=1, keepdims=True)
    low = replace(tracks, embeddings=(tracks.require_embeddings() * scale).astype(np.float32))
    assert (cluster(low)[person == 2] == -1).all()
    assert partition(cluster(low, norm_filter=False)) == partition(person)


def test_without_silhouette_cut_the_tree_is_cut_at_even_odds() -> None:
    n_others = 0
    for seed in (3, 5, 7, 15):
        tracks, _ = cast([9, 6, 4, 3, 2, 1], seed=seed, noise=0.9)
        _, tree = log_odds_and_tree(tracks)
        even = cut_at_count(tree, 25, 25 - int((tree[:, 2] >= 0).sum()))
        assert partition(cluster(tracks, silhouette_cut=False)) == partition(even)
        n_others += partition(cluster(tracks)) != partition(even)
    assert n_others


def test_without_silhouette_cut_hints_are_still_honoured() -> None:
    tracks, _ = cast([9, 6, 4, 3, 2, 1], seed=2, noise=1.2)
    method = CalibratedLinkage(num_people=4, options=LinkageOptions(silhouette_cut=False))
    assert method.cluster(tracks, None).labels.max() + 1 == 4


def test_without_refinement_the_cut_stays() -> None:
    n_refined = 0
    for seed, noise in ((6, 0.8), (5, 1.2)):
        tracks, _ = cast([14, 9, 5, 3, 3, 2, 2, 1, 1], seed=seed, noise=noise)
        log_odds, tree = log_odds_and_tree(tracks)
        cut = select_cut(tree, expit(log_odds), EVEN_ODDS_DISTANCE)
        assert partition(cluster(tracks, refinement=False)) == partition(cut)
        n_refined += partition(cluster(tracks)) != partition(cut)
    assert n_refined


def test_without_attaching_leftover_tracks_stay_unknown() -> None:
    tracks, person = cast([6, 6])
    attach_only = np.zeros(12, np.bool_)
    attach_only[::4] = True
    tracks = replace(tracks, attach_only=attach_only)
    assert partition(cluster(tracks)) == partition(person)
    found = cluster(tracks, attaching=False)
    assert partition(found) == partition(np.where(attach_only, -1, person))
