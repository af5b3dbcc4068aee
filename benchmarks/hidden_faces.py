"""Judge with the face-ID network whether faces that `personae blur` hides can be recognised.

    python benchmarks/hidden_faces.py [--clips NAME ...] [--styles STYLE ...] [--every N]
        [--thorough]

Every labelled clip is scanned, everybody is hidden, and the labelled faces of every N-th frame are
cut out of the film and of the copy at the same landmarks and encoded. Printed are, for each clip
and style: the faces; of all that are labelled, those of which an eye, the nose or a corner of the
mouth is not hidden by what the scan has found; in every N-th frame, what the detector takes for a
face in the film and in the copy, faint ones included (cups and hands too); and how the network sees
the clear and the hidden faces (`Judgement`).
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from scipy.stats import rankdata

from clips import SHARED
from personae.core.arrays import Float64Array, UInt8Array
from personae.core.grouping import unit_rows
from personae.encode.encoder import load_encoder
from personae.film_export import BlurSettings, HiddenPeople, write_blurred_film
from personae.film_export.hidden_faces import load_face_paths, select_hidden_tracks
from personae.film_export.lost_faces import DETECTION_SIDE_PX, MIN_SCORE
from personae.film_export.obscuring import STYLES
from personae.film_export.regions import Regions, build_regions, find_bridges
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.project import Project
from personae.scan.alignment import align_crop, normalise_exposure
from personae.scan.retinaface import RetinaFace, detector_input_size
from personae.weights import weight_file

CLIPS = {
    "hamilton": "short_hamilton_clip.mp4",
    "intel": "intel_people.mp4",
    "fotb": "simplefr_Video_2.mp4",
}
"""Name in the label files -> film."""
COLUMNS = (
    *("clip", "style", "faces", "uncovered", "detected in film", "detected in copy"),
    *("clear recognised", "clear separation", "recognised", "separation"),
    *("median similarity", "largest similarity", "strangers' 0.95 quantile"),
)
LANDMARKS = ("le", "re", "n", "lm", "rm")
"""Eyes, nose and mouth corners in the label files."""


@dataclass(frozen=True)
class LandmarkedFace:
    """A face of a labelled clip."""

    frame: int
    person: str
    landmarks: Float64Array
    """(5, 2) x, y."""


def read_landmarked_faces(path: Path) -> list[LandmarkedFace]:
    """Return the faces of known people, in order of time."""
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["person"] != "__ignore__"]
    faces = [
        LandmarkedFace(
            int(row["frame"]),
            row["person"],
            np.array([[float(row[f"{part}{axis}"]) for axis in "xy"] for part in LANDMARKS]),
        )
        for row in rows
    ]
    return sorted(faces, key=lambda one: one.frame)


def crop_faces(film: Path, faces: Sequence[LandmarkedFace]) -> UInt8Array:
    """Return the aligned crops of some faces of a film."""
    at = defaultdict(list)
    for face in faces:
        at[face.frame].append(face)
    crops = []
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in at:
                image = frame.to_ndarray(format="rgb24")
                crops += [
                    normalise_exposure(align_crop(image, face.landmarks)) for face in at[number]
                ]
    return np.stack(crops)


@dataclass(frozen=True)
class Judgement:
    """How the network sees n faces, compared with the clear faces of the same film."""

    own: Float64Array
    """(n,) mean similarity to the clear faces of the same person, itself excepted."""
    stranger_quantile: float
    """Similarity that 95 of 100 pairs of clear faces of two people stay below."""
    separation: float
    """Probability that a face is more similar to a clear face of its person than to one of another;
    0.5: it says nothing about who it is."""

    @property
    def recognised_share(self) -> float:
        """Return the share of faces that are more similar to their person than strangers are."""
        return float((self.own > self.stranger_quantile).mean())


def judge_faces(
    film: Path, shown: Path, faces: Sequence[LandmarkedFace]
) -> tuple[Judgement, Judgement]:
    """Return how the network sees the faces of a film, and those of what was made of it."""
    encoder = load_encoder()
    clear, hidden = (unit_rows(encoder.encode(crop_faces(path, faces))) for path in (film, shown))
    person = np.unique([face.person for face in faces], return_inverse=True)[1]
    same = person[:, None] == person[None]
    other_face = ~np.eye(len(person), dtype=bool)
    stranger_quantile = float(np.quantile((clear @ clear.T)[~same], 0.95))

    def judge(embeddings: Float64Array) -> Judgement:
        similarity = embeddings @ clear.T
        genuine = same & other_face
        own = (similarity * genuine).sum(axis=1) / np.maximum(genuine.sum(axis=1), 1)
        ranks = rankdata(np.concatenate([similarity[genuine], similarity[~same]]))
        n = int(genuine.sum())
        above = ranks[:n].sum() - n * (n + 1) / 2
        separation = above / (n * int((~same).sum()))
        return Judgement(own, stranger_quantile, float(separation))

    return judge(clear), judge(hidden)


def regions_of(project: Project) -> Regions:
    """Return what is hidden of everybody by default."""
    hidden, _ = select_hidden_tracks(project, HiddenPeople())
    paths = load_face_paths(project, hidden, with_single_faces=True)
    shots = {
        row["shot"]: (row["first_frame"], row["last_frame"])
        for row in project.table("shots").to_pylist()
    }
    fps, usual = float(Fraction(project.source.frame_rate)), BlurSettings()
    bridges = find_bridges(paths, fps)
    return build_regions(paths, bridges, shots, fps, usual.hold_s, usual.padding)


def find_uncovered(faces: Sequence[LandmarkedFace], regions: Regions) -> list[LandmarkedFace]:
    """Return the faces with an eye, the nose or a corner of the mouth outside all ellipses."""
    found = []
    for face in faces:
        boxes = regions.at(face.frame)
        centres, radii = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:] / 2
        offsets = (face.landmarks[:, None] - centres) / radii
        if ((offsets**2).sum(axis=2) > 1).all(axis=1).any():
            found.append(face)
    return found


def count_detected(film: Path, every: int) -> int:
    """Return what the detector takes for faces in every so manieth frame of a film."""
    entry = weight_file("retinaface-mobilenet025")
    detector = RetinaFace(entry.path(), min_score=MIN_SCORE)
    count = 0
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every == 0:
                width, height = detector_input_size(frame.width, frame.height, DETECTION_SIDE_PX)
                image = frame.reformat(width, height, "bgr24").to_ndarray()
                count += len(detector(image))
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", nargs="*", default=list(CLIPS))
    parser.add_argument("--styles", nargs="*", default=list(STYLES))
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--thorough", action="store_true")
    given = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for clip in given.clips:
        film = SHARED / CLIPS[clip]
        labelled = read_landmarked_faces(SHARED / f"{clip}_boxes.csv")
        faces = [face for face in labelled if face.frame % given.every == 0]
        with tempfile.TemporaryDirectory() as folder:
            project = run(film, Path(folder) / "film.personae", Settings.from_flat(method="hac"))
            uncovered = len(find_uncovered(labelled, regions_of(project)))
            in_film = count_detected(film, given.every)
            for style in given.styles:
                out = Path(folder) / "copy.mp4"
                settings = BlurSettings(style=style, thorough=given.thorough)
                write_blurred_film(project, film, out, settings)
                in_copy = count_detected(out, given.every)
                clear, hidden = judge_faces(film, out, faces)
                shares = (
                    *(clear.recognised_share, clear.separation),
                    *(hidden.recognised_share, hidden.separation),
                    *(float(np.median(hidden.own)), float(hidden.own.max())),
                    hidden.stranger_quantile,
                )
                counts = (len(faces), uncovered, in_film, in_copy)
                row = (clip, style, *counts, *(f"{x:.3f}" for x in shares))
                print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
