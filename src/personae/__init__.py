"""personae: who appears in a film, and where.

``analyze("film.mp4")`` finds the cast of a film; ``open_project("film.personae")`` reads one that
was found before. The package logs under the name "personae", silently unless the application adds a
handler.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.catalogue.opening import create_catalogue, open_catalogue
    from personae.cluster import FaceTrackClusterer, VideoClusterNet
    from personae.core.trackset import TrackSet
    from personae.pipeline.analyze import analyze, open_project
    from personae.pipeline.runner import recluster

    __version__: str

logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = [
    "FaceTrackClusterer",
    "TrackSet",
    "VideoClusterNet",
    "__version__",
    "analyze",
    "create_catalogue",
    "open_catalogue",
    "open_project",
    "recluster",
]

_HOMES = {
    "TrackSet": "personae.core.trackset",
    "FaceTrackClusterer": "personae.cluster",
    "VideoClusterNet": "personae.cluster",
    "analyze": "personae.pipeline.analyze",
    "open_project": "personae.pipeline.analyze",
    "create_catalogue": "personae.catalogue.opening",
    "open_catalogue": "personae.catalogue.opening",
    "recluster": "personae.pipeline.runner",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that `import personae` is quick."""
    if name == "__version__":
        from importlib.metadata import version

        return version("personae")
    if name not in _HOMES:
        raise AttributeError(f"module 'personae' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
