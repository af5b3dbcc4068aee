"""The recipe of docs/how-to/add-a-cue.md works as it is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.cast import cast, no_tracks, partition
from helpers.docs import code_blocks
from helpers.dressed_cast import blur_faces
from helpers.paths import DOCS
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.trackset import TrackSet
from personae.cues.cue import PairCue
from personae.cues.registry import PAIR_CUES

CUE, USE = code_blocks((DOCS / "how-to" / "add-a-cue.md").read_text())
"""The code of the recipe's two steps."""


@pytest.fixture
def recipe() -> dict[str, object]:
    """Run the first step; what it defines."""
    scope: dict[str, object] = {}
    exec(CUE, scope)
    return scope


def tracks_in_seats(per_seat: float = 100.0) -> tuple[TrackSet, np.ndarray]:
    """Poor faces of people who sit at heights of their own."""
    tracks, person = cast([12, 10, 8], noise=0.8)
    tracks = blur_faces(tracks, np.arange(30) % 2 == 0, 0.16)
    y = per_seat * person[tracks.track_of] + np.random.default_rng(0).normal(0, 8, tracks.n_crops)
    boxes = np.column_stack([np.full_like(y, 50), y, np.full_like(y, 40), np.full_like(y, 40)])
    return replace(tracks, crops=replace(tracks.crops, boxes=boxes.astype(np.float32))), person


def test_a_cue_is_added_by_one_class(recipe: dict[str, object], capsys) -> None:
    tracks, person = tracks_in_seats()
    scope = {**recipe, "tracks": tracks}
    exec(USE, scope)
    (facts,) = (
        one for one in scope["clustering"].facts["pair_cues"] if one["name"] == "face height"
    )
    assert facts["pairs"] == 435
    assert facts["mean_absolute_log_odds"] > 1
    assert "face height" in capsys.readouterr().out
    assert partition(scope["clustering"].labels) == partition(person)
    assert partition(CalibratedLinkage().cluster(tracks, None).labels) != partition(person)


def test_where_the_new_cue_says_nothing_it_changes_nothing(recipe: dict[str, object]) -> None:
    """All sit at one height."""
    tracks, person = tracks_in_seats(per_seat=0.0)
    clear = replace(tracks, embeddings=cast([12, 10, 8], noise=0.8)[0].embeddings)
    scope = {**recipe, "tracks": clear}
    exec(USE, scope)
    (facts,) = (
        one for one in scope["clustering"].facts["pair_cues"] if one["name"] == "face height"
    )
    assert facts["mean_absolute_log_odds"] < 0.2
    assert partition(scope["clustering"].labels) == partition(person)


def test_the_new_cue_keeps_the_contract(recipe: dict[str, object]) -> None:
    cue: PairCue = recipe["FaceHeight"]()
    tracks, _ = tracks_in_seats()
    for one in (*PAIR_CUES, cue):
        assert one.min_log_odds <= 0 < one.max_log_odds
        assert one.name
        measured = one.measure(tracks)
        assert (measured.pairs[:, 0] < measured.pairs[:, 1]).all()
        assert (
            len(np.unique(measured.pairs, axis=0)) == len(measured.pairs) == len(measured.features)
        )
        for empty in (no_tracks(), cast([2])[0]):
            assert one.measure(empty).pairs.shape == (0, 2)
    assert len({one.name for one in PAIR_CUES}) == len(PAIR_CUES)
