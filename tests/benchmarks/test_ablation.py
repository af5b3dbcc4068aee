"""`benchmarks/ablation.py` and `learned_metric.py`: what they leave out is there to be left out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from helpers.paths import BENCHMARKS

CHECK_ABLATION = """
import numpy as np
import ablation
from personae.cluster.calibrated_linkage import LinkageOptions
from personae.core.config import AdaptConfig
from personae.core.trackset import Crops, TrackSet
from personae.cues.registry import PAIR_CUES

options = list(ablation.LINKAGE_OPTIONS.values())
assert options[0] == LinkageOptions()
assert all(one != options[0] for one in options[1:])
assert len(set(options)) == len(options)
for cue in PAIR_CUES:
    kept = ablation.LINKAGE_OPTIONS[f"{cue.name} in the clustering"].evidence.pair_cues
    assert kept == tuple(one for one in PAIR_CUES if one is not cue)
    assert cue.name in ablation.TRACK_CHANGES

crops = Crops(
    clothes=np.full((2, 3), 1 / 3, np.float32),
    thumbnails=np.zeros((2, 14, 24, 3), np.uint8),
    boxes=np.array([[0, 0, 9, 9]] * 2, np.float32),
    times_s=np.array([0, 1], np.float32),
)
tracks = TrackSet(track_of=np.array([0, 1], np.int32), crops=crops)
for cue in PAIR_CUES:
    assert len(cue.measure(tracks).pairs) == 1
    assert len(cue.measure(ablation.TRACK_CHANGES[cue.name](tracks)).pairs) == 0

for settings in ablation.ADAPT_SETTINGS.values():
    assert AdaptConfig.model_validate(settings) != AdaptConfig()
names = [*ablation.LINKAGE_OPTIONS, *ablation.TRACK_CHANGES, *ablation.ADAPT_SETTINGS]
assert len(set(names)) == len(names)
"""

CHECK_LEARNED_METRIC = """
import learned_metric
from personae.core.config import AdaptConfig

configs = [AdaptConfig.model_validate(one) for one in learned_metric.VARIANTS.values()]
assert len({one.model_dump_json() for one in configs}) == len(configs) == 5
assert {one.depth for one in configs} == {"head", "last", "full"}
assert {one.cross_track_pairs for one in configs} == {"cues", "matches"}
"""


@pytest.mark.parametrize("code", [CHECK_ABLATION, CHECK_LEARNED_METRIC])
def test_every_variant_changes_what_it_names(code: str) -> None:
    """In a process of its own: the benchmarks are scripts, not a package."""
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=BENCHMARKS, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("script", ["ablation.py", "learned_metric.py"])
def test_help_says_what_is_measured(script: str) -> None:
    found = subprocess.run(
        [sys.executable, BENCHMARKS / script, "--help"], capture_output=True, text=True
    )
    assert found.returncode == 0
    assert "--seeds" in found.stdout
