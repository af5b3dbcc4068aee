"""What each ingredient of the default method does when it is switched off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast, partition
from personae.adapt import Adaptation, Iteration
from personae.cluster.calibrated_linkage import CalibratedLinkage, LinkageOptions
from personae.cluster.dendrogram import cut_at_count
from personae.cluster.linkage import NO_PAIRS, constrained_average_linkage
from personae.cluster.tree_cut import select_cut
from personae.core.arrays import Float64Array
from personae.core.labels import Labels
from personae.core.trackset import Crops, TrackSet
from personae.cues.evidence import Evidence, EvidenceOptions, pairwise_evidence


def cluster(tracks: TrackSet, **options: bool) -> Labels:
    return CalibratedLinkage(options=LinkageOptions(**options)).cluster(tracks, None).labels


def evidence_and_tree(tracks: TrackSet) -> tuple[Evidence, Float64Array]:
    evidence = pairwise_evidence(tracks, None, tracks.anchors())
    log_odds = evidence.mixture.log_odds(evidence.scores)
    return evidence, constrained_average_linkage(log_odds, NO_PAIRS)


def film() -> tuple[TrackSet, Adaptation]:
    """Make tracks of two camera set-ups, and two iterations that learn different amounts."""
    tracks, person = cast([8, 7, 6, 5], noise=1.2)
    rng = np.random.default_rng(0)
    owner = person[tracks.track_of]
    pictures = rng.integers(0, 256, (4, 14, 24, 3), np.uint8)
    x = 100.0 + 300 * owner
    boxes = np.column_stack([x, x, np.full_like(x, 60), np.full_like(x, 60)])
    crops = Crops(
        boxes=boxes.astype(np.float32),
        thumbnails=pictures[owner],
        times_s=(2 * tracks.track_of + rng.random(tracks.n_crops)).astype(np.float32),
    )
    embeddings = tracks.require_embeddings()
    iterations = tuple(
        Iteration(
            (embeddings + noise * rng.normal(size=embeddings.shape)).astype(np.float32) * 3,
            np.zeros(embeddings.shape[1], np.float32),
            np.ones(tracks.n_tracks, np.float32),
            np.empty((0, 2), np.int32),
        )
        for noise in (0.0, 0.2)
    )
    return replace(tracks, crops=crops), Adaptation(iterations, 0.1, 0.04)


@pytest.mark.parametrize(
    "name", ["whitening", "film_centring", "iteration_weights", "shot_threads"]
)
def test_evidence_is_computed_without_its_ingredient(name: str) -> None:
    tracks, adaptation = film()
    options = EvidenceOptions(**{name: False})
    expected = pairwise_evidence(tracks, adaptation, tracks.anchors(), options)
    default = pairwise_evidence(tracks, adaptation, tracks.anchors())
    assert not np.array_equal(expected.scores, default.scores)
    method = CalibratedLinkage(options=LinkageOptions(evidence=options))
    found = method.cluster(tracks, adaptation)
    whole = CalibratedLinkage().cluster(tracks, adaptation)
    if expected.mixture != default.mixture:
        rounded = [round(value, 3) for value in expected.mixture.same]
        assert found.facts["score_of_one_person"] == rounded
        assert found.facts != whole.facts
    assert not np.array_equal(found.confidence, whole.confidence)


def test_without_norm_filter_tracks_of_low_norm_found_characters() -> None:
    tracks, person = cast([6, 6, 4])
    scale = np.where(person == 2, 0.5, 1.0)[tracks.track_of][:, None]
    scale = scale / np.linalg.norm(tracks.require_embeddings(), axis=1, keepdims=True)
    low = replace(tracks, embeddings=(tracks.require_embeddings() * scale).astype(np.float32))
    assert (cluster(low)[person == 2] == -1).all()
    assert partition(cluster(low, norm_filter=False)) == partition(person)


@pytest.mark.parametrize("seed", [2, 11])
def test_without_silhouette_cut_the_tree_is_cut_at_even_odds(seed: int) -> None:
    """With seed 11 the refinement would change that cut."""
    tracks, _ = cast([9, 6, 4, 3, 2, 1], seed=seed, noise=1.2)
    _, tree = evidence_and_tree(tracks)
    even = cut_at_count(tree, 25, 25 - int((tree[:, 2] >= 0).sum()))
    assert partition(cluster(tracks, silhouette_cut=False)) == partition(even)
    assert partition(cluster(tracks)) != partition(even)


def test_without_silhouette_cut_hints_are_still_honoured() -> None:
    tracks, _ = cast([9, 6, 4, 3, 2, 1], seed=2, noise=1.2)
    method = CalibratedLinkage(num_people=4, options=LinkageOptions(silhouette_cut=False))
    assert method.cluster(tracks, None).labels.max() + 1 == 4


def test_without_refinement_the_cut_stays() -> None:
    tracks, _ = cast([9, 6, 4, 3, 2, 1], seed=5, noise=1.4)
    evidence, tree = evidence_and_tree(tracks)
    cut = select_cut(tree, evidence.scores, 1 - evidence.mixture.same[0])
    assert partition(cluster(tracks, refinement=False)) == partition(cut)
    assert partition(cluster(tracks)) != partition(cut)


def test_without_attaching_leftover_tracks_stay_unknown() -> None:
    tracks, person = cast([6, 6])
    attach_only = np.zeros(12, np.bool_)
    attach_only[::4] = True
    tracks = replace(tracks, attach_only=attach_only)
    assert partition(cluster(tracks)) == partition(person)
    found = cluster(tracks, attaching=False)
    assert partition(found) == partition(np.where(attach_only, -1, person))
