"""The review: a local web page on which a person corrects the cast of a film."""

from __future__ import annotations

from personae.review.app import make_app
from personae.review.server import ReviewServer

__all__ = ["ReviewServer", "make_app"]
