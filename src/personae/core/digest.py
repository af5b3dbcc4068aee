"""What a finished stage depends on, boiled down to one string; equal strings mean equal results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def stage_digest(
    stage: str,
    version: int,
    content_hash: str,
    parameters: Mapping[str, Any],
    weights: Mapping[str, str],
    reads: Mapping[str, str],
) -> str:
    """Hash everything a stage's result depends on; `reads` are the digests of the stages it reads."""
    return digest(
        {
            "stage": stage,
            "version": version,
            "source": content_hash,
            "parameters": parameters,
            "weights": weights,
            "reads": reads,
        }
    )


def digest(parts: Mapping[str, Any]) -> str:
    """Hash plain data (texts, numbers, lists, mappings) independently of the order of its keys."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
