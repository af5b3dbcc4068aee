"""From embeddings to characters: similarity, linkage, first neighbours, constraints."""

from personae.cluster.methods import METHODS, cluster
from personae.cluster.result import Check, Clustering
from personae.cluster.videoclusternet import FaceTrackClusterer
from personae.cues.face import plausible_pairs

__all__ = ["METHODS", "Check", "Clustering", "FaceTrackClusterer", "cluster", "plausible_pairs"]
