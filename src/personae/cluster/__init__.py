"""From embeddings to characters: similarity, linkage, first neighbours, constraints."""

from personae.cluster.evidence import plausible_pairs
from personae.cluster.methods import METHODS, cluster
from personae.cluster.result import Check, Clustering
from personae.cluster.videoclusternet import VideoClusterNet

__all__ = ["METHODS", "Check", "Clustering", "VideoClusterNet", "cluster", "plausible_pairs"]
