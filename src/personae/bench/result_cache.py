"""Cache of benchmark results: one JSON file per result, named by a digest of all it depends on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from personae.bench.methods import Method
from personae.core.digest import json_digest
from personae.core.labels import Labels
from personae.datasets.labelled import LabelledTracks

ADAPTATION_CODE = ("core", "encode", "adapt", "cues", "cluster")
"""Packages that an adaptation depends on."""

METHOD_CODE = (*ADAPTATION_CODE, "compared", "bench/methods.py", "bench/task.py")
"""Packages and modules that a result depends on."""


@dataclass(frozen=True)
class CachedResult:
    """The labels of one method on one data set with one seed; metrics are computed from them."""

    dataset: str
    method: str
    seed: int | None
    """None: the method draws no random numbers."""
    labels: list[int]
    """One per track; -1 = unknown."""
    seconds: float
    """Run time of the clustering or the compared system."""
    adapt_seconds: float | None
    """Run time of the adaptation, 0 without one.

    None where it was resumed after a kill, because its time is not known then."""
    device: str
    settings: dict[str, object]

    def label_array(self) -> Labels:
        """Return the (T,) labels."""
        return np.array(self.labels, dtype=np.int64)


class ResultCache:
    """The results in a folder; a file that is absent or cannot be read counts as no result."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> CachedResult | None:
        """Return the result of a key, or None if there is none."""
        try:
            return CachedResult(**json.loads(self._path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, key: str, result: CachedResult) -> None:
        """Write the result of a key.

        Raises:
            OutputError: The file cannot be written.
        """
        from personae.core.files import atomic_write

        with atomic_write(self._path(key)) as stream:
            stream.write(json.dumps(asdict(result)).encode())

    def _path(self, key: str) -> Path:
        return self.folder / f"{key[:24]}.json"


def result_key(
    data: LabelledTracks,
    method: Method,
    weights_sha256: str | None,
    seed: int,
    labelled: dict[int, int],
) -> str:
    """Hash all that a result depends on: input, method, weights, seed and code.

    Labels of the data set enter only as far as the method gets them as input.

    Args:
        data: The data set.
        method: The method.
        weights_sha256: Hash of the encoder's weight file; None for features from a file.
        seed: The seed.
        labelled: Person of one track per person, the input of semi-supervised methods.
    """
    label_input = {"K": data.n_people, "": None}.get(method.given, sorted(labelled.items()))
    return json_digest(
        {
            "data": data.digest,
            "weights": weights_sha256,
            "method": method.settings,
            "label_input": label_input,
            "seed": seed if method.uses_seed else None,
            "code": code_digest(*METHOD_CODE),
        }
    )


def adaptation_key(
    data: LabelledTracks, method: Method, weights_sha256: str | None, seed: int
) -> str | None:
    """Hash all that an adaptation depends on but its length; None for a method without one."""
    if method.adapt is None or not method.adapt.iterations:
        return None
    return json_digest(
        {
            "data": data.digest,
            "weights": weights_sha256,
            "adapt": method.adapt.model_dump(mode="json", exclude={"seed", "iterations"}),
            "seed": seed,
            "code": code_digest(*ADAPTATION_CODE),
        }
    )


@cache
def code_digest(*places: str) -> str:
    """Hash source code of this package, so that no cached result outlives a change of it.

    Args:
        places: Packages or modules, relative to `personae`.

    Raises:
        FileNotFoundError: There is no such package or module.
    """
    root = Path(__file__).parents[1]
    sha256 = hashlib.sha256()
    for place in places:
        paths = [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
        if not paths:
            raise FileNotFoundError(f"there is no package {place} in {root}")
        for path in paths:
            sha256.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return sha256.hexdigest()
