"""The network weights that travel with the package: where they are, what they are, whose they are."""

from __future__ import annotations

from personae.weights.registry import WEIGHTS, Weight, weight

__all__ = ["WEIGHTS", "Weight", "weight"]
