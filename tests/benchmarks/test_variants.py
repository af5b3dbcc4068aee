"""Degraded variants of labelled clips: labels follow the faces, and clothes are recoloured."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from helpers.films import DEMO, frames_at, write_film
from helpers.paths import BENCHMARKS
from personae.metrics.hand_labels import LabelledFace, PredictedTrack, read_labels

FACE = (150.0, 40.0, 30.0, 40.0)
SKIN, SHIRT, WALL = (230, 200, 180), (90, 60, 50), (110, 110, 110)


@pytest.fixture
def load_benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def picture() -> np.ndarray:
    """A person with a light face in front of a wall, (180, 320, 3)."""
    image = np.full((180, 320, 3), WALL, np.uint8)
    image[92:, 120:210] = SHIRT
    x, y, w, h = (int(value) for value in FACE)
    image[y : y + h, x : x + w] = SKIN
    return image


@pytest.fixture
def film(tmp_path: Path, load_benchmark: Any) -> Any:
    """One second of a person, with a label in the middle."""
    path = write_film(tmp_path / "film.mp4", [picture()] * 25)
    label = LabelledFace(time_s=0.52, box=FACE, person="ann")
    return load_benchmark("variants").LabelledFilm(path, [label])


def labelled_pixels(film: Any) -> list[np.ndarray]:
    """Return the part of the frame inside each label."""
    parts = []
    for face in film.labels:
        [image] = frames_at([face.time_s], film.path)
        x, y, w, h = (round(value) for value in face.box)
        parts.append(image[y : y + h, x : x + w])
    return parts


def test_every_variant_is_in_one_set(load_benchmark: Any) -> None:
    sets = load_benchmark("variant_sets")
    names = [name for group in sets.VARIANT_SETS.values() for name in group]
    assert len(names) == len(set(names))
    on_tracks = {sets.HALF_OF_THE_TRACKS, sets.FALSE_FACES}
    assert set(names) - on_tracks == set(load_benchmark("variants").VARIANTS)
    assert len(sets.VARIANT_SETS["basic"]) == 11


@pytest.mark.parametrize(
    ("variant", "shape"),
    [
        ("half size", (90, 160)),
        ("quarter size", (44, 80)),
        ("fifth size", (36, 64)),
        ("quarter size at low bit rate", (44, 80)),
        ("small and compressed", (270, 480)),
        ("dark", (180, 320)),
    ],
)
def test_labels_follow_the_size_of_the_film(
    variant: str, shape: tuple[int, int], film: Any, tmp_path: Path, load_benchmark: Any
) -> None:
    changed = load_benchmark("variants").VARIANTS[variant](film, film, tmp_path / "changed.mp4")
    [image] = frames_at([0.52], changed.path)
    assert image.shape[:2] == shape
    assert [face.time_s for face in changed.labels] == [0.52]
    [inside] = labelled_pixels(changed)
    around = np.median(image.reshape(-1, 3), axis=0)
    assert np.median(inside.reshape(-1, 3), axis=0).mean() > 1.5 * around.mean()


def test_labels_of_a_mirrored_part_are_mirrored(
    film: Any, tmp_path: Path, load_benchmark: Any
) -> None:
    variants = load_benchmark("variants")

    def unchanged(image: np.ndarray, time_s: float) -> np.ndarray:
        return image

    parts = [variants.Part(film, unchanged), variants.Part(film, unchanged, is_mirrored=True)]
    changed = variants._write(tmp_path / "changed.mp4", parts)
    first, second = changed.labels
    assert first.box == FACE
    assert second.box == (320 - 150 - 30, *FACE[1:])
    assert second.time_s == pytest.approx(0.52 + 0.96 + variants.GAP_S)
    for inside in labelled_pixels(changed):
        assert np.abs(inside.mean(axis=(0, 1)) - SKIN).max() < 12


def track(*boxes: tuple[float, ...], start_s: float = 0.0) -> PredictedTrack:
    times = start_s + 0.04 * np.arange(len(boxes))
    return PredictedTrack(times, np.array(boxes), None)


def test_clothes_take_the_colour_and_keep_their_folds(load_benchmark: Any) -> None:
    clothes = load_benchmark("dyed_clothes")
    image = picture()
    image[130:140, 140:190] = (60, 40, 33)  # a fold
    wardrobe = clothes.Wardrobe({"ann": [track(FACE)]}, {"ann": clothes.ALIKE_COLOUR})
    dyed = wardrobe.edit(image, 0.0)
    lab = cv2.cvtColor(dyed, cv2.COLOR_RGB2LAB).astype(float)
    region = lab[110:160, 150:180]
    assert np.abs(region[..., 1:].mean(axis=(0, 1)) - clothes.ALIKE_COLOUR[1:]).max() < 4
    assert region[22:28, :, 0].mean() < region[:15, :, 0].mean() - 8
    np.testing.assert_allclose(dyed[40:78, 152:178], image[40:78, 152:178], atol=1)  # the face
    np.testing.assert_array_equal(dyed[:, :80], image[:, :80])  # the wall
    assert (image == picture()).mean() > 0.9, "the frame itself is left as it was"


def test_two_people_look_alike_whatever_they_wore(load_benchmark: Any) -> None:
    clothes = load_benchmark("dyed_clothes")
    means = []
    for shirt in ((200, 40, 40), (40, 90, 40)):
        image = picture()
        image[92:, 120:210] = shirt
        wardrobe = clothes.Wardrobe({"ann": [track(FACE)]}, {"ann": clothes.CHANGED_COLOUR})
        dyed = cv2.cvtColor(wardrobe.edit(image, 0.0), cv2.COLOR_RGB2LAB)
        means.append(dyed[110:160, 150:180].mean(axis=(0, 1)))
    assert np.abs(means[0] - means[1]).max() < 12


def test_only_frames_of_the_track_and_chosen_people_are_recoloured(load_benchmark: Any) -> None:
    clothes = load_benchmark("dyed_clothes")
    people = {"ann": [track(FACE, FACE, start_s=1.0)]}
    wardrobe = clothes.Wardrobe(people, {"ann": clothes.ALIKE_COLOUR})
    for time_s, is_dyed in ((0.96, False), (1.0, True), (1.04, True), (1.08, False)):
        assert (wardrobe.edit(picture(), time_s) != picture()).any() == is_dyed
    nobody = clothes.Wardrobe(people, {"bob": clothes.ALIKE_COLOUR})
    np.testing.assert_array_equal(nobody.edit(picture(), 1.0), picture())


def test_the_body_of_a_nearer_person_is_not_recoloured(load_benchmark: Any) -> None:
    clothes = load_benchmark("dyed_clothes")
    nearer = (170.0, 50.0, 50.0, 60.0)
    people = {"ann": [track(FACE)], "bob": [track(nearer)]}
    dyed = clothes.Wardrobe(people, {"ann": clothes.ALIKE_COLOUR}).edit(picture(), 0.0)
    np.testing.assert_allclose(dyed[135:170, 180:210], picture()[135:170, 180:210], atol=1)
    assert (dyed[110:170, 115:135] != picture()[110:170, 115:135]).mean() > 0.5


def test_the_first_person_changes_and_the_next_two_are_alike(
    film: Any, tmp_path: Path, load_benchmark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants, clothes = load_benchmark("variants"), load_benchmark("dyed_clothes")
    left = (40.0, 40.0, 30.0, 40.0)
    right = (260.0, 40.0, 30.0, 40.0)
    people = {
        name: [track(*[box] * 25)]
        for name, box in zip(("ann", "bob", "eve"), (FACE, left, right), strict=True)
    }
    monkeypatch.setattr(variants, "find_people", lambda path, labels: people)
    changed = variants.VARIANTS["clothes changed"](film, film, tmp_path / "changed.mp4")
    first, second = (face.time_s for face in changed.labels)
    for time, mirrored in ((first, False), (second, True)):
        [image] = frames_at([time], changed.path)
        lab = cv2.cvtColor(image[:, ::-1] if mirrored else image, cv2.COLOR_RGB2LAB)
        ann, bob, eve = (
            lab[110:150, x : x + 20].reshape(-1, 3).mean(axis=0)[1:] for x in (155, 45, 265)
        )
        expected = clothes.CHANGED_COLOUR[1:] if mirrored else (135, 138)
        assert np.abs(ann - expected).max() < 10
        assert np.abs(bob - eve).max() < 3
        assert np.abs(bob - clothes.ALIKE_COLOUR[1:]).max() < 8


def test_people_of_a_real_film_come_by_falling_number_of_labels(
    tmp_path: Path, load_benchmark: Any
) -> None:
    """The astronaut and the president, side by side from 10.4 s."""
    times = [10.48 + step / 25 for step in range(13)]
    path = write_film(tmp_path / "part.mp4", frames_at(times))
    labels = read_labels(DEMO.with_name("demo_labels.csv"))
    moved = [replace(face, time_s=0.0) for face in labels if face.time_s == 10.48]
    assert len(moved) == 2
    more = replace(moved[1], time_s=0.2)
    people = load_benchmark("dyed_clothes").find_people(path, [*moved, more])
    assert list(people) == [more.person, moved[0].person]
    for face in moved:
        [own] = people[face.person]
        assert np.abs(own.box_at(0.0) - face.box).max() < 40


def test_kept_cases_are_those_of_the_same_films_and_labels(film: Any, load_benchmark: Any) -> None:
    kept = load_benchmark("kept_results")
    key = kept.compute_case_key([film])
    assert kept.compute_case_key([replace(film)]) == key
    relabelled = replace(film, labels=[replace(film.labels[0], person="bob")])
    longer = replace(film, path=DEMO)
    others = [kept.compute_case_key(films) for films in ([relabelled], [longer], [film, film])]
    assert len({key, *others}) == 4
    adaptations = {kept.compute_adaptation_key(one) for one in (key, *others)}
    assert len(adaptations) == 4


@pytest.mark.parametrize("code", ["CASE_CODE", "ADAPTATION_CODE"])
def test_another_state_of_the_code_has_another_key(
    code: str, film: Any, load_benchmark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = load_benchmark("kept_results")
    key = kept.compute_case_key([film])
    adaptation_key = kept.compute_adaptation_key(key)
    monkeypatch.setattr(kept, code, "changed")
    changed = kept.compute_case_key([film])
    assert (changed != key) == (code == "CASE_CODE")
    assert kept.compute_adaptation_key(changed) != adaptation_key


def test_changed_sources_have_another_hash(tmp_path: Path, load_benchmark: Any) -> None:
    kept = load_benchmark("kept_results")
    (tmp_path / "inner").mkdir()
    file = tmp_path / "inner" / "code.py"
    file.write_text("a = 1\n")
    before = kept._hash_sources([tmp_path])
    (tmp_path / "notes.txt").write_text("not code")
    assert kept._hash_sources([tmp_path]) == before
    file.write_text("a = 2\n")
    assert kept._hash_sources([tmp_path]) != before


def test_a_set_is_summarised_over_cases_not_over_rows(load_benchmark: Any) -> None:
    values = [("a", "dark", 0.9, 1.0), ("a", "dark", 0.8, 0.9), ("b", "dark", 0.5, 1.0)]
    rows = [
        {"clip": clip, "variant": variant, "method": "personae", "B3F": str(f), "WCP": str(wcp)}
        for clip, variant, f, wcp in [*values, ("a", "fifth size", 0.25, 0.75)]
    ]
    rows.append({**rows[0], "method": "HAC", "B3F": "0.0", "WCP": "0.0"})
    basic, hard = load_benchmark("variant_sets").summarise(rows, "personae")
    assert basic == (
        "2 basic cases: mean B-cubed F 0.6750, largest standard deviation over seeds 0.071, "
        "lowest WCP 0.900."
    )
    assert hard.startswith("1 hard cases: mean B-cubed F 0.2500")
    assert load_benchmark("variant_sets").summarise([], "personae") == []
