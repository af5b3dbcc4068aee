"""Stages whose slow rooms are replaced by functions that take milliseconds and load no network.

Everything else of the stages is real: what they depend on, what they check, and how they write.
The replacements keep what the project folder relies on: equal inputs give equal results,
adaptation goes on from its checkpoint, and clustering reads what the earlier stages left. `calls`
counts what has run.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from personae.cluster import Clustering, ReviewItem
from personae.core import schema
from personae.core.arrays import UInt8Array
from personae.core.colour_histogram import CLOTHES_BYTES, pack_histogram
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.errors import FilmError
from personae.core.files import atomic_write
from personae.core.hooks import Hook
from personae.pipeline.settings import Settings
from personae.pipeline.stage import Stage, StageContext
from personae.pipeline.stages import (
    AdaptStage,
    ClusterStage,
    EncodeStage,
    ReportStage,
    ScanStage,
)
from personae.project import Project
from personae.project.track_set import ProjectTracks

TRACKS = 6
CROPS_EACH = 3
RATE = 25
calls: Counter[str] = Counter()


@dataclass(frozen=True)
class FakeMedia:
    container: str = "mp4"
    codec: str = "h264"
    width: int = 640
    height: int = 360
    rotation: int = 0
    time_base: str = "1/90000"
    frame_rate: str | None = "25"
    constant_rate: str | None = "25"
    audio_channels: int = 0
    timecode: str | None = None
    start_s: float = 0.0
    container_start_s: float = 0.0
    duration_s: float = 12.0
    frames: int = 300


@dataclass(frozen=True)
class FakeScan:
    media: FakeMedia
    shots: pa.Table
    faces: pa.Table
    tracks: pa.Table
    cannot_links: pa.Table
    warnings: tuple[str, ...] = ()


class FakeScanStage(ScanStage):
    """Takes any file that holds the word film, and finds the same six tracks in it."""

    def check_film(self, film: Path) -> None:
        if b"film" not in film.read_bytes():
            raise FilmError(f"{film} cannot be read as a film.")

    def scan(self, context: StageContext, crop_sink: Callable[[pa.Table], None]) -> FakeScan:
        return scan_film(context.hook, crop_sink)

    def duration_s(self, film: Path) -> float:
        return FakeMedia.duration_s


def scan_film(hook: Hook, crop_sink: Callable[[pa.Table], None]) -> FakeScan:
    """Two shots of three tracks; odd tracks are red, even ones blue, the last has no crops."""
    calls["scan"] += 1
    for frame in range(0, 300, 100):
        hook("scan", frame, 300)
    shots = [_shot(0, 0, 149), _shot(1, 150, 299)]
    tracks, faces, crops = [], [], []
    for track in range(TRACKS):
        shot, first = track // 3, (track // 3) * 150 + 10 * (track % 3)
        last = first + 20 + 10 * track
        kept = track < TRACKS - 1
        tracks.append(
            {
                "track": track,
                "shot": shot,
                "first_frame": first,
                "last_frame": last,
                "start_s": first / RATE,
                "end_s": (last + 1) / RATE,
                "faces": CROPS_EACH,
                "crops": CROPS_EACH if kept else 0,
                "median_width": 80.0,
                "quality": 0.9,
                "status": "kept" if kept else "short",
            }
        )
        for number in range(CROPS_EACH):
            frame = first + 5 * number
            crop = len(crops) if kept else -1
            faces.append(_face(len(faces), frame, shot, track, crop))
            if kept:
                crops.append(_crop(crop, track, frame))
    links = [{"track_a": 0, "track_b": 1, "frames": 5}, {"track_a": 4, "track_b": 5, "frames": 2}]
    rows = {"shots": shots, "faces": faces, "tracks": tracks, "crops": crops, "cannot_links": links}
    made = {
        name: pa.Table.from_pylist(r, schema=getattr(schema, name.upper()))
        for name, r in rows.items()
    }
    crop_sink(made.pop("crops"))
    return FakeScan(FakeMedia(), **made)


def _shot(shot: int, first: int, last: int) -> dict[str, object]:
    return {
        "shot": shot,
        "first_frame": first,
        "last_frame": last,
        "start_pts": first * 3600,
        "end_pts": (last + 1) * 3600,
        "start_s": first / RATE,
        "end_s": (last + 1) / RATE,
    }


def _face(face: int, frame: int, shot: int, track: int, crop: int) -> dict[str, object]:
    box = {"x": 10.0 + track * 90, "y": 50.0, "w": 80.0, "h": 100.0}
    return {
        "face": face,
        "frame": frame,
        "pts": frame * 3600,
        "time_s": frame / RATE,
        "shot": shot,
        "track": track,
        **box,
        "score": 0.99,
        "landmarks": [float(i) for i in range(10)],
        "interpolated": False,
        "crop": crop,
    }


def _crop(crop: int, track: int, frame: int) -> dict[str, object]:
    import cv2

    image = np.zeros((160, 160, 3), np.uint8)
    image[..., 2 if track % 2 else 0] = 200 + track
    return {
        "crop": crop,
        "track": track,
        "frame": frame,
        "time_s": frame / RATE,
        "width": 80.0,
        "sharpness": 100.0 + track,
        "score": 0.99,
        "frontality": 0.8,
        "image": cv2.imencode(".jpg", image)[1].tobytes(),
        "thumbnail": bytes([crop % 256]) * math.prod(THUMBNAIL_SHAPE),
        "clothes": _clothes(crop, track),
    }


def _clothes(crop: int, track: int) -> bytes | None:
    """Return clothes of one colour a track; the first crop of each track shows none."""
    histogram = np.zeros(CLOTHES_BYTES)
    histogram[100 + track] = 1
    return pack_histogram(histogram) if crop % CROPS_EACH else None


class FakeEncoder:
    dim = 3

    def encode(self, crops: Sequence[UInt8Array], half: bool, hook: Hook) -> np.ndarray:
        """Mean colour of every crop."""
        calls["encode"] += 1
        found = np.empty((len(crops), 3), np.float32)
        for number, crop in enumerate(crops):
            found[number] = crop.mean(axis=(0, 1))
            hook("encode", number + 1, len(crops))
        return found


class FakeEncodeStage(EncodeStage):
    def load_encoder(self, settings: Settings) -> FakeEncoder:
        return FakeEncoder()


@dataclass
class FakeAdaptation:
    iterations: tuple[int, ...]
    embeddings: np.ndarray
    facts: dict[str, object] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"embeddings": self.embeddings}, folder / "iteration-1.safetensors")
        (folder / "log.json").write_text(json.dumps(list(self.iterations)))

    @classmethod
    def load(cls, folder: Path) -> FakeAdaptation:
        from safetensors.numpy import load_file

        iterations = tuple(json.loads((folder / "log.json").read_text()))
        return cls(iterations, load_file(folder / "iteration-1.safetensors")["embeddings"])


class FakeAdaptStage(AdaptStage):
    """Adds seeded noise in every iteration; what is done is kept in the checkpoint."""

    def adapt(
        self, context: StageContext, tracks: ProjectTracks, checkpoint: Path
    ) -> FakeAdaptation:
        return adapt(context, tracks, checkpoint)


def adapt(context: StageContext, tracks: ProjectTracks, checkpoint: Path) -> FakeAdaptation:
    config, hook = context.settings.adapt, context.hook
    calls["adapt"] += 1
    done: list[int] = []
    embeddings = tracks.embeddings.astype(np.float64)
    kept = checkpoint / "state.json"
    if kept.exists():
        state = json.loads(kept.read_text())
        done, embeddings = state["done"], np.array(state["embeddings"])
    for number in range(len(done), config.iterations):
        calls["iteration"] += 1
        hook("adapt", number, config.iterations)
        noise = np.random.default_rng([config.seed, number]).normal(size=embeddings.shape)
        embeddings = embeddings + noise
        done.append(number)
        checkpoint.mkdir(exist_ok=True)
        part = kept.with_name(kept.name + ".part")
        part.write_text(json.dumps({"done": done, "embeddings": embeddings.tolist()}))
        part.replace(kept)
    return FakeAdaptation(tuple(done), embeddings.astype(np.float32))


class FakeClusterStage(ClusterStage):
    """Groups by the stronger of red and blue; `hac` gives everybody one label."""

    def cluster(self, context: StageContext, tracks: ProjectTracks) -> Clustering:
        calls["cluster"] += 1
        features = tracks.embeddings
        if "adapt" in self.reads(context.settings):
            features = FakeAdaptation.load(context.project.folder / "adapt").embeddings
        means = np.array(
            [features[tracks.track_of == track].mean(axis=0) for track in range(tracks.n_tracks)]
        ).reshape(-1, 3)
        labels = (means[:, 0] > means[:, 2]).astype(np.int64)
        if context.settings.cluster.method == "hac":
            labels = np.zeros(len(means), np.int64)
        items = [ReviewItem("merge", (0, 2), 0.5, "the same?")] if len(means) > 2 else []
        confidence = np.abs(np.tanh(means[:, 1]))
        runner_up = np.full(len(means), -1)
        return Clustering(labels, confidence, runner_up, items, {"people": np.int64(2)})


class FakeReportStage(ReportStage):
    def write_report(self, project: Project) -> Path:
        calls["report"] += 1
        path = project.folder / "report.html"
        with atomic_write(path) as stream:
            stream.write(repr([(one.label, one.tracks) for one in project.cast()]).encode())
        return path


FAKE_STAGES: tuple[Stage, ...] = (
    FakeScanStage(),
    FakeEncodeStage(),
    FakeAdaptStage(),
    FakeClusterStage(),
    FakeReportStage(),
)
