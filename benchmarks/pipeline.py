"""The usual pipeline without `personae`: detect, encode and cluster the faces of every frame.

    python benchmarks/pipeline.py FILM --csv FACES.csv [--with personae|face_recognition]

With "personae", the detector, its input size, the crops and the face-recognition network are those
of `personae`, and the clustering is average linkage on cosine distances, cut at the distance of
`--method hac`. Its memory grows with the square of the number of faces: beyond MAX_CLUSTERED_FACES,
that many evenly spaced ones are clustered, and every other face joins the one it is most similar
to. With "face_recognition", everything is done by the package of that name with its default
settings (HOG detector, dlib's network) and dlib's Chinese whispers at distance 0.5, as in dlib's
own example; the package is not a dependency of `personae`. Both decode with PyAV and keep no image.
FACES.csv has the columns of `personae export faces`, and each face is a track of its own.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import av
import numpy as np

from personae.core.arrays import FloatArray, Int64Array, UInt8Array

MAX_CLUSTERED_FACES = 10_000
"""Faces that are clustered directly: 0.4 GB of distances."""
CHINESE_WHISPERS_DISTANCE = 0.5

FaceClusters = tuple[list["FaceBox"], Int64Array]
"""n faces and the (n,) cluster of each."""
DecodedFrame = tuple[int, float, UInt8Array]
"""Number, time in seconds, RGB image."""


@dataclass(frozen=True)
class FaceBox:
    """A face in a frame."""

    frame: int
    time_s: float
    box: tuple[float, float, float, float]
    """x, y, w, h in pixels of the film."""


def decode(film: Path) -> Iterator[DecodedFrame]:
    """Yield the number, the time in seconds and the RGB image of every frame."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for number, frame in enumerate(container.decode(stream)):
            yield number, float(frame.time), frame.to_ndarray(format="rgb24")


def cluster_with_personae(film: Path) -> FaceClusters:
    """Detect, encode and cluster all faces, with the detector and the network of `personae`."""
    import cv2

    from personae.core.compute import configure_torch
    from personae.core.config import ScanConfig
    from personae.encode import load_encoder
    from personae.scan.alignment import align_crop
    from personae.scan.retinaface import RetinaFace, detector_input_size
    from personae.weights import weight_file

    configure_torch()
    config = ScanConfig()
    path = weight_file("retinaface-mobilenet025").path()
    detector = RetinaFace(path, min_score=config.min_start_score)
    encoder = load_encoder()
    faces, embeddings = [], []
    for number, time_s, image in decode(film):
        height, width = image.shape[:2]
        size = detector_input_size(width, height, config.detection_size)
        resized = cv2.resize(image[..., ::-1], size, interpolation=cv2.INTER_LINEAR)
        detections = detector(resized).scaled(width / size[0], height / size[1])
        if len(detections):
            crops = np.stack([align_crop(image, landmarks) for landmarks in detections.landmarks])
            embeddings.append(encoder.encode(crops, flip=False))
            faces += [FaceBox(number, time_s, tuple(map(float, b))) for b in detections.boxes]
    if not faces:
        return [], np.zeros(0, np.int64)
    return faces, average_linkage(np.concatenate(embeddings))


def average_linkage(embeddings: FloatArray, max_faces: int = MAX_CLUSTERED_FACES) -> Int64Array:
    """Cluster (n, d) embeddings by average linkage on cosine distances.

    Args:
        embeddings: (n, d), not normalised.
        max_faces: Number of faces that are clustered directly; the others join the nearest one.

    Returns:
        (n,) clusters.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    from personae.cluster.hac import DEFAULT_COSINE_DISTANCE

    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    spaced = np.linspace(0, len(unit) - 1, min(max_faces, len(unit)))
    sample = np.unique(spaced.round().astype(np.int64))
    if len(sample) < 2:
        return np.zeros(len(unit), np.int64)
    distances = np.clip(1 - unit[sample] @ unit[sample].T, 0, 2)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    sample_labels = fcluster(tree, DEFAULT_COSINE_DISTANCE, criterion="distance").astype(np.int64)
    nearest = [
        np.argmax(part @ unit[sample].T, axis=1)
        for part in np.array_split(unit, len(unit) // max_faces + 1)
    ]
    labels = sample_labels[np.concatenate(nearest)]
    labels[sample] = sample_labels
    return labels


def cluster_with_face_recognition(film: Path) -> FaceClusters:
    """Detect, encode and cluster all faces by the package face_recognition.

    Raises:
        ImportError: it is not installed.
    """
    import dlib
    import face_recognition

    return whisper_clusters(decode(film), face_recognition, dlib)


def whisper_clusters(
    frames: Iterable[DecodedFrame], face_recognition: ModuleType, dlib: ModuleType
) -> FaceClusters:
    """Detect, encode and cluster the faces of frames with the modules of two packages."""
    faces, descriptors = [], []
    for number, time_s, image in frames:
        locations = face_recognition.face_locations(image)
        encodings = face_recognition.face_encodings(image, locations)
        for (top, right, bottom, left), encoding in zip(locations, encodings, strict=True):
            faces.append(FaceBox(number, time_s, (left, top, right - left, bottom - top)))
            descriptors.append(dlib.vector(encoding))
    if not faces:
        return [], np.zeros(0, np.int64)
    labels = dlib.chinese_whispers_clustering(descriptors, CHINESE_WHISPERS_DISTANCE)
    return faces, np.array(labels, np.int64)


PIPELINES = {
    "personae": cluster_with_personae,
    "face_recognition": cluster_with_face_recognition,
}


def main() -> None:
    """Cluster a film's faces and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", type=Path)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--with", dest="pipeline", choices=PIPELINES, default="personae")
    options = parser.parse_args()
    try:
        faces, labels = PIPELINES[options.pipeline](options.film)
    except ImportError as error:
        sys.exit(f"{options.pipeline} cannot be used here: {error}")
    with open(options.csv, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("frame", "time_s", "x", "y", "w", "h", "track", "character"))
        for track, (face, label) in enumerate(zip(faces, labels, strict=True)):
            writer.writerow((face.frame, f"{face.time_s:.4f}", *face.box, track, label))


if __name__ == "__main__":
    main()
