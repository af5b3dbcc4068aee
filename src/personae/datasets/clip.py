"""`clip:VIDEO,LABELS.csv` and `demo`: a film that is scanned once, with hand-labelled faces."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from personae.core.errors import SettingError
from personae.datasets import DatasetContext
from personae.datasets.labelled import LabelledTracks, factorize_people
from personae.datasets.spec import DatasetSpec
from personae.metrics.hand_labels import LabelledFace, PredictedTrack, match_faces, read_labels

DEMO = Path("examples") / "demo.mp4"


def read(spec: DatasetSpec, context: DatasetContext) -> LabelledTracks:
    """Read a film and its labels; the project folder stays in the context's folder.

    The person of a track is the one of most of its labelled faces. A track without a labelled face
    is unlabelled, but is part of the input like all others.

    Raises:
        FilmError: The film cannot be decoded.
        SettingError: The labels cannot be read.
        ProjectError: The project folder cannot be used.
    """
    from personae.pipeline.runner import run
    from personae.pipeline.settings import Settings

    spec.check_options()
    if spec.kind == "demo":
        spec.check_paths(0, 0, "demo")
        video, label_file = find_demo_files()
    else:
        spec.check_paths(2, 2, "clip:VIDEO,LABELS.csv")
        video, label_file = spec.paths
    faces = read_labels(label_file)
    path_hash = hashlib.sha256(str(video.resolve()).encode()).hexdigest()[:6]
    # Average linkage needs no adaptation, so that only scan and encode take time.
    settings = Settings.from_flat(
        encoder=context.encoder, weights=context.weights, device=context.device, method="hac"
    )
    folder = context.folder / f"{video.stem}-{path_hash}.personae"
    project = run(video, folder, settings, context.hook)
    tracks = project.track_set()
    predicted = tracks_from_faces(project.table("faces"))
    votes = count_votes(faces, predicted)
    ids = tracks.track_ids.tolist()
    names = [votes[i].most_common(1)[0][0] if i in votes else None for i in ids]
    truth, people = factorize_people(names)
    return LabelledTracks(
        name=video.stem,
        kind=spec.kind,
        tracks=tracks,
        truth=truth,
        people=people,
        frame_counts=np.array([len(predicted[i].times) for i in ids], dtype=np.int64),
        digest=project.require("scan").digest,
        note="Tracks of `personae run`; a track takes the person of most of its labelled faces.",
        encoder=context.encoder,
        facts={
            "labelled faces": len(faces),
            "labelled faces on a track": sum(vote.total() for vote in votes.values()),
        },
    )


def find_demo_files() -> tuple[Path, Path]:
    """Return the paths of the demo clip and its labels in a checkout of the source code.

    Raises:
        SettingError: There is no checkout.
    """
    for root in (Path(__file__).parents[3], Path.cwd()):
        video = root / DEMO
        labels = video.with_name("demo_labels.csv")
        if video.exists() and labels.exists():
            return video, labels
    raise SettingError(
        f"{DEMO} is not here: run in a checkout of the source code, or name a film with "
        "clip:VIDEO,LABELS."
    )


def tracks_from_faces(table: pa.Table) -> dict[int, PredictedTrack]:
    """Collect the boxes of every track from a `faces` table, by track number."""
    track = table["track"].to_numpy()
    times = table["time_s"].to_numpy().astype(np.float64)
    columns = [table[name].to_numpy() for name in ("x", "y", "w", "h")]
    boxes = np.column_stack(columns).astype(np.float64)
    tracks = {}
    for number in np.unique(track[track >= 0]).tolist():
        rows = np.flatnonzero(track == number)
        rows = rows[np.argsort(times[rows], kind="stable")]
        tracks[number] = PredictedTrack(times[rows], boxes[rows], None)
    return tracks


def count_votes(
    faces: list[LabelledFace], tracks: dict[int, PredictedTrack]
) -> dict[int, Counter[str]]:
    """Count the people of each track's labelled faces; tracks without one are left out."""
    votes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    by_name = {str(number): track for number, track in tracks.items()}
    for face, name in zip(faces, match_faces(faces, by_name), strict=True):
        if name is not None:
            votes[int(name)][face.person] += 1
    return dict(votes)
