"""Flat settings: where they go, and what is refused."""

from __future__ import annotations

import pytest

from personae.core.errors import SettingError
from personae.pipeline.settings import Settings


def test_a_flat_name_goes_to_every_stage_that_has_it():
    settings = Settings.from_flat(stride=3, seed=4, num_people=5, device="cpu")
    assert settings.scan.stride == 3
    assert settings.adapt.seed == 4
    assert settings.cluster.num_people == 5
    assert settings.device == "cpu"
    assert Settings.from_flat() == Settings()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"depth": "deep"}, "depth cannot be 'deep': .*'head', 'last' or 'full'"),
        ({"seed": -1}, "seed cannot be -1"),
        ({"stride": 0}, "stride cannot be 0"),
        ({"num_people": 0}, "num_people cannot be 0"),
        ({"device": "tpu"}, "device cannot be 'tpu'.*'auto', 'cpu' or 'cuda'"),
        ({"dept": "head"}, "did you mean 'depth'"),
        ({"zzz": 1}, "no setting 'zzz'; there are: "),
    ],
)
def test_impossible_settings_are_one_sentence(given, expected):
    with pytest.raises(SettingError, match=expected) as caught:
        Settings.from_flat(**given)
    assert "\n" not in str(caught.value)
