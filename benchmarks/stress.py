"""Harm a labelled clip in known ways and see whether the default method still holds.

    python benchmarks/stress.py [CLIP ...] [--variants NAME ...] [--seeds N] [--csv FILE] [--keep FOLDER]

Variants are made from the clip itself with its labels carried along: smaller, darker, grey, at a low bit
rate, cut short, joined with another clip, twice in a row; and, on the tracks of the clip as it is, every
second track deleted and false faces added. Beside the default method stand Algorithm 1 on the same
adaptation, FINCH at whichever of its partitions scores best (it is told the truth for that), and average
linkage at one fixed distance.

With `--keep`, tracks and adaptations stay in a folder and are not made again: for trying out clusterings.
After a change to the scan or the adaptation, use another folder.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clips import CLIPS
from measure import in_one_stroke
from personae.adapt import Adaptation, adapt
from personae.cluster.finch import finch_partitions
from personae.cluster.hac import HAC
from personae.cluster.personae import CalibratedLinkage
from personae.cluster.videoclusternet import VideoClusterNet
from personae.core.compute import prepare_torch
from personae.core.config import AdaptConfig
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.grouping import track_means
from personae.core.labels import Labels
from personae.core.trackset import TrackSet
from personae.cues.face import plausible_pairs
from personae.encode import Encoder, load_encoder
from personae.metrics.hand_labels import LabelledFace, PredictedTrack, Score, read_labels, score
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.project import Project
from shown import Shown
from variants import VARIANTS, Film

COLUMNS = ("clip", "variant", "seed", "method", "found", "faces", "WCP", "PCR", "B3F", "strays")
FALSE_FACES = 12
OF_CROPS = ("width", "place", "picture", "time_s")
"""What a `TrackSet` may say of each crop beside its embedding."""


@dataclass(frozen=True)
class Case:
    """Tracks to cluster, and the labels to judge by."""

    tracks: TrackSet
    ids: list[int]
    """(T,) number of each track in `boxes`; -1 for one that was made up."""
    boxes: dict[int, PredictedTrack]
    labels: list[LabelledFace]

    def judge(self, found: Labels) -> Score:
        """Score (T,) labels."""
        named = dict(self.boxes)
        for track, label in zip(self.ids, found, strict=True):
            if track >= 0:
                named[track] = replace(named[track], character=str(label) if label >= 0 else None)
        return score(self.labels, {str(track): boxes for track, boxes in named.items()})


def harmed(variant: str, film: Film, other: Film, encoder: Encoder, place: Path) -> Case:
    """Make a variant of a film, and its tracks; `place` is a name for what lies about meanwhile."""
    make = VARIANTS.get(variant, VARIANTS["as it is"])
    case = scanned(make(film, other, place.with_suffix(".mp4")), place.with_suffix(".personae"))
    if variant == "half of the tracks":
        return half_of_the_tracks(case)
    return with_false_faces(case, encoder) if variant == "false faces" else case


def scanned(film: Film, folder: Path) -> Case:
    """Scan and embed a film (the clustering of this run is the cheapest one and not looked at)."""
    project: Project = run(film.path, folder, Settings.of(method="hac"))
    stored = project.track_set()
    tracks = replace(stored, crops=list(stored.crops or ()))
    faces = project.table("faces").select(["track", "time_s", "x", "y", "w", "h"]).to_pylist()
    rows = defaultdict(list)
    for face in faces:
        if face["track"] >= 0:
            rows[face["track"]].append([face[name] for name in ("time_s", "x", "y", "w", "h")])
    boxes = {
        t: PredictedTrack(np.array(r)[:, 0], np.array(r)[:, 1:], None) for t, r in rows.items()
    }
    return Case(tracks, [int(t) for t in tracks.track_ids], boxes, film.labels)


def half_of_the_tracks(case: Case) -> Case:
    """Delete every second track, and the labelled faces on them."""
    kept = np.arange(0, case.tracks.n_tracks, 2)
    return Case(subset(case.tracks, kept), [case.ids[t] for t in kept], case.boxes, case.labels)


def with_false_faces(case: Case, encoder: Encoder) -> Case:
    """Add tracks of smooth random texture, as a detector's mistakes."""
    rng = np.random.default_rng(0)
    crops = list(case.tracks.crops or [])
    track_of = case.tracks.track_of.tolist()
    for track in range(FALSE_FACES):
        texture = rng.integers(0, 255, size=(10, 10, 3))
        for _ in range(3):
            noisy = np.clip(texture + rng.normal(0, 8, texture.shape), 0, 255).astype(np.uint8)
            crops.append(np.repeat(np.repeat(noisy, 16, axis=0), 16, axis=1))
            track_of.append(case.tracks.n_tracks + track)
    false = encoder.embed(crops[case.tracks.n_crops :])
    tracks = TrackSet(
        track_of=np.array(track_of, np.int32),
        crops=crops,
        embeddings=np.concatenate([case.tracks.require_embeddings(), false]),
        cannot_link=case.tracks.cannot_link,
        attach_only=np.append(case.tracks.attach_only, np.zeros(FALSE_FACES, np.bool_)),
        place=np.concatenate([case.tracks.place, np.zeros((len(false), 4), np.float32)]),  # nowhere
        picture=np.concatenate(
            [case.tracks.picture, np.zeros((len(false), *THUMBNAIL_SHAPE), np.uint8)]
        ),
        time_s=np.append(case.tracks.time_s, np.zeros(len(false), np.float32)),
    )
    return Case(tracks, case.ids + [-1] * FALSE_FACES, case.boxes, case.labels)


