"""Network weights: files that the package carries, and files that it fetches on request."""

from __future__ import annotations

from personae.weights.defaults import default_weights
from personae.weights.downloads import DOWNLOADS, Download, fetch_weights
from personae.weights.preprocessing import Preprocessing
from personae.weights.registry import WEIGHTS, WeightFile, weight_file

__all__ = [
    "DOWNLOADS",
    "WEIGHTS",
    "Download",
    "Preprocessing",
    "WeightFile",
    "default_weights",
    "fetch_weights",
    "weight_file",
]
