"""The face-ID network that the settings name: its file's hash, and the network itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.digest import file_sha256
from personae.core.errors import WeightsError
from personae.pipeline.settings import Settings

if TYPE_CHECKING:
    from personae.encode import Encoder


def hash_encoder_weights(settings: Settings) -> dict[str, str]:
    """Return the encoder's name -> the sha256 of its weight file, named or default.

    Raises:
        WeightsError: The file is missing or cannot be read.
    """
    from personae.weights import WEIGHTS, default_weights

    encoder, named = settings.encode.encoder, settings.encode.weights
    if named is None and encoder in WEIGHTS:  # loading the file checks this hash
        return {encoder: WEIGHTS[encoder].sha256}
    return {encoder: hash_weights(default_weights(encoder) if named is None else named)}


def hash_weights(path: Path) -> str:
    """Return the sha256 of a weight file.

    Raises:
        WeightsError: It is missing or cannot be read.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise WeightsError(f"The weight file {path} cannot be read ({error.strerror}).") from error


def load_encoder_of(settings: Settings) -> Encoder:
    """Load the encoder that the settings name, on their device.

    Raises:
        SettingError: There is no such device.
        WeightsError: There is no such encoder, or its file is missing, altered or of another
            network.
    """
    from personae.core.compute import configure_torch, select_device
    from personae.encode import load_encoder

    device = select_device(settings.device)
    configure_torch()
    return load_encoder(settings.encode.encoder, settings.encode.weights, device)
