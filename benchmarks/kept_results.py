"""Names of kept files that change whenever the code or the data behind their contents change."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path

import dyed_clothes
import personae
import variants
from personae.cluster import adapt_tracks
from personae.cluster.anchors import select_anchors
from personae.core import colour_histogram, crops, trackset
from personae.core.content_hash import compute_content_hash
from personae.core.digest import json_digest
from personae.pipeline.settings import Settings
from personae.pipeline.stages import EncodeStage, ScanStage
from personae.project import track_set
from variants import LabelledFilm


def _hash_sources(paths: Iterable[Path]) -> str:
    """Return the sha256 of the Python files at, or in folders at, some paths."""
    sha256 = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            sha256.update(file.name.encode() + b"\0" + file.read_bytes())
    return sha256.hexdigest()


PACKAGE = Path(personae.__file__).parent
CASE_CODE = _hash_sources(
    (
        *(PACKAGE / name for name in ("scan", "encode")),
        *(
            Path(module.__file__ or "")
            for module in (colour_histogram, crops, trackset, track_set, variants, dyed_clothes)
        ),
    )
)
"""Hash of the code behind the tracks of a variant, as it was imported."""
ADAPTATION_CODE = _hash_sources(
    (
        *(PACKAGE / name for name in ("adapt", "cues", "encode")),
        *(
            Path(inspect.getsourcefile(function) or "")
            for function in (adapt_tracks, select_anchors)
        ),
    )
)
"""Hash of the code behind an adaptation to given tracks."""
KEY_DIGITS = 10


def compute_case_key(films: Sequence[LabelledFilm]) -> str:
    """Return a key of the tracks that the present code finds in variants of some films."""
    settings = Settings()
    return _key(
        {
            "sources": CASE_CODE,
            "stages": [
                [stage.name, stage.version, stage.parameters(settings), stage.weights(settings)]
                for stage in (ScanStage(), EncodeStage())
            ],
            "films": [compute_content_hash(film.path) for film in films],
            "labels": [
                [[face.time_s, *map(float, face.box), face.person] for face in film.labels]
                for film in films
            ],
        }
    )


def compute_adaptation_key(case_key: str) -> str:
    """Return a key of the adaptations of the present code to the tracks of a case."""
    settings = Settings().adapt.model_dump(mode="json")
    return _key({"case": case_key, "sources": ADAPTATION_CODE, "settings": settings})


def _key(content: dict[str, object]) -> str:
    return json_digest(content)[:KEY_DIGITS]
