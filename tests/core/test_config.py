"""Settings: the paper's constants as defaults, and values that cannot be used are refused."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from personae.core.config import AdaptConfig, ClusterConfig, EncodeConfig, ScanConfig
from personae.core.errors import SettingError

MODELS = [ScanConfig, EncodeConfig, AdaptConfig, ClusterConfig]


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_is_described_frozen_and_has_a_default(model: type[BaseModel]) -> None:
    config = model()
    for name, one in model.model_fields.items():
        assert one.description, name
        assert one.description.endswith("."), name
        with pytest.raises(ValidationError, match="frozen"):
            setattr(config, name, getattr(config, name))
    with pytest.raises(ValidationError, match="Extra inputs"):
        model(surprise=1)


def test_defaults_are_those_of_the_paper_where_it_states_them() -> None:
    """VideoClusterNet, section 4.1 and supplementary; iBOT for what it leaves open."""
    scan, adapt = ScanConfig(), AdaptConfig()
    assert scan.crop_interval == 12
    assert (adapt.first_epochs, adapt.head_only_epochs, adapt.later_epochs) == (30, 10, 10)
    assert adapt.warmup_epochs == 5
    assert (adapt.initial_learning_rate, adapt.final_learning_rate) == (5e-6, 1e-5)
    assert (adapt.student_temperature, adapt.teacher_temperature) == (0.1, 0.04)
    assert (adapt.weight_decay, adapt.centre_momentum) == (0.04, 0.9)
    assert (adapt.mask_sample_probability, adapt.mask_ratio) == (0.5, 0.3)
    assert (adapt.mask_ratio_variation, adapt.patch_loss_weight) == (0.2, 1.0)
    assert adapt.iterations >= 5


def test_clustering_has_no_setting_that_nothing_reads() -> None:
    assert set(ClusterConfig.model_fields) == {"method", "num_people", "min_people", "max_people"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_people": 4, "max_people": 2}, "min_people cannot be 4: that is more than max_peop"),
        ({"num_people": 2, "min_people": 3}, "num_people cannot be 2 where min_people is 3"),
        ({"num_people": 5, "max_people": 3}, "num_people cannot be 5 where max_people is 3"),
    ],
)
def test_hints_that_contradict_each_other_are_refused(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        ClusterConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_people": 3, "min_people": 3, "max_people": 3},
        {"min_people": 2, "max_people": 2},
    ],
)
def test_hints_that_agree_are_kept(settings: dict[str, object]) -> None:
    config = ClusterConfig(**settings)  # type: ignore[arg-type]
    assert settings.items() <= config.model_dump().items()
