"""Measure the people that are found in catalogues of many sizes and difficulties.

    python benchmarks/catalogue_sizes.py [--films N ...] [--noise X ...] [--film-spread X ...]
        [--seeds N] [--people-per-film X]

The simulated films are those of catalogue_scale.py (see there); a catalogue of n films has three
people for each film. Evidence is fitted and characters are linked as a catalogue does, with the
nearest characters found exactly in memory: the stores are measured there. `film` is the mean
B-cubed F of the films' own clusterings; B3P, B3R and B3F are over the tracks of all films, and
`best` is the B-cubed F where each character is who most of its tracks are: what the films' own
errors leave to be reached. `rare`
is the B-cubed F of the tracks of characters of one or two tracks, `alone` the share of such
characters whose person is in other films and who were found in none.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np

from personae.catalogue.people.evidence import (
    MAX_SAMPLED_CHARACTERS,
    CatalogueEvidence,
    fit_evidence,
)
from personae.catalogue.people.grouping import Group, merge_groups
from personae.catalogue.people.linking import CANDIDATES
from personae.catalogue.vectors.exact_search import nearest_rows
from personae.core.arrays import BoolArray, Float32Array, Int64Array
from personae.metrics.clustering import bcubed
from simulated_archive import NOISE, Films, cluster_film, read_structures

PEOPLE_PER_FILM = 3.0
ROWS_AT_A_TIME = 8192


def link_characters(
    centres: Float32Array, film_ids: Int64Array, tracks: Int64Array
) -> tuple[Int64Array, CatalogueEvidence]:
    """Return (n,) the person of each character, and the evidence by which it was found."""
    n_films = len(np.unique(film_ids))
    kept = max(round(n_films * min(1.0, MAX_SAMPLED_CHARACTERS / len(centres))), 1)
    chosen = np.linspace(0, n_films - 1, kept).round().astype(np.int64)
    sample = np.isin(film_ids, chosen)
    evidence = fit_evidence(centres[sample], film_ids[sample], tracks[sample])
    centred = evidence.centre(centres, tracks)
    blocks = (centres[i : i + ROWS_AT_A_TIME] for i in range(0, len(centres), ROWS_AT_A_TIME))
    near, _ = nearest_rows(centres, blocks, min(CANDIDATES + 1, len(centres)))
    one, other = np.repeat(np.arange(len(near)), near.shape[1]), near.ravel()
    lengths = np.linalg.norm(centred, axis=1)
    reliability = lengths[one] * lengths[other]
    scores = np.einsum("ij,ij->i", centred[one], centred[other]) / reliability
    likely = evidence.characters.log_odds(scores, reliability) > 0
    likely &= film_ids[one] != film_ids[other]
    pairs = {
        (min(p), max(p)) for p in zip(one[likely].tolist(), other[likely].tolist(), strict=True)
    }
    groups = [Group(centred[[i]], frozenset([int(film)])) for i, film in enumerate(film_ids)]
    person = np.arange(len(centres))
    merges = merge_groups(groups, sorted(pairs), evidence.of_characters)
    for merge in reversed(merges):  # whoever was kept may be gone later
        person[merge.gone] = person[merge.kept]
    return person, evidence


def measure(made: Films, n_films: int) -> dict[str, float]:
    """Return what is found in a catalogue of some films."""
    centres, film_ids, tracks, truth, found, is_rare = [], [], [], [], [], []
    labels_of, true_of, ideal = [], [], []
    for film in range(n_films):
        own, labels, true, _ = made.simulate(film)
        centres.append(own)
        film_ids.append(np.full(len(own), film))
        tracks.append(np.bincount(labels[labels >= 0], minlength=len(own)))
        labels_of.append(labels)
        true_of.append(true)
    sizes = np.concatenate(tracks)
    started = time.perf_counter()
    person, evidence = link_characters(np.concatenate(centres), np.concatenate(film_ids), sizes)
    seconds = time.perf_counter() - started
    first = 0
    owners: list[Int64Array] = []
    for own, labels, true in zip(centres, labels_of, true_of, strict=True):
        placed = np.where(labels >= 0, person[first + labels], -1)
        unknown = placed < 0
        placed[unknown] = -1 - first - np.arange(len(labels))[unknown] - 10**9
        truth.append(true)
        found.append(placed)
        is_rare.append(np.where(labels >= 0, sizes[first + labels] <= 2, False))
        owner = np.array(
            [Counter(true[labels == c].tolist()).most_common(1)[0][0] for c in range(len(own))]
        )
        owners.append(owner)
        ideal.append(np.where(labels >= 0, owner[labels], placed))
        first += len(own)
    score = bcubed(np.concatenate(truth), np.concatenate(found))
    rare: BoolArray = np.concatenate(is_rare)
    best = bcubed(np.concatenate(truth), np.concatenate(ideal)).f
    of_rare = bcubed(np.concatenate(truth)[rare], np.concatenate(found)[rare])
    owner = np.concatenate(owners)
    films_of_owner = np.bincount(owner, minlength=len(made.people))
    films_of_person = np.bincount(person, minlength=len(person))
    recurring = (sizes <= 2) & (films_of_owner[owner] > 1)
    alone = recurring & (films_of_person[person] == 1)
    return {
        "found": len(np.unique(person)),
        "true": len(np.unique(np.concatenate(truth))),
        "B3P": score.precision,
        "B3R": score.recall,
        "B3F": score.f,
        "best": best,
        "rare": of_rare.f,
        "alone": alone.sum() / max(recurring.sum(), 1),
        "share": evidence.characters.share,
        "lookalikes": evidence.characters.lookalike_share,
        "s": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, nargs="*", default=[2, 6, 20, 50, 150, 400, 1000])
    parser.add_argument("--noise", type=float, nargs="*", default=[NOISE])
    parser.add_argument("--film-spread", type=float, nargs="*", default=[0.0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--people-per-film", type=float, default=PEOPLE_PER_FILM)
    options = parser.parse_args()
    columns = (
        "found",
        "true",
        "B3P",
        "B3R",
        "B3F",
        "best",
        "rare",
        "alone",
        "share",
        "lookalikes",
        "s",
    )
    head = ("films", "noise", "spread", "film", "seed")
    print("".join(f"{name:>11}" for name in (*head, *columns)))
    for noise in options.noise:
        rng = np.random.default_rng(10)
        made = [cluster_film(o, links, noise, rng) for _, o, links in read_structures(rng)]
        alone = float(np.mean([score for _, score in made]))
        for spread in options.film_spread:
            for n_films in options.films:
                n_people = max(round(options.people_per_film * n_films), 60)
                for seed in range(options.seeds):
                    films = Films([one for one, _ in made], n_people, noise, spread, seed)
                    facts = measure(films, n_films)
                    cells = [n_films, noise, spread, round(alone, 4), seed]
                    cells += [round(facts[name], 4) for name in columns]
                    print("".join(f"{cell:>11}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
