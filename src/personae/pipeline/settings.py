"""The settings of a whole run: one model per stage, made from flat names such as `depth="last"`."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from personae.core.config import AdaptConfig, ClusterConfig, Device, EncodeConfig, ScanConfig
from personae.core.errors import SettingError

STAGE_MODELS: dict[str, type[BaseModel]] = {
    "scan": ScanConfig,
    "encode": EncodeConfig,
    "adapt": AdaptConfig,
    "cluster": ClusterConfig,
}


@dataclass(frozen=True)
class Settings:
    """What a run does; the device changes how fast, not what."""

    scan: ScanConfig = field(default_factory=ScanConfig)
    encode: EncodeConfig = field(default_factory=EncodeConfig)
    adapt: AdaptConfig = field(default_factory=AdaptConfig)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    device: Device = "auto"

    @classmethod
    def of(cls, **flat: Any) -> Settings:
        """Sort flat settings into their stages; `seed` goes to every stage that draws random numbers.

        Raises SettingError for an unknown name or a value out of range.
        """
        device = flat.pop("device", "auto")
        if device not in get_args(Device):
            raise SettingError(
                f"device cannot be {device!r}: it should be {_either(get_args(Device))}."
            )
        known = {name for model in STAGE_MODELS.values() for name in model.model_fields}
        for name in flat:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = (
                    f"did you mean {near[0]!r}?"
                    if near
                    else f"there are: {', '.join(sorted(known))}."
                )
                raise SettingError(f"There is no setting {name!r}; {hint}")
        models = {stage: _make(model, flat) for stage, model in STAGE_MODELS.items()}
        return cls(**models, device=device)


def _make(model: type[BaseModel], flat: dict[str, Any]) -> Any:
    try:
        return model.model_validate(
            {name: value for name, value in flat.items() if name in model.model_fields}
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        expected = first["msg"][0].lower() + first["msg"][1:]
        expected = expected.replace("input should", "it should")
        raise SettingError(f"{name} cannot be {first['input']!r}: {expected}.") from None


def _either(values: tuple[str, ...]) -> str:
    return ", ".join(repr(value) for value in values[:-1]) + f" or {values[-1]!r}"
