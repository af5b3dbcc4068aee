"""Network weights: those that travel with the package, and those that can be fetched on request."""

from __future__ import annotations

from personae.weights.defaults import default_weights
from personae.weights.downloads import DOWNLOADS, Download, fetch
from personae.weights.registry import WEIGHTS, Weight, weight

__all__ = ["DOWNLOADS", "WEIGHTS", "Download", "Weight", "default_weights", "fetch", "weight"]
