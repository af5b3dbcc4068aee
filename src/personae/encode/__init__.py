"""Face-ID networks: from an aligned crop to an embedding."""

from __future__ import annotations
