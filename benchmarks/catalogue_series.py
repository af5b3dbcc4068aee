"""Measure people across the six episodes of BBT and of Buffy, with simulated faces.

    python benchmarks/catalogue_series.py [--noise X ...] [--film-spread X ...] [--seeds N]

The protocol: the six labelled episodes of a series are six films of one catalogue. Which tracks
there are, who is in each, and which share a frame is real (`../shared/data/bbt_buffy`, or
$PERSONAE_SHARED); the faces are not, for these episodes have no pictures here. A person is one
Gaussian point in all episodes, moved for the episode by `--film-spread` (age, hair, light), and for
the track and the crop by `--noise`, in units of a person's length. Each episode is clustered on its
own by the default method without adaptation, its characters' centres go into the catalogue, and no
label is seen. Evidence and links are those of a catalogue.

B3P, B3R and B3F are over the labelled tracks of all six episodes; `apart` is the B-cubed F where
the episodes share nobody, as without a catalogue, `alone` the mean B-cubed F of each episode.
`recurring` people are in two episodes or more, `joined` is the share of their pairs of episodes
in which the characters that hold most of their tracks are one person of the catalogue.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter, defaultdict

import numpy as np

from catalogue_sizes import link_characters
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.core.arrays import Float32Array, Int64Array
from personae.core.grouping import group_means, unit_rows
from personae.core.trackset import TrackSet
from personae.metrics.clustering import bcubed
from simulated_archive import (
    COMMON_OFFSET,
    CROPS_PER_TRACK,
    EPISODES,
    FILM_OFFSET,
    NOISE,
    draw,
)

SERIES = ("bbt", "buffy")
COLUMNS = ("people", "recurring", "found", "B3P", "B3R", "B3F", "apart", "alone", "joined")


def read_episodes(series: str) -> list[tuple[list[str], Int64Array]]:
    """Return who is in each track, and the tracks that share a frame, episode by episode."""
    found = []
    for path in sorted(EPISODES.glob(f"{series}_*.npz")):
        with np.load(path, allow_pickle=True) as episode:
            names = [str(name) for name in episode["label_bcl"]]
            found.append((names, episode["cooccur"].astype(np.int64)))
    return found


def simulate_episode(
    owner: Int64Array, faces: Float32Array, noise: float, rng: np.random.Generator
) -> tuple[Float32Array, Int64Array, Float32Array]:
    """Return crops, the track of each, and the tracks' unit means."""
    tracks = faces[owner] + draw(rng, len(owner), noise)
    track_of = np.repeat(np.arange(len(owner), dtype=np.int64), CROPS_PER_TRACK)
    crops = tracks[track_of] + draw(rng, len(track_of), noise)
    means = unit_rows(group_means(crops, track_of, len(owner)))
    return crops, track_of, means.astype(np.float32)


def measure(series: str, noise: float, film_spread: float, seed: int) -> list[float]:
    """Return the values of `COLUMNS`."""
    rng = np.random.default_rng([14, seed])
    episodes = read_episodes(series)
    everybody = sorted({name for names, _ in episodes for name in names})
    place = {name: number for number, name in enumerate(everybody)}
    people = draw(rng, len(everybody), 1.0) + draw(rng, 1, COMMON_OFFSET)
    centres, film_ids, tracks, owners, labels_of = [], [], [], [], []
    for film, (names, links) in enumerate(episodes):
        owner = np.array([place[name] for name in names], np.int64)
        faces = people + draw(rng, 1, FILM_OFFSET) + draw(rng, len(people), film_spread)
        crops, track_of, means = simulate_episode(owner, faces, noise, rng)
        one = TrackSet(
            track_of=track_of.astype(np.int32),
            embeddings=crops,
            cannot_link=links.astype(np.int32),
        )
        labels = CalibratedLinkage().cluster(one, None).labels
        known = labels >= 0
        own = group_means(means[known], labels[known], int(labels.max()) + 1)
        centres.append(unit_rows(own).astype(np.float32))
        film_ids.append(np.full(len(own), film))
        tracks.append(np.bincount(labels[known], minlength=len(own)))
        owners.append(owner)
        labels_of.append(labels)
    person, _ = link_characters(
        np.concatenate(centres), np.concatenate(film_ids), np.concatenate(tracks)
    )
    truth, found, apart, alone = [], [], [], []
    held: dict[int, list[int]] = defaultdict(list)
    first, free = 0, 10**9
    for owner, labels, own in zip(owners, labels_of, centres, strict=True):
        lone = free + np.arange(len(labels))
        free += len(labels)
        of_character = np.where(labels >= 0, first + labels, lone)
        of_person = np.where(labels >= 0, person[first + labels], lone)
        named = owner != place.get("", -1)
        truth.append(owner[named])
        found.append(of_person[named])
        apart.append(of_character[named])
        alone.append(bcubed(owner[named], of_character[named]).f)
        for name in np.unique(owner[named]):
            held[int(name)].append(Counter(of_person[owner == name].tolist()).most_common(1)[0][0])
        first += len(own)
    score = bcubed(np.concatenate(truth), np.concatenate(found))
    pairs = [a == b for own in held.values() for a, b in itertools.combinations(own, 2)]
    return [
        len(held),
        sum(len(own) > 1 for own in held.values()),
        len(np.unique(person)),
        score.precision,
        score.recall,
        score.f,
        bcubed(np.concatenate(truth), np.concatenate(apart)).f,
        float(np.mean(alone)),
        float(np.mean(pairs)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--noise", type=float, nargs="*", default=[0.9, NOISE, 1.5])
    parser.add_argument("--film-spread", type=float, nargs="*", default=[0.0, 0.5])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if not EPISODES.exists():
        sys.exit(f"{EPISODES} is not here")
    head = ("series", "noise", "spread", "seed")
    print("".join(f"{name:>10}" for name in (*head, *COLUMNS)))
    for series, noise, spread in itertools.product(SERIES, options.noise, options.film_spread):
        for seed in range(options.seeds):
            values = [round(value, 4) for value in measure(series, noise, spread, seed)]
            cells = (series, noise, spread, seed, *values)
            print("".join(f"{cell:>10}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