def subset(tracks: TrackSet, kept: np.ndarray) -> TrackSet:
    """Keep some tracks, renumbered."""
    place = np.full(tracks.n_tracks, -1)
    place[kept] = np.arange(len(kept))
    crops = np.flatnonzero(place[tracks.track_of] >= 0)
    links = place[tracks.cannot_link]
    return TrackSet(
        track_of=place[tracks.track_of[crops]].astype(np.int32),
        crops=[tracks.crops[i] for i in crops] if tracks.crops is not None else None,
        embeddings=tracks.require_embeddings()[crops],
        cannot_link=links[(links >= 0).all(axis=1)].astype(np.int32),
        attach_only=tracks.attach_only[kept] if tracks.attach_only is not None else None,
        **{
            name: of_crop[crops]
            for name in OF_CROPS
            if (of_crop := getattr(tracks, name)) is not None
        },
    )


def adapted(case: Case, encoder: Encoder, seed: int, folder: Path) -> Adaptation:
    """Adapt to a case, or read what an earlier run has left in `folder`."""
    if folder.exists():
        return Adaptation.load(folder)
    adaptation = learned(case.tracks, encoder, seed)
    with in_one_stroke(folder) as unfinished:
        unfinished.mkdir()
        adaptation.save(unfinished)
    return adaptation


def learned(tracks: TrackSet, encoder: Encoder, seed: int, **settings: Any) -> Adaptation:
    """Adapt to some tracks with some settings changed."""
    config = AdaptConfig(seed=seed, **settings)
    return adapt(tracks, encoder, config, plausible=plausible_pairs(tracks))


def results(case: Case, adaptation: Adaptation, seed: int) -> Iterator[tuple[str, Score]]:
    """Cluster a case by every method."""
    yield "personae", case.judge(CalibratedLinkage().cluster(case.tracks, adaptation).labels)
    yield "Algorithm 1", case.judge(VideoClusterNet().cluster(case.tracks, adaptation).labels)
    if seed == 0:
        partitions = finch_partitions(track_means(case.tracks))
        yield (
            "FINCH, best partition",
            max((case.judge(p) for p in partitions.T), key=lambda s: s.bcubed.f),
        )
        yield "HAC, fixed distance", case.judge(HAC().fit_predict(case.tracks))


def main() -> None:
    """Run every clip's variants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=list(CLIPS))
    parser.add_argument(
        "--variants", nargs="*", default=[*VARIANTS, "half of the tracks", "false faces"]
    )
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    prepare_torch()
    encoder = load_encoder()
    films = {
        name: Film(clip.video, read_labels(clip.labels))
        for name, clip in CLIPS.items()
        if clip.present
    }
    shown = Shown(COLUMNS)
    with tempfile.TemporaryDirectory() as temporary:
        kept = options.keep or Path(temporary)
        kept.mkdir(parents=True, exist_ok=True)
        for name in (n for n in options.clips if n in films):
            other = films[next(n for n in films if n != name)]
            for variant in options.variants:
                stem = f"{name}-{variant}".replace(" ", "-")
                if not (file := kept / f"{stem}.pickle").exists():
                    case = harmed(variant, films[name], other, encoder, Path(temporary, stem))
                    file.write_bytes(pickle.dumps(case))
                case = pickle.loads(file.read_bytes())
                for seed in range(options.seeds):
                    adaptation = adapted(case, encoder, seed, kept / f"{stem}-adapt{seed}")
                    for method, s in results(case, adaptation, seed):
                        figures = [f"{v:.3f}" for v in (s.wcp, s.pcr, s.bcubed.f)]
                        about = (name, variant, str(seed), method)
                        shown.add(*about, str(s.found), str(s.faces), *figures, str(s.strays))
    shown.finish(options.csv)


if __name__ == "__main__":
    main()
