"""What a benchmark has worked out already: one JSON file a result, under a digest of all it depends on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from personae.bench.methods import Method
from personae.core.labels import Labels
from personae.datasets.labelled import LabelledTracks


@dataclass(frozen=True)
class CachedResult:
    """A method's answer on a data set with a seed; figures are computed from it anew."""

    dataset: str
    method: str
    seed: int | None
    """None: the method draws no random numbers."""
    labels: list[int]
    """One a track; -1 = unknown."""
    seconds: float
    """Of the clustering or the compared system."""
    adapt_seconds: float | None
    """Of the adaptation it used, 0 without; None where that was resumed after a kill and its time is not
    known."""
    device: str
    settings: dict[str, Any]

    def array(self) -> Labels:
        """Give the labels as an array."""
        return np.array(self.labels, dtype=np.int64)


class Store:
    """The results in a folder. A file is whole or not there; one that cannot be read counts as not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> CachedResult | None:
        """Give the result under a key, if it is there."""
        try:
            return CachedResult(**json.loads(self._path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, key: str, result: CachedResult) -> None:
        """Keep a result."""
        from personae.core.files import replacing

        with replacing(self._path(key)) as stream:
            stream.write(json.dumps(asdict(result)).encode())

    def _path(self, key: str) -> Path:
        return self.folder / f"{key[:24]}.json"


def result_key(
    data: LabelledTracks, method: Method, weights: str | None, seed: int, labelled: dict[int, int]
) -> str:
    """Say by a digest what a result depends on: input, method, weights, seed, code, and hints if it gets any.

    Labels of a data set enter only as far as the method is told of them.
    """
    told = {"K": data.n_people, "": None}.get(method.given, sorted(labelled.items()))
    return digest(
        {
            "data": data.digest,
            "weights": weights,
            "method": method.settings,
            "told": told,
            "seed": seed if method.seeded else None,
            "code": code_digest(
                "core",
                "encode",
                "adapt",
                "cluster",
                "compared",
                "bench/methods.py",
                "bench/task.py",
            ),
        }
    )


def adaptation_key(
    data: LabelledTracks, method: Method, weights: str | None, seed: int
) -> str | None:
    """Say what an adaptation depends on, its length aside; None for a method without."""
    if method.adapt is None or not method.adapt.iterations:
        return None
    config = method.adapt.model_dump(mode="json", exclude={"seed", "iterations"})
    code = code_digest("core", "encode", "adapt", "cues", "cluster")
    return digest(
        {"data": data.digest, "weights": weights, "adapt": config, "seed": seed, "code": code}
    )


def digest(content: dict[str, Any]) -> str:
    """Hash plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def code_digest(*places: str) -> str:
    """Hash the source code of some of the package's rooms or files, so that no result outlives a change to
    them."""
    root = Path(__file__).parents[1]
    mark = hashlib.sha256()
    for place in places:
        found = [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
        for path in found:
            mark.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return mark.hexdigest()
