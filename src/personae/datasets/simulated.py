"""`simulated[:TRACKS]`: simulated features, to see how methods react to harder recognition.

The structure (who is in which track, how long, which tracks share a frame) is that of a real
episode, or is simulated too. Results on it say nothing about how well a method recognises real
faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, Int32Array, Int64Array
from personae.core.config import ScanConfig
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.datasets import DatasetContext
from personae.datasets.bbt import read_episode, select_tracks
from personae.datasets.labelled import LabelledTracks, content_digest, factorize_people
from personae.datasets.spec import DatasetSpec

MAX_CROPS_PER_TRACK = 40
"""Keeps the data sets small."""

MEDIAN_FRAMES_PER_TRACK = 44.0
"""Median length of a simulated track in frames, of the order of real ones."""

SHOTS_PER_SCENE, MAX_PEOPLE_PER_SCENE = 12, 4

DIM = 32
IDENTITY_SPREAD, TRACK_SPREAD, CROP_SPREAD = 1.0, 1.0, 1.0
"""Default spread of people, of a person's tracks, and of a track's crops.

In 32 dimensions, tracks of one person then have a cosine of about 0.55 and tracks of different
people of about 0.1, similar to face-recognition networks."""

COMMON_OFFSET = 0.5
"""Length of the component shared by all faces of a film, as a share of the spread of people."""


@dataclass(frozen=True)
class TrackStructure:
    """T tracks without features."""

    names: tuple[str | None, ...]
    """(T,) person of each track."""
    frame_counts: Int64Array
    """(T,)"""
    cannot_link: Int32Array
    """(m, 2)"""


def read(spec: DatasetSpec, context: DatasetContext) -> LabelledTracks:
    """Simulate features on the tracks of an episode, or on simulated tracks.

    Options: noise (multiplies the spread of tracks and crops), identity, track and crop (the
    spreads), dim, seed; with TRACKS those of `bbt`; without it, people and tracks (counts).

    Raises:
        SettingError: An option is out of range, or the episode cannot be read.
    """
    options = ("noise", "identity", "track", "crop", "dim", "seed")
    more = ("cast", "labels", "width") if spec.paths else ("people", "tracks")
    spec.check_options(*options, *more)
    spec.check_paths(0, 2, "simulated[:TRACKS[,LABELS.ids]]")
    seed, noise = spec.get_option("seed", 0), spec.get_option("noise", 1.0)
    selected = None
    if spec.paths:
        episode = read_episode(spec)
        selection = select_tracks(episode, spec)
        structure = TrackStructure(selection.names, episode.frame_counts, episode.cannot_link)
        selected = selection.selected
        origin = f"the real tracks of {episode.name}"
    else:
        people, tracks = spec.get_option("people", 8), spec.get_option("tracks", 160)
        if not 1 <= people <= tracks:
            raise SettingError(
                f"{spec.text}: there should be at least one person, and a track for each person."
            )
        structure = simulate_structure(people, tracks, np.random.default_rng([seed, 1]))
        origin = "simulated tracks"
    spreads = (
        spec.get_option("identity", IDENTITY_SPREAD),
        noise * spec.get_option("track", TRACK_SPREAD),
        noise * spec.get_option("crop", CROP_SPREAD),
    )
    dim = spec.get_option("dim", DIM)
    if dim < 2 or min(spreads) < 0:
        raise SettingError(f"{spec.text}: dim should be at least 2 and no spread negative.")
    track_set = simulate_features(structure, spreads, dim, np.random.default_rng([seed, 2]))
    truth, names = factorize_people(structure.names)
    option_text = "&".join(f"{name}={value}" for name, value in sorted(spec.options.items()))
    stem = spec.paths[0].stem if spec.paths else "simulated"
    data = LabelledTracks(
        name=f"{stem}?{option_text}" if option_text else stem,
        kind="simulated",
        tracks=track_set,
        truth=truth,
        people=names,
        frame_counts=structure.frame_counts,
        digest=content_digest(
            track_set.require_embeddings(), track_set.track_of, track_set.cannot_link
        ),
        note=f"Simulated features on {origin}: spreads of people, tracks and crops "
        f"{spreads[0]:g}, {spreads[1]:g} and {spreads[2]:g}. They say nothing about real faces.",
        simulated=True,
    )
    return data if selected is None else data.subset(selected)


def simulate_features(
    structure: TrackStructure,
    spreads: tuple[float, float, float],
    dim: int,
    rng: np.random.Generator,
) -> TrackSet:
    """Draw embeddings: a Gaussian point per person, per track around it, per crop around that.

    All share an offset, as the faces of one film do. A track without a name is a person of its own.

    Args:
        structure: T tracks without features.
        spreads: Expected length of the three parts: people, tracks, crops.
        dim: Number of dimensions.
        rng: Source of random numbers.
    """
    people_spread, track_spread, crop_spread = spreads
    index: dict[str, int] = {}
    person_of = np.array(
        [
            index.setdefault(name if name else f"unnamed person of track {track}", len(index))
            for track, name in enumerate(structure.names)
        ]
    )
    scan, frame_counts = ScanConfig(), structure.frame_counts
    min_crops = np.minimum(scan.min_crops_per_track, frame_counts)
    crop_counts = np.clip(-(-frame_counts // scan.crop_interval), min_crops, MAX_CROPS_PER_TRACK)
    track_of = np.repeat(np.arange(len(person_of)), crop_counts)

    def draw(n: int, length: float) -> Float64Array:
        drawn: Float64Array = length / np.sqrt(dim) * rng.standard_normal((n, dim))
        return drawn

    people = draw(1, COMMON_OFFSET * people_spread) + draw(len(index), people_spread)
    tracks = people[person_of] + draw(len(person_of), track_spread)
    crops = tracks[track_of] + draw(len(track_of), crop_spread)
    return TrackSet(
        track_of=track_of.astype(np.int32),
        embeddings=crops.astype(np.float32),
        cannot_link=structure.cannot_link,
    )


def simulate_structure(n_people: int, n_tracks: int, rng: np.random.Generator) -> TrackStructure:
    """Simulate scenes whose shots each show one to three of the scene's people at once.

    Screen time falls as 1 / rank, so that few people carry the film. Track lengths are log-normal.
    """
    share = 1 / np.arange(1, n_people + 1)
    person_of: list[int] = list(range(n_people))
    shots: list[list[int]] = [[track] for track in range(n_people)]
    scene = np.arange(n_people)
    while len(person_of) < n_tracks:
        if len(shots) % SHOTS_PER_SCENE == 0:
            size = min(n_people, MAX_PEOPLE_PER_SCENE)
            scene = rng.choice(n_people, size=size, replace=False, p=share / share.sum())
        size = min(len(scene), int(rng.choice([1, 1, 2, 3])))
        shown = rng.choice(scene, size=size, replace=False)[: n_tracks - len(person_of)]
        shots.append(list(range(len(person_of), len(person_of) + len(shown))))
        person_of += shown.tolist()
    lengths = MEDIAN_FRAMES_PER_TRACK * np.exp(0.8 * rng.standard_normal(len(person_of)))
    pairs = [(a, b) for shot in shots for a in shot for b in shot if a < b]
    return TrackStructure(
        names=tuple(f"person {number + 1:02d}" for number in person_of),
        frame_counts=np.maximum(3, lengths).astype(np.int64),
        cannot_link=np.array(pairs, dtype=np.int32).reshape(-1, 2),
    )
