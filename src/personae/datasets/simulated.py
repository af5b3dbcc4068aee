"""Made-up features on a structure of tracks: how methods behave as faces get harder to tell apart.

The structure is that of a real episode (who is in which track, how long, which tracks share a frame), or
made up where no file is given. Nothing measured on it says how well a method recognises real faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from personae.core.arrays import Float64Array, Int32Array, Int64Array
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.datasets import DatasetContext
from personae.datasets.bbt import choose_cast, read_episode
from personae.datasets.labelled import LabelledTracks, digest_of, number_people
from personae.datasets.spec import Spec

EVERY, AT_LEAST, AT_MOST = 12, 5, 40
"""Frames between two crops; fewest crops of a track that is long enough; most, to keep sets small."""

FRAMES_PER_TRACK = 44.0
"""Median length of a made-up track in frames, of the order of real ones."""

DIM = 32
IDENTITY, TRACK, CROP = 1.0, 1.0, 1.0
"""Spread of people, of a person's tracks, and of a track's crops where nothing is asked for. In 32 dimensions
tracks of one person have cosine 0.55 or so and strangers 0.1, as face-ID networks give."""
OFFSET = 0.5
"""Length of what all faces of a film share, as a share of the spread of people."""


@dataclass(frozen=True)
class Structure:
    """T tracks without features."""

    names: tuple[str | None, ...]
    frames: Int64Array
    """(T,)"""
    cannot_link: Int32Array
    """(m, 2)"""


def read(spec: Spec, room: DatasetContext) -> LabelledTracks:
    """Read `simulated[:TRACKS]`; SettingError for options out of range.

    Options: noise (multiplies the spread of tracks and crops), identity, track and crop (the spreads), dim,
    seed; with TRACKS those of `bbt`; without it, people and tracks (how many).
    """
    common = ("noise", "identity", "track", "crop", "dim", "seed")
    spec.check_options(
        *common, *(("cast", "labels", "width") if spec.paths else ("people", "tracks"))
    )
    spec.check_paths(0, 2, "simulated[:TRACKS[,LABELS.ids]]")
    seed, noise = spec.option("seed", 0), spec.option("noise", 1.0)
    kept = None
    if spec.paths:
        episode = read_episode(spec)
        cast = choose_cast(episode, spec)
        structure, kept = Structure(cast.names, episode.frames, episode.cannot_link), cast.kept
        origin = f"the real structure of {episode.name}"
    else:
        people, tracks = spec.option("people", 8), spec.option("tracks", 160)
        if not 1 <= people <= tracks:
            raise SettingError(
                f"{spec.text}: there should be at least one person, and a track a person."
            )
        structure = made_up(people, tracks, np.random.default_rng([seed, 1]))
        origin = "a made-up structure"
    spread = (
        spec.option("identity", IDENTITY),
        noise * spec.option("track", TRACK),
        noise * spec.option("crop", CROP),
    )
    dim = spec.option("dim", DIM)
    if dim < 2 or min(spread) < 0:
        raise SettingError(f"{spec.text}: dim should be at least 2 and no spread negative.")
    tracks_of_it = simulate(structure, spread, dim, np.random.default_rng([seed, 2]))
    truth, known = number_people(structure.names)
    asked = "&".join(f"{name}={value}" for name, value in sorted(spec.options.items()))
    stem = spec.paths[0].stem if spec.paths else "made-up"
    data = LabelledTracks(
        name=f"{stem}?{asked}" if asked else stem,
        kind="simulated",
        tracks=tracks_of_it,
        truth=truth,
        people=known,
        frames=structure.frames,
        digest=digest_of(
            tracks_of_it.require_embeddings(), tracks_of_it.track_of, tracks_of_it.cannot_link
        ),
        note=f"Simulated features on {origin}: spreads of people, tracks and crops "
        f"{spread[0]:g}, {spread[1]:g} and {spread[2]:g}. They say nothing about real faces.",
        simulated=True,
    )
    return data if kept is None else data.subset(kept)


def simulate(
    structure: Structure, spread: tuple[float, float, float], dim: int, rng: np.random.Generator
) -> TrackSet:
    """Draw features: a Gaussian place for each person, for each of its tracks around it, for each crop.

    All share an offset, as the faces of one film do. A track without a name
    is a person of its own. Directions have `dim` dimensions; `spread` is the length of the three parts.
    """
    of_people, of_tracks, of_crops = spread
    numbers: dict[str, int] = {}
    who = np.array(
        [
            numbers.setdefault(name if name else f"{row} is nobody else", len(numbers))
            for row, name in enumerate(structure.names)
        ]
    )
    count = np.clip(-(-structure.frames // EVERY), np.minimum(AT_LEAST, structure.frames), AT_MOST)
    track_of = np.repeat(np.arange(len(who)), count)

    def directions(n: int, length: float) -> Float64Array:
        drawn: Float64Array = length / np.sqrt(dim) * rng.standard_normal((n, dim))
        return drawn

    places = directions(1, OFFSET * of_people) + directions(len(numbers), of_people)
    tracks = places[who] + directions(len(who), of_tracks)
    crops = tracks[track_of] + directions(len(track_of), of_crops)
    return TrackSet(
        track_of=track_of.astype(np.int32),
        embeddings=crops.astype(np.float32),
        cannot_link=structure.cannot_link,
    )


def made_up(people: int, tracks: int, rng: np.random.Generator) -> Structure:
    """Make up scenes: few people carry a film, shots show one to three of a scene's, all at once.

    Screen time falls as 1 / rank; a scene has up to four people and a dozen shots; lengths are log-normal.
    """
    share = 1 / np.arange(1, people + 1)
    who: list[int] = list(range(people))
    shots: list[list[int]] = [[track] for track in range(people)]
    scene = np.arange(people)
    while len(who) < tracks:
        if len(shots) % 12 == 0:
            scene = rng.choice(people, size=min(people, 4), replace=False, p=share / share.sum())
        shown = rng.choice(
            scene, size=min(len(scene), int(rng.choice([1, 1, 2, 3]))), replace=False
        )
        shown = shown[: tracks - len(who)]
        shots.append(list(range(len(who), len(who) + len(shown))))
        who += shown.tolist()
    lengths = np.maximum(3, FRAMES_PER_TRACK * np.exp(0.8 * rng.standard_normal(len(who)))).astype(
        np.int64
    )
    pairs = [(a, b) for shot in shots for a in shot for b in shot if a < b]
    return Structure(
        tuple(f"person {number + 1:02d}" for number in who),
        lengths,
        np.array(pairs, dtype=np.int32).reshape(-1, 2),
    )
