"""What people do without `personae`: find the faces of every frame, embed each, cluster them all.

    python benchmarks/pipeline.py FILM --csv FACES.csv [--with personae|face_recognition]

With "personae" the detector, its working size, the crops and the face-ID network are those of `personae`,
and the clustering is average linkage on cosine distances, cut at the distance that `--method hac` uses. Its
memory grows with the square of the faces: beyond MOST_FACES, so many evenly spaced ones are clustered, and
every other face joins the one it is most like. With "face_recognition" all is done by the package of that
name with its default settings (HOG detector, dlib's network) and dlib's Chinese whispers at distance 0.5, as
in dlib's own example; it is used where it is installed and is no dependency. Both decode with PyAV and keep
no picture. FACES.csv has the columns of `personae export faces`, each face being a track of its own.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from personae.core.arrays import FloatArray, UInt8Array

MOST_FACES = 10_000
"""Faces that are clustered with one another: 0.4 GB of distances."""
WHISPERS_DISTANCE = 0.5


@dataclass(frozen=True)
class Seen:
    """A face at a moment."""

    frame: int
    time_s: float
    box: tuple[float, float, float, float]
    """x, y, w, h in pixels of the film."""


def frames(film: Path) -> Iterator[tuple[int, float, UInt8Array]]:
    """Decode a film into (number, seconds, RGB picture)."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for number, frame in enumerate(container.decode(stream)):
            yield number, float(frame.time), frame.to_ndarray(format="rgb24")


def with_personae(film: Path) -> tuple[list[Seen], npt.NDArray[np.int64]]:
    """Give all faces and their clusters, by the detector and the network of `personae`."""
    import cv2

    from personae.core.compute import prepare_torch
    from personae.core.config import ScanConfig
    from personae.encode import load_encoder
    from personae.scan.alignment import aligned_crop
    from personae.scan.retinaface import RetinaFace, working_size
    from personae.weights import weight

    prepare_torch()
    config = ScanConfig()
    detector = RetinaFace(
        weight("retinaface-mobilenet025").path(), min_score=config.min_start_score
    )
    encoder = load_encoder()
    seen, embeddings = [], []
    for number, time_s, picture in frames(film):
        height, width = picture.shape[:2]
        size = working_size(width, height, config.detection_size)
        small = cv2.resize(picture[..., ::-1], size, interpolation=cv2.INTER_LINEAR)
        faces = detector(small).scaled(width / size[0], height / size[1])
        if len(faces):
            crops = np.stack([aligned_crop(picture, landmarks) for landmarks in faces.landmarks])
            embeddings.append(encoder.embed(crops, flip=False))
            seen += [Seen(number, time_s, tuple(map(float, box))) for box in faces.boxes]
    if not seen:
        return [], np.zeros(0, np.int64)
    return seen, average_linkage(np.concatenate(embeddings))


def average_linkage(embeddings: FloatArray, most: int = MOST_FACES) -> npt.NDArray[np.int64]:
    """Cluster (n, d) embeddings by average linkage on cosine distances, at most `most` of them directly."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    from personae.cluster.hac import DEFAULT_COSINE_DISTANCE

    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    chosen = np.unique(np.linspace(0, len(unit) - 1, min(most, len(unit))).round().astype(np.int64))
    if len(chosen) < 2:
        return np.zeros(len(unit), np.int64)
    distances = np.clip(1 - unit[chosen] @ unit[chosen].T, 0, 2)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    labels = fcluster(tree, DEFAULT_COSINE_DISTANCE, criterion="distance").astype(np.int64)
    nearest = [
        np.argmax(part @ unit[chosen].T, axis=1)
        for part in np.array_split(unit, len(unit) // most + 1)
    ]
    found = labels[np.concatenate(nearest)]
    found[chosen] = labels
    return found


def with_face_recognition(film: Path) -> tuple[list[Seen], npt.NDArray[np.int64]]:
    """Give all faces and their clusters, by the package face_recognition; ImportError where it is not."""
    import dlib
    import face_recognition

    seen, descriptors = [], []
    for number, time_s, picture in frames(film):
        places = face_recognition.face_locations(picture)
        for (top, right, bottom, left), descriptor in zip(
            places, face_recognition.face_encodings(picture, places), strict=True
        ):
            seen.append(Seen(number, time_s, (left, top, right - left, bottom - top)))
            descriptors.append(dlib.vector(descriptor))
    labels = dlib.chinese_whispers_clustering(descriptors, WHISPERS_DISTANCE) if descriptors else []
    return seen, np.array(labels, np.int64)


WAYS = {"personae": with_personae, "face_recognition": with_face_recognition}


def main() -> None:
    """Cluster a film's faces and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("film", type=Path)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--with", dest="way", choices=WAYS, default="personae")
    options = parser.parse_args()
    try:
        seen, labels = WAYS[options.way](options.film)
    except ImportError as error:
        sys.exit(f"{options.way} cannot be used here: {error}")
    with open(options.csv, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("frame", "time_s", "x", "y", "w", "h", "track", "character"))
        for track, (face, label) in enumerate(zip(seen, labels, strict=True)):
            writer.writerow((face.frame, f"{face.time_s:.4f}", *face.box, track, label))


if __name__ == "__main__":
    main()
