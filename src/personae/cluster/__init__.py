"""Clustering of face tracks into characters."""

from personae.cluster.face_track_clusterer import FaceTrackClusterer
from personae.cluster.methods import (
    METHODS,
    EmbeddingMethod,
    MethodEntry,
    check_method,
    cluster_tracks,
    make_method,
    resolve_cross_track_pairs,
)
from personae.cluster.preparation import adapt_tracks
from personae.cluster.result import Clustering
from personae.cluster.review_items import ReviewItem
from personae.cluster.videoclusternet import VideoClusterNet

__all__ = [
    "METHODS",
    "Clustering",
    "EmbeddingMethod",
    "FaceTrackClusterer",
    "MethodEntry",
    "ReviewItem",
    "VideoClusterNet",
    "adapt_tracks",
    "check_method",
    "cluster_tracks",
    "make_method",
    "resolve_cross_track_pairs",
]
