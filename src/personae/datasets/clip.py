"""A film with hand labels: the film goes through the scan once, its tracks take the labels' people."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from personae.core.errors import SettingError
from personae.datasets import DatasetContext
from personae.datasets.labelled import LabelledTracks, number_people
from personae.datasets.spec import Spec
from personae.metrics.hand_labels import LabelledFace, PredictedTrack, match, read_labels

DEMO = Path("examples") / "demo.mp4"


def read(spec: Spec, room: DatasetContext) -> LabelledTracks:
    """Read `clip:VIDEO,LABELS.csv` or `demo`; the film's project folder stays in the benchmark's folder.

    A track is the person that most of its labelled faces are of; without one it has no truth. All tracks of
    the film are input. Raises FilmError, SettingError or ProjectError.
    """
    from personae.pipeline.runner import run
    from personae.pipeline.settings import Settings

    spec.check_options()
    if spec.kind == "demo":
        spec.check_paths(0, 0, "demo")
        video, label_file = demo_files()
    else:
        spec.check_paths(2, 2, "clip:VIDEO,LABELS.csv")
        video, label_file = spec.paths
    faces = read_labels(label_file)
    place = hashlib.sha256(str(video.resolve()).encode()).hexdigest()[:6]
    # Average linkage needs no adaptation: only the scan and the embedding cost anything.
    settings = Settings.of(
        encoder=room.encoder, weights=room.weights, device=room.device, method="hac"
    )
    project = run(video, room.folder / f"{video.stem}-{place}.personae", settings, room.hook)
    tracks = project.track_set()
    seen = tracks_of_faces(project.table("faces"))
    votes = votes_of_tracks(faces, seen)
    ids = tracks.track_ids.tolist()
    names = [votes[i].most_common(1)[0][0] if i in votes else None for i in ids]
    truth, people = number_people(names)
    return LabelledTracks(
        name=video.stem,
        kind=spec.kind,
        tracks=tracks,
        truth=truth,
        people=people,
        frames=np.array([len(seen[i].times) for i in ids], dtype=np.int64),
        digest=project.require("scan").digest,
        note="Tracks of our own scan; a track is the person most of its labelled faces are of.",
        encoder=room.encoder,
        facts={
            "labelled faces": len(faces),
            "of them on a track": sum(vote.total() for vote in votes.values()),
        },
    )


def demo_files() -> tuple[Path, Path]:
    """Find the demo clip and its labels in a checkout of the source code."""
    for root in (Path(__file__).parents[3], Path.cwd()):
        video = root / DEMO
        labels = video.with_name("demo_labels.csv")
        if video.exists() and labels.exists():
            return video, labels
    raise SettingError(
        f"{DEMO} is not here: run in a checkout of the source code, or name a film with clip:VIDEO,LABELS."
    )


def tracks_of_faces(table: pa.Table) -> dict[int, PredictedTrack]:
    """Collect the boxes of every track from a `faces` table."""
    track = table["track"].to_numpy()
    times = table["time_s"].to_numpy().astype(np.float64)
    boxes = np.column_stack([table[name].to_numpy() for name in ("x", "y", "w", "h")]).astype(
        np.float64
    )
    found = {}
    for number in np.unique(track[track >= 0]).tolist():
        own = np.flatnonzero(track == number)
        own = own[np.argsort(times[own], kind="stable")]
        found[number] = PredictedTrack(times[own], boxes[own], None)
    return found


def votes_of_tracks(
    faces: list[LabelledFace], tracks: dict[int, PredictedTrack]
) -> dict[int, Counter[str]]:
    """Count, for every track with a labelled face, the people of its labelled faces."""
    votes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    by_name = {str(number): track for number, track in tracks.items()}
    for face, name in zip(faces, match(faces, by_name), strict=True):
        if name is not None:
            votes[int(name)][face.person] += 1
    return dict(votes)
