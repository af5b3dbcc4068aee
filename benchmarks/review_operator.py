"""Count what a person does until the cast is right: with the queue of the review, and by hand.

    python benchmarks/review_operator.py [CLIP ...] [--minutes N ...] [--simulated DATA ...]
        [--third] [--learn] [--method NAME] [-o FOLDER]

A simulated operator knows the hand labels. It answers the questions of the queue as long as the
queue says that one is worth asking, and repairs what is left by hand. Repair by hand goes through
the characters in order of screen time: tracks that are somebody else are moved, one action for each
person among them, and a character of a person who has one already is merged into that, two at a
time, or all that a person has in one action ("several at once"); then the unknown tracks are
assigned, one action for each person. Compared are the queue with the cast clustered anew after
every answer, the queue alone, and repair by hand from the start. `--minutes` adds films of this
length made of the clips (`long_film.py`), `--simulated` films whose track structure is that of a
real episode and whose faces are simulated; `--third` takes real films at a third of their size,
too. With `--learn` the first half of the actions of the queue is followed by a run that learns from
them, which is compared with going on without it.

An action is an answer, a merge, or a move of tracks to one person. One answer says of all pairs
that a question shows which are one person. Clicks count the selecting too: for a merge one for each
character and one to merge, one for an answer and one for every pair whose selection has to be
changed first; for a move one to open the character, one for every track and one to move them.
Looking costs neither actions nor clicks: who repairs by hand knows at once what is wrong, and skips
what is right. `seen` says how much there was to look at: pairs of questions, or tracks of the
characters that were gone through up to the last repair. Faces without a label are left as they are
shown. The cast is right at a B-cubed F of 0.99 over the labelled faces on tracks, or at the best
that whole tracks can reach.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from clips import CLIPS
from long_film import make_long_film
from personae.metrics.hand_labels import LABEL_COLUMNS, LabelledFace, read_labels
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.project import Project
from personae.review.film import ReviewedFilm
from review_oracle import Groups, Oracle
from review_session import (
    Effort,
    answer_alone,
    answer_and_learn,
    answer_and_recluster,
    finish_by_hand,
)
from simulated_film import write_simulated_film
from tables import markdown_table
from variants import VARIANTS, LabelledFilm

TARGET_B3F = 0.99
QUEUE, QUEUE_ALONE = "queue, clustered anew", "queue alone"
BY_HAND, BY_HAND_SEVERAL = "by hand", "by hand, several at once"
LEARNED = "queue, learned after half"


def measure_film(film: LabelledFilm, folder: Path, method: str, learn: bool) -> dict[str, Effort]:
    """Return what every way of working took on a film."""
    run(film.path, folder, Settings.from_flat(method=method))
    oracle = Oracle.load(Project.open(folder), film.labels)
    efforts = measure_folder(folder, oracle)
    if learn and efforts[QUEUE].actions > 1:
        target, half = efforts[QUEUE].target, efforts[QUEUE].actions // 2
        with tempfile.TemporaryDirectory() as copies:
            copy = shutil.copytree(folder, Path(copies) / "learning.personae")
            efforts[LEARNED] = answer_and_learn(film.path, copy, oracle, target, half)
            efforts[LEARNED].target = target
    return efforts


def measure_folder(folder: Path, oracle: Oracle) -> dict[str, Effort]:
    """Return what every way of working took without learning."""
    target = min(TARGET_B3F, oracle.best_score())
    start = Groups.of(ReviewedFilm(folder).state())
    with tempfile.TemporaryDirectory() as copies:
        copy = shutil.copytree(folder, Path(copies) / "copy.personae")
        queue = answer_and_recluster(copy, oracle, target)
    efforts = {QUEUE: queue, QUEUE_ALONE: answer_alone(folder, oracle, target)}
    for way, several in ((BY_HAND, False), (BY_HAND_SEVERAL, True)):
        begun = Effort(start=queue.start)
        efforts[way] = finish_by_hand(begun, start, oracle, target, several)
    for effort in efforts.values():
        effort.target = target
    return efforts


def measure_simulated(text: str, method: str) -> dict[str, Effort]:
    """Return what every way of working took on a simulated film."""
    with tempfile.TemporaryDirectory() as place:
        film, oracle = write_simulated_film(text, Path(place) / "film.personae", method)
        return measure_folder(film.folder, oracle)


def measure_all(given: argparse.Namespace, folder: Path) -> Iterator[tuple[str, dict[str, Effort]]]:
    """Yield the efforts of every film that was asked for; folders and small films are kept."""
    clips = given.clips or ([] if given.minutes or given.simulated else ["demo"])
    for name, film in list_films(clips, given.minutes):
        place = folder / f"{name}.personae"
        yield name, measure_film(film, place, given.method, given.learn)
        if given.third:
            small = make_third(film, folder / f"{name}-third.mp4")
            place = folder / f"{name}-third.personae"
            yield f"{name}, third size", measure_film(small, place, given.method, given.learn)
    for text in given.simulated:
        yield text.rpartition("/")[2], measure_simulated(text, given.method)


def list_films(
    names: Sequence[str], minutes: Sequence[float]
) -> Iterator[tuple[str, LabelledFilm]]:
    """Yield the films and their names."""
    for name in names:
        clip = CLIPS[name]
        if clip.present:
            yield name, LabelledFilm(clip.video, read_labels(clip.labels))
        else:
            print(f"{name} is not on this machine", file=sys.stderr)
    for length in minutes:
        yield f"film-{length:g}min", make_long_film(length)


def make_third(film: LabelledFilm, path: Path) -> LabelledFilm:
    """Return a film at a third of its size, which is made unless it is there already."""
    labels = path.with_suffix(".labels.csv")
    if not (path.exists() and labels.exists()):
        write_labels(VARIANTS["third size"](film, film, path).labels, labels)
    return LabelledFilm(path, read_labels(labels))


def write_labels(faces: Sequence[LabelledFace], path: Path) -> None:
    """Write hand labels in the format of `read_labels`."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(LABEL_COLUMNS)
        writer.writerows((face.time_s, *face.box, face.person) for face in faces)


