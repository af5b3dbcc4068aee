"""Hashes: of a file, of plain data, and of everything that a finished stage depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_digest(content: Mapping[str, object]) -> str:
    """Return the sha256 of plain data, whatever the order of its keys.

    Args:
        content: Texts, finite numbers, booleans, None, and lists and mappings of them.

    Returns:
        The sha256 of its compact JSON as hexadecimal text.

    Raises:
        ValueError: A number is not finite.
        TypeError: A value has no JSON form.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def stage_digest(
    stage: str,
    version: int,
    content_hash: str,
    parameters: Mapping[str, object],
    weights: Mapping[str, str],
    reads: Mapping[str, str],
) -> str:
    """Hash everything that a stage's result depends on; equal digests mean equal results.

    Args:
        stage: Name of the stage.
        version: Version of its code, raised when its results change.
        content_hash: Hash of the film.
        parameters: Settings of the stage, as plain data.
        weights: sha256 of every weight file that it uses, by name.
        reads: Digests of the stages whose results it reads, by name.

    Returns:
        A sha256 as hexadecimal text.
    """
    return json_digest(
        {
            "stage": stage,
            "version": version,
            "source": content_hash,
            "parameters": parameters,
            "weights": weights,
            "reads": reads,
        }
    )
