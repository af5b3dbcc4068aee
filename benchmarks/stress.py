"""Degrade labelled clips in known ways and measure how robust the default method is.

    python benchmarks/stress.py [CLIP ...] [--set basic|hard] [--variants NAME ...] [--seeds N]
        [--csv FILE] [--keep FOLDER]

Basic variants are made from the clip itself with its labels moved along: smaller, darker, grey, at
a low bit rate, cut short, joined with another clip, twice in a row; and, on the tracks of the
unchanged clip, with every second track deleted or with false faces added. Hard variants are smaller
still, strongly compressed, or have some people's clothes recoloured. The default method is compared
with Algorithm 1 on the same adaptation, with FINCH at the partition with the best score (chosen by
the labels), and with average linkage at a fixed distance.

With `--keep`, tracks and adaptations stay in a folder, and are not computed again until the code
or the data behind them changes: a change to the clustering needs neither, one to the adaptation no
scan. Kept cases take some 50 MB each.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clips import CLIPS
from kept_results import compute_adaptation_key, compute_case_key
from measure import replace_when_done
from personae.adapt import Adaptation
from personae.cluster import adapt_tracks
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.cluster.finch import finch_partitions
from personae.cluster.hac import HAC
from personae.cluster.videoclusternet import VideoClusterNet
from personae.core.compute import configure_torch
from personae.core.config import AdaptConfig
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.grouping import track_means
from personae.core.labels import Labels
from personae.core.trackset import Crops, TrackSet
from personae.encode import Encoder, load_encoder
from personae.metrics.hand_labels import (
    HandLabelScore,
    LabelledFace,
    PredictedTrack,
    read_labels,
    score_tracks,
)
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from tables import ResultTable
from variant_sets import FALSE_FACES, HALF_OF_THE_TRACKS, VARIANT_SETS, summarise
from variants import VARIANTS, LabelledFilm

DEFAULT_METHOD = "personae"
COLUMNS = ("clip", "variant", "seed", "method", "found", "faces", "WCP", "PCR", "B3F", "strays")
N_FALSE_TRACKS, CROPS_PER_FALSE_TRACK = 12, 3


@dataclass(frozen=True)
class Case:
    """Tracks to cluster, and the labels to score them with."""

    tracks: TrackSet
    track_ids: list[int]
    """(T,) number of each track in `boxes`; -1 for a false one."""
    boxes: dict[int, PredictedTrack]
    labels: list[LabelledFace]

    def score(self, clusters: Labels) -> HandLabelScore:
        """Score the (T,) clusters of the tracks."""
        predicted = dict(self.boxes)
        for track, cluster in zip(self.track_ids, clusters, strict=True):
            if track >= 0:
                character = str(cluster) if cluster >= 0 else None
                predicted[track] = replace(predicted[track], character=character)
        return score_tracks(self.labels, {str(track): one for track, one in predicted.items()})


def make_case(
    variant: str, film: LabelledFilm, other: LabelledFilm, encoder: Encoder, path: Path
) -> Case:
    """Make a variant of a film, and its tracks.

    Args:
        variant: Name of the variant.
        film: The clip.
        other: The clip that "joined" appends.
        encoder: Network that encodes false faces.
        path: Path without a suffix for temporary files.
    """
    write_variant = VARIANTS.get(variant, VARIANTS["as it is"])
    changed_film = write_variant(film, other, path.with_suffix(".mp4"))
    case = scan_film(changed_film, path.with_suffix(".personae"))
    if variant == HALF_OF_THE_TRACKS:
        return drop_every_second_track(case)
    return add_false_faces(case, encoder) if variant == FALSE_FACES else case


def scan_film(film: LabelledFilm, folder: Path) -> Case:
    """Scan and encode a film; its clustering is the fastest one and is not used."""
    project = run(film.path, folder, Settings.from_flat(method="hac"))
    stored = project.track_set()
    images = list(stored.crops.images or ())
    tracks = replace(stored, crops=replace(stored.crops, images=images))
    columns = ("time_s", "x", "y", "w", "h")
    rows = defaultdict(list)
    for face in project.table("faces").select(["track", *columns]).to_pylist():
        if face["track"] >= 0:
            rows[face["track"]].append([face[name] for name in columns])
    boxes = {
        track: PredictedTrack(np.array(own)[:, 0], np.array(own)[:, 1:], None)
        for track, own in rows.items()
    }
    return Case(tracks, [int(track) for track in tracks.track_ids], boxes, film.labels)


def drop_every_second_track(case: Case) -> Case:
    """Delete every second track; their labelled faces count as found, but have no character."""
    kept = np.arange(0, case.tracks.n_tracks, 2)
    track_ids = [case.track_ids[track] for track in kept]
    return replace(case, tracks=case.tracks.subset(kept), track_ids=track_ids)


def add_false_faces(case: Case, encoder: Encoder) -> Case:
    """Add tracks of smooth random texture, like false detections."""
    rng = np.random.default_rng(0)
    textures, false_track_of = [], []
    for track in range(N_FALSE_TRACKS):
        texture = rng.integers(0, 255, size=(10, 10, 3))
        for _ in range(CROPS_PER_FALSE_TRACK):
            noisy = np.clip(texture + rng.normal(0, 8, texture.shape), 0, 255).astype(np.uint8)
            textures.append(np.repeat(np.repeat(noisy, 16, axis=0), 16, axis=1))
            false_track_of.append(case.tracks.n_tracks + track)
    old, n = case.tracks, len(textures)
    no_boxes = np.zeros((n, 4), np.float32)
    black_thumbnails = np.zeros((n, *THUMBNAIL_SHAPE), np.uint8)
    no_clothes = np.zeros((n, old.crops.clothes.shape[1]), np.float32)
    tracks = TrackSet(
        track_of=np.append(old.track_of, false_track_of).astype(np.int32),
        embeddings=np.concatenate([old.require_embeddings(), encoder.encode(textures)]),
        crops=Crops(
            images=[*(old.crops.images or ()), *textures],
            boxes=np.concatenate([old.crops.boxes, no_boxes]),
            thumbnails=np.concatenate([old.crops.thumbnails, black_thumbnails]),
            clothes=np.concatenate([old.crops.clothes, no_clothes]),
            times_s=np.append(old.crops.times_s, np.zeros(n, np.float32)),
        ),
        cannot_link=old.cannot_link,
        cannot_link_frames=old.cannot_link_frames,
        attach_only=np.append(old.attach_only, np.zeros(N_FALSE_TRACKS, np.bool_)),
    )
    return replace(case, tracks=tracks, track_ids=case.track_ids + [-1] * N_FALSE_TRACKS)


def load_or_adapt(case: Case, encoder: Encoder, seed: int, folder: Path) -> Adaptation:
    """Load the adaptation to a case from a folder, or compute and save it."""
    if folder.exists():
        return Adaptation.load(folder)
    adaptation = adapt_to(case.tracks, encoder, seed)
    with replace_when_done(folder) as temporary:
        temporary.mkdir()
        adaptation.save(temporary)
    return adaptation


def adapt_to(tracks: TrackSet, encoder: Encoder, seed: int, **settings: object) -> Adaptation:
    """Adapt to tracks with some settings that are not the default."""
    config = AdaptConfig.model_validate({"seed": seed, **settings})
    return adapt_tracks(tracks, encoder, config)


def score_methods(
    case: Case, adaptation: Adaptation, seed: int
) -> Iterator[tuple[str, HandLabelScore]]:
    """Yield the name and the score of every method; those without randomness for seed 0 only."""
    yield DEFAULT_METHOD, case.score(CalibratedLinkage().cluster(case.tracks, adaptation).labels)
    yield "Algorithm 1", case.score(VideoClusterNet().cluster(case.tracks, adaptation).labels)
    if seed == 0:
        partitions = finch_partitions(track_means(case.tracks)).T
        scores = (case.score(partition) for partition in partitions)
        yield "FINCH, best partition", max(scores, key=lambda score: score.bcubed.f)
        yield "HAC, fixed distance", case.score(HAC().fit_predict(case.tracks))


def main() -> None:
    """Run the variants of every clip and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", default=list(CLIPS))
    known = [variant for names in VARIANT_SETS.values() for variant in names]
    parser.add_argument("--set", choices=list(VARIANT_SETS), help="variants to run (default: all)")
    parser.add_argument("--variants", nargs="*", choices=known, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    variants = options.variants or (VARIANT_SETS[options.set] if options.set else known)
    configure_torch()
    encoder = load_encoder()
    films = {
        name: LabelledFilm(clip.video, read_labels(clip.labels))
        for name, clip in CLIPS.items()
        if clip.present
    }
    table = ResultTable(COLUMNS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in (one for one in options.clips if one in films):
            other = films[next(one for one in films if one != name)]
            case_key = compute_case_key([films[name], other])
            adaptation_key = compute_adaptation_key(case_key)
            for variant in variants:
                stem = f"{name}-{variant}".replace(" ", "-")
                if not (file := folder / f"{stem}-{case_key}.pickle").exists():
                    case = make_case(variant, films[name], other, encoder, Path(temporary, stem))
                    with replace_when_done(file) as unfinished:
                        unfinished.write_bytes(pickle.dumps(case))
                case = pickle.loads(file.read_bytes())
                for seed in range(options.seeds):
                    kept = folder / f"{stem}-adapt{seed}-{adaptation_key}"
                    adaptation = load_or_adapt(case, encoder, seed, kept)
                    for method, score in score_methods(case, adaptation, seed):
                        values = [f"{v:.3f}" for v in (score.wcp, score.pcr, score.bcubed.f)]
                        counts = (str(score.found), str(score.faces))
                        key = (name, variant, str(seed), method)
                        table.add(*key, *counts, *values, str(score.strays))
    table.finish(options.csv)
    rows = [dict(zip(COLUMNS, cells, strict=True)) for cells in table.rows]
    print(*summarise(rows, DEFAULT_METHOD), sep="\n")


if __name__ == "__main__":
    main()
