"""The cues beside the face; a new one is a file and a line here."""

from __future__ import annotations

from personae.cues.clothes import Clothes
from personae.cues.cue import PairCue
from personae.cues.shot_threads import ShotThreads

PAIR_CUES: tuple[PairCue, ...] = (
    ShotThreads(),
    Clothes(),
)
"""In the order in which facts and ablations list them."""
