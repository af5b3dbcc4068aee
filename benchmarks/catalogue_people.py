"""Score the people that a catalogue finds over two halves of each labelled clip.

    python benchmarks/catalogue_people.py [CLIP ...] [--depth NAME] [-o FOLDER]

The protocol: every labelled clip that is present (see clips.py) is cut in two at the shot change
nearest to its middle, and each half is written as a film of its own. All halves of all clips go
into one catalogue by the command line, with its default settings, and no label is seen. Each
labelled face then belongs to the person of the character of the track that overlaps it most.
`B3F` is over the hand labels of both halves, `apart` the same where the two halves share nobody
(what a user has without a catalogue), `halves` the mean of each half alone. `wrong` counts people
of the catalogue who are another person in another clip. Clips of one shot are left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from scenedetect import ContentDetector, detect
from sqlalchemy import select

from clips import CLIPS, COMMAND, Clip
from personae.catalogue import open_catalogue
from personae.catalogue.schema import characters
from personae.metrics.clustering import bcubed
from personae.metrics.hand_labels import LabelledFace, match_faces, read_labels, read_tracks

IN_TWO_CLIPS = {("short_hamilton_clip", "b_obama"): ("demo", "obama")}
"""Who is in two of the clips: clip and label -> clip and label in the other one."""

QUALITY = {"crf": "12", "preset": "veryfast"}
"""Of the written halves: no visible loss."""


@dataclass(frozen=True)
class Half:
    """One half of a clip as a film of its own, with its labels in its own time."""

    clip: str
    film: Path
    faces: tuple[LabelledFace, ...]


def cut_in_two(name: str, clip: Clip, folder: Path) -> list[Half]:
    """Write the two halves of a clip; none where it has one shot."""
    scenes = detect(str(clip.video), ContentDetector())
    changes = [end.seconds for _, end in scenes[:-1]]
    if not changes:
        return []
    length = scenes[-1][1].seconds
    cut = min(changes, key=lambda moment: abs(moment - length / 2))
    labels = read_labels(clip.labels)
    halves = []
    for number, (start, end) in enumerate(((0.0, cut), (cut, np.inf)), start=1):
        film = folder / f"{name}-{number}.mp4"
        first = write_part(clip.video, film, start, end)
        own = tuple(
            LabelledFace(face.time_s - first, face.box, face.person)
            for face in labels
            if start <= face.time_s < end
        )
        halves.append(Half(name, film, own))
    return halves


def write_part(source: Path, target: Path, start: float, end: float) -> float:
    """Write the frames of a film between two times, and return the time of the first one."""
    half_frame = 1e-3
    first: float | None = None
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        video = reader.streams.video[0]
        rate = video.average_rate or Fraction(25)
        out = writer.add_stream("libx264", rate=rate, options=QUALITY)
        out.width, out.height, out.pix_fmt = video.width, video.height, "yuv420p"
        out.time_base = video.time_base
        for frame in reader.decode(video):
            if frame.time is None or frame.time < start - half_frame:
                continue
            if frame.time >= end - half_frame:
                break
            if first is None:
                first, first_pts = frame.time, frame.pts
            plain = frame.reformat(format="yuv420p")
            plain.pts, plain.time_base = frame.pts - first_pts, frame.time_base
            plain.pict_type = 0
            writer.mux(out.encode(plain))
        writer.mux(out.encode())
    assert first is not None
    return first


def command(*words: str) -> None:
    subprocess.run([*COMMAND, *words], check=True, stdout=subprocess.DEVNULL)


def place_faces(folder: Path, halves: Sequence[Half]) -> list[tuple[list[int], list[int]]]:
    """Return for each half the person and the character of each labelled face; -1: none."""
    placed = []
    with open_catalogue(folder) as catalogue:
        for film, half in zip(catalogue.films(), halves, strict=True):
            table = Path(film.folder).with_suffix(".faces.csv")
            command("export", "faces", film.folder, "-o", str(table))
            tracks = read_tracks(table)
            with catalogue.database.read() as connection:
                rows = connection.execute(
                    select(characters.c.label, characters.c.person_id, characters.c.id).where(
                        characters.c.film_id == film.id
                    )
                ).all()
            person = {row.label: row.person_id for row in rows}
            number = {row.label: row.id for row in rows}
            labels = [
                None if name is None else tracks[name].character
                for name in match_faces(list(half.faces), tracks)
            ]
            placed.append(
                (
                    [person.get(label, -1) if label else -1 for label in labels],
                    [number.get(label, -1) if label else -1 for label in labels],
                )
            )
    return placed


def show_scores(halves: Sequence[Half], placed: Sequence[tuple[list[int], list[int]]]) -> None:
    clips = list(dict.fromkeys(half.clip for half in halves))
    holders: dict[int, set[tuple[str, str]]] = {}
    columns = ("clip", "faces", "people", "found", "B3P", "B3R", "B3F", "apart", "halves", "shared")
    print(f"{columns[0]:<20}" + "".join(f"{name:>9}" for name in columns[1:]))
    for clip in clips:
        own = [(h, p) for h, p in zip(halves, placed, strict=True) if h.clip == clip]
        truth = [face.person for half, _ in own for face in half.faces]
        people = [one for _, (of_person, _) in own for one in of_person]
        apart = [one for _, (_, of_character) in own for one in of_character]
        alone = [bcubed([f.person for f in h.faces], p[1]).f for h, p in own if h.faces]
        score = bcubed(truth, people)
        shared = set.intersection(*({f.person for f in half.faces} for half, _ in own))
        for one in set(people):
            own_names = [name for name, held in zip(truth, people, strict=True) if held == one]
            holders.setdefault(one, set()).add(identify(clip, Counter(own_names)))
        cells = (
            len(truth),
            len(set(truth)),
            len(set(people) - {-1}),
            f"{score.precision:.4f}",
            f"{score.recall:.4f}",
            f"{score.f:.4f}",
            f"{bcubed(truth, apart).f:.4f}",
            f"{float(np.mean(alone)):.4f}",
            len(shared),
        )
        print(f"{clip:<20}" + "".join(f"{cell:>9}" for cell in cells), flush=True)
    wrong = sum(len(names) > 1 for one, names in holders.items() if one >= 0)
    print(f"wrong: {wrong} people of the catalogue are somebody else in another clip")


def identify(clip: str, names: Counter[str]) -> tuple[str, str]:
    """Return the clip and label of whom most of some faces of a clip show."""
    name = names.most_common(1)[0][0]
    return IN_TWO_CLIPS.get((clip, name), (clip, name))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", metavar="CLIP", help=f"of {', '.join(CLIPS)}")
    parser.add_argument("--depth", help="of the adaptation (default: that of the command)")
    parser.add_argument("-o", "--output", type=Path, help="keep films and catalogue here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.output or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        halves = []
        for name in options.clips or CLIPS:
            if CLIPS[name].present:
                halves += cut_in_two(name, CLIPS[name], folder)
            else:
                print(f"{name}: not here, left out", file=sys.stderr)
        catalogue = folder / "catalogue"
        depth = ("--depth", options.depth) if options.depth else ()
        command("catalogue", "init", str(catalogue), *depth)
        for half in halves:  # one by one: the numbers of films are those of the halves
            command("catalogue", "add", str(catalogue), str(half.film))
        command("catalogue", "run", str(catalogue), "--in-process", "--quiet")
        show_scores(halves, place_faces(catalogue, halves))


if __name__ == "__main__":
    main()
