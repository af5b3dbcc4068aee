"""The settings of a whole run: one model per stage, made from flat names such as `depth="last"`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast, get_args

from pydantic import BaseModel

from personae.core.config import (
    AdaptConfig,
    ClusterConfig,
    Device,
    EncodeConfig,
    ScanConfig,
    check_setting_names,
    validate_settings,
)
from personae.core.errors import SettingError, join_choices
from personae.project.folder import Project

Model = TypeVar("Model", bound=BaseModel)

STAGE_MODELS: tuple[type[BaseModel], ...] = (ScanConfig, EncodeConfig, AdaptConfig, ClusterConfig)


@dataclass(frozen=True)
class Settings:
    """What a run does; the device changes how fast, not what."""

    scan: ScanConfig = field(default_factory=ScanConfig)
    encode: EncodeConfig = field(default_factory=EncodeConfig)
    adapt: AdaptConfig = field(default_factory=AdaptConfig)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    device: Device = "auto"

    @classmethod
    def from_flat(cls, **flat: object) -> Settings:
        """Build the settings from flat names; each goes to every stage that has it.

        Args:
            **flat: `device`, and fields of the stages' models.

        Raises:
            SettingError: A name is unknown, or a value is out of range.
        """
        device = flat.pop("device", "auto")
        if device not in get_args(Device):
            choices = join_choices(map(repr, get_args(Device)))
            raise SettingError(f"device cannot be {device!r}: it should be {choices}.")
        check_setting_names(flat, {name for model in STAGE_MODELS for name in model.model_fields})
        return cls(
            scan=_make(ScanConfig, flat),
            encode=_make(EncodeConfig, flat),
            adapt=_make(AdaptConfig, flat),
            cluster=_make(ClusterConfig, flat),
            device=cast(Device, device),
        )


def recorded_settings(project: Project) -> Settings:
    """Return the settings that a project was clustered with.

    They are known after a clustering that was killed, too.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: Another version of personae made the project, with other settings.
    """
    records = {**project.manifest.replaced, **project.manifest.stages}
    record = records.get("cluster") or project.require("cluster")
    cluster = validate_settings(ClusterConfig, record.parameters)
    if "adapt" not in record.reads:
        return Settings(cluster=cluster)
    adapt = validate_settings(AdaptConfig, project.require("adapt").parameters)
    return Settings(adapt=adapt, cluster=cluster)


def _make(model: type[Model], flat: Mapping[str, object]) -> Model:
    """Make a stage's settings from the fields that it has."""
    own = {name: value for name, value in flat.items() if name in model.model_fields}
    return validate_settings(model, own)
