"""Where exported numbers come from: the film, the software, the weights and their licences."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING

from personae.weights import WEIGHTS

if TYPE_CHECKING:
    from personae.project import Project


def describe_provenance(project: Project) -> dict[str, object]:
    """Return plain data for JSON.

    Returns:
        `film` (None before the scan), `software`, and `weights` with `name`, `sha256` and
        `licence` of each.
    """
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
        "software": software_name(),
        "weights": list_used_weights(project),
    }


def software_name() -> str:
    """Return the package's name with its version."""
    return f"personae {version('personae')}"


def list_used_weights(project: Project) -> list[dict[str, str | None]]:
    """Return name, sha256 and licence (None where it is not known) of each weight file used."""
    used = {
        name: sha256
        for record in project.manifest.stages.values()
        for name, sha256 in record.weights.items()
    }
    return [
        {"name": name, "sha256": sha256, "licence": _licence(name, sha256)}
        for name, sha256 in sorted(used.items())
    ]


def _licence(name: str, sha256: str) -> str | None:
    """Return the licence of a weight file; None unless its hash is the registered one."""
    entry = WEIGHTS.get(name)
    return entry.licence if entry is not None and entry.sha256 == sha256 else None