def summarise(found: dict[str, dict[str, Effort]]) -> list[str]:
    """Return sentences about all casts that were not right from the start."""
    worked = [ways for ways in found.values() if ways[BY_HAND].actions]
    if not worked:
        return ["Every cast was right from the start."]
    sentences = [
        compare(worked, way, other)
        for way in (QUEUE, QUEUE_ALONE)
        for other in (BY_HAND, BY_HAND_SEVERAL)
    ]
    learned = [ways for ways in worked if LEARNED in ways]
    if learned:
        plain, taught = (sum(ways[way].actions for ways in learned) for way in (QUEUE, LEARNED))
        sentences.append(
            f"Learning after half of the actions of {len(learned)} casts: {taught} actions instead "
            f"of {plain}, {plain - taught} fewer."
        )
    return sentences


def compare(worked: Sequence[dict[str, Effort]], way: str, other: str) -> str:
    """Return a sentence that compares two ways of working on the same casts."""
    mine, theirs = ([ways[one] for ways in worked] for one in (way, other))
    actions, other_actions = (sum(one.actions for one in each) for each in (mine, theirs))
    clicks, other_clicks = (sum(one.clicks for one in each) for each in (mine, theirs))
    ratios = [one.actions / each.actions for one, each in zip(mine, theirs, strict=True)]
    return (
        f"{way}, against {other}: {actions} actions instead of {other_actions} in {len(worked)} "
        f"casts ({actions / other_actions:.2f} of them; {statistics.mean(ratios):.2f} in the mean "
        f"over casts), {clicks} clicks instead of {other_clicks} "
        f"({clicks / other_clicks:.2f})."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", help=f"{', '.join(CLIPS)}; default: demo")
    parser.add_argument(
        "--minutes", type=float, nargs="*", default=[], help="lengths of films made of the clips"
    )
    parser.add_argument(
        "--simulated", nargs="*", default=[], help="simulated:EPISODE.npz?noise=X, ..."
    )
    parser.add_argument("--method", default="personae")
    parser.add_argument("--third", action="store_true", help="films at a third of their size, too")
    parser.add_argument("--learn", action="store_true", help="learn after half of the actions, too")
    parser.add_argument("-o", "--output", type=Path, help="keep the project folders here")
    given = parser.parse_args()
    found: dict[str, dict[str, Effort]] = {}
    header = (
        *("film", "start", "target", "way", "answers", "repairs", "actions", "clicks"),
        *("seen", "end"),
    )
    print("\n".join(markdown_table(header, [])), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        place = given.output or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        for name, efforts in measure_all(given, place):
            found[name] = efforts
            for way, one in efforts.items():
                numbers = (one.answers, one.repairs, one.actions, one.clicks, one.seen)
                scores = (f"{one.start:.3f}", f"{one.target:.3f}")
                cells = (name, *scores, way, *map(str, numbers), f"{one.end:.3f}")
                print(f"| {' | '.join(cells)} |", flush=True)
    print()
    print("\n".join(summarise(found)))


if __name__ == "__main__":
    main()
