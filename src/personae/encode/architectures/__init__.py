"""Architectures of face-ID networks, one per file, and their registry."""
