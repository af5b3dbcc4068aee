"""What told people apart in a run: the face scores and the other cues, from the stage's facts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from personae.project.manifest import StageRecord

EVIDENCE_FACTS = frozenset({"face_scores", "pair_cues"})
"""Facts of the stage `cluster` that are shown as a table; see `personae.cues.evidence`."""

BASE_TITLE = "Face, by the network as shipped"
"""Title of the base score."""


@dataclass(frozen=True)
class FaceScoreFacts:
    """A score of faces that was combined with others."""

    title: str
    weight: float
    """Part of the whole, 0..1."""

    expected_error: float
    """Share of pairs of tracks that it is expected to get wrong, 0..0.5."""

    agreement: float | None
    """AUC on pairs of which other cues are sure, 0..1; None where there were too few."""


@dataclass(frozen=True)
class CueFacts:
    """A cue beside the face."""

    title: str
    n_pairs: int
    """Pairs of tracks of which it spoke."""

    odds_factor: float
    """By how much it changed the odds of such a pair on average; 1: it said nothing."""


@dataclass(frozen=True)
class EvidenceFacts:
    """What told people apart."""

    face_scores: list[FaceScoreFacts]
    cues: list[CueFacts]


def collect_evidence_facts(record: StageRecord | None) -> EvidenceFacts | None:
    """Return what told people apart, by the record of the stage `cluster`.

    Returns:
        None where the clustering method states nothing of the kind.
    """
    if record is None or "face_scores" not in record.facts:
        return None
    scores = [
        FaceScoreFacts(
            _score_title(str(row["name"])),
            float(row["weight"]),
            float(row["expected_error"]),
            None if row["validation_auc"] is None else float(row["validation_auc"]),
        )
        for row in _rows(record.facts["face_scores"])
    ]
    cues = [
        CueFacts(
            str(row["name"]).capitalize(),
            int(row["pairs"]),
            math.exp(float(row["mean_absolute_log_odds"])),
        )
        for row in _rows(record.facts.get("pair_cues"))
    ]
    return EvidenceFacts(scores, cues)


def _score_title(name: str) -> str:
    return BASE_TITLE if name == "base" else f"Face, as learned by {name}"


def _rows(value: object) -> Iterator[dict[str, str | float]]:
    """Yield the rows of a fact that is a list of dictionaries."""
    if isinstance(value, list):
        yield from value
