"""Where exported numbers come from: the film, the software, the weights and their licences."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from personae.weights import WEIGHTS

if TYPE_CHECKING:
    from personae.project import Project


def provenance(project: Project) -> dict[str, Any]:
    """Give a JSON-ready header: `film`, `software`, and `weights` with name, sha256 and licence of each."""
    source = project.manifest.source
    film = None
    if source is not None:
        film = {
            "file": PurePath(source.path).name,
            "content_hash": source.content_hash,
            "width": source.width,
            "height": source.height,
            "frame_rate": source.frame_rate,
            "start_s": round(source.start_s, 6),
            "duration_s": round(source.duration_s, 6),
        }
    return {
        "film": film,
        "software": f"personae {version('personae')}",
        "weights": weights_used(project),
    }


def weights_used(project: Project) -> list[dict[str, str | None]]:
    """List the weight files of the finished stages: name, sha256, and the licence where it is known."""
    used = {
        name: sha
        for record in project.manifest.stages.values()
        for name, sha in record.weights.items()
    }
    return [
        {"name": name, "sha256": sha, "licence": _licence(name, sha)}
        for name, sha in sorted(used.items())
    ]


def _licence(name: str, sha256: str) -> str | None:
    """Give a licence only for the very bytes it was recorded for."""
    entry = WEIGHTS.get(name)
    return entry.licence if entry is not None and entry.sha256 == sha256 else None
