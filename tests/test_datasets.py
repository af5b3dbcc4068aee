"""Every reader of labelled data sets on a tiny file made here, and the real ones where they are present."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from films import DEMO, frames_at, write_film
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.datasets import DATASETS, DatasetContext, load
from personae.datasets.clip import demo_files
from personae.datasets.crops import Boxes, links_of_boxes, sampled
from personae.datasets.labelled import number_people
from personae.datasets.spec import parse
from shared_data import shared


@pytest.fixture
def room(tmp_path: Path) -> DatasetContext:
    folder = tmp_path / "bench"
    folder.mkdir()
    return DatasetContext(folder, device="cpu")


def save_features(path: Path, **changes: object) -> Path:
    arrays = {
        "embeddings": np.arange(12.0).reshape(6, 2),
        "track_of": np.array([0, 0, 1, 1, 2, 2]),
        "labels": np.array(["ann", "bob", ""]),
        "cannot_link": np.array([[0, 1]]),
        **changes,
    }
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


# --- names


def test_a_name_has_kind_files_and_options():
    spec = parse("bbt:a.npz,b.ids,c?cast=main&width=720")
    assert (spec.kind, [str(path) for path in spec.paths]) == ("bbt", ["a.npz", "b.ids", "c"])
    assert spec.option("width", 1024.0) == 720.0
    assert spec.choice("cast", ("all", "main")) == "main"
    assert parse("demo").paths == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing:x", "no kind of data 'nothing'"),
        ("features", "write features:FILE.npz"),
        ("features:gone.npz", "there is no gone.npz"),
        ("demo?speed=2", "it has none"),
        ("simulated?noise=loud", "noise should be a number"),
        ("simulated?people", "write options as"),
        ("simulated?people=0", "at least one person"),
        ("simulated?dim=1", "dim should be at least 2"),
        ("simulated?cast=main", "no option 'cast'"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused_in_one_sentence(text, says, room):
    with pytest.raises(SettingError, match=says) as caught:
        load(text, room)
    assert "\n" not in str(caught.value)


def test_every_kind_has_a_reader():
    from importlib import import_module

    for kind in DATASETS.values():
        assert callable(import_module(f"personae.datasets.{kind.module}").read)


# --- what readers share


def test_people_are_numbered_by_name_and_nobody_is_minus_one():
    truth, people = number_people(["bob", None, "ann", "", "bob"])
    assert people == ("ann", "bob")
    assert truth.tolist() == [1, -1, 0, -1, 1]


def test_a_subset_keeps_crops_and_pairs_of_its_tracks():
    tracks = TrackSet(
        track_of=np.array([2, 0, 1, 2], dtype=np.int32),
        embeddings=np.arange(4, dtype=np.float32)[:, None],
        cannot_link=np.array([[0, 2], [0, 1]], dtype=np.int32),
        cannot_link_frames=np.array([7, 8], dtype=np.int32),
        attach_only=np.array([True, False, False]),
    )
    part = tracks.subset(np.array([True, False, True]))
    assert part.track_of.tolist() == [1, 0, 1]
    assert part.embeddings[:, 0].tolist() == [0, 1, 3]
    assert part.cannot_link.tolist() == [[0, 1]]
    assert part.cannot_link_frames.tolist() == [7]
    assert part.attach_only.tolist() == [True, False]


def test_boxes_become_crops_every_12_frames_or_5_of_a_short_track():
    lengths = [100, 7, 2]
    track_of = np.repeat(np.arange(3), lengths)
    boxes = Boxes(
        track_of, np.concatenate([np.arange(n, dtype=float) for n in lengths]), np.zeros((109, 4))
    )
    rows = sampled(boxes)
    assert np.bincount(track_of[rows]).tolist() == [9, 5, 2]
    assert len(set(rows.tolist())) == len(rows)


def test_tracks_in_one_frame_cannot_be_one_person():
    pairs = links_of_boxes(np.array([0, 1, 1, 2, 0]), np.array([5, 5, 6, 6, 7]))
    assert pairs.tolist() == [[0, 1], [1, 2]]


# --- features


def test_features_are_read_as_they_are(tmp_path, room):
    data = load(f"features:{save_features(tmp_path / 'few.npz')}", room)
    assert data.name == "few"
    assert data.truth.tolist() == [0, 1, -1]
    assert data.people == ("ann", "bob")
    assert data.n_people == 2
    assert data.frames.tolist() == [2, 2, 2]
    assert data.tracks.cannot_link.tolist() == [[0, 1]]
    assert not data.simulated


def test_numbers_may_be_labels(tmp_path, room):
    path = save_features(
        tmp_path / "few.npz", labels=np.array([7, -1, 7]), frames=np.array([10, 20, 30])
    )
    data = load(f"features:{path}", room)
    assert data.truth.tolist() == [0, -1, 0]
    assert data.frames.tolist() == [10, 20, 30]


def test_truth_does_not_change_what_a_method_sees(tmp_path, room):
    one = load(f"features:{save_features(tmp_path / 'a.npz')}", room)
    other = load(f"features:{save_features(tmp_path / 'b.npz', labels=np.array([1, 1, 1]))}", room)
    third = load(f"features:{save_features(tmp_path / 'c.npz', cannot_link=None)}", room)
    assert one.digest == other.digest != third.digest


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labels": None}, "has no array labels"),
        ({"labels": np.array(["a"])}, "does not hold together"),
        ({"track_of": np.array([0, 0, 2, 2, 3, 3])}, "does not hold together"),
        ({"embeddings": np.zeros((5, 2))}, "does not hold together"),
        ({"cannot_link": np.array([[0, 9]])}, "does not hold together"),
        ({"frames": np.array([1, 2])}, "2 frames for 3 tracks"),
    ],
)
def test_features_that_do_not_fit_are_refused(changes, says, tmp_path, room):
    with pytest.raises(SettingError, match=says):
        load(f"features:{save_features(tmp_path / 'bad.npz', **changes)}", room)


def test_a_file_that_is_no_npz_is_refused(tmp_path, room):
    path = tmp_path / "bad.npz"
    path.write_text("hello")
    with pytest.raises(SettingError, match="not a readable npz"):
        load(f"features:{path}", room)


# --- BBT and Buffy


FRAMES = {7: range(100, 130), 11: range(110, 125), 14: range(300, 340)}
FIRST = {7: "raj", 11: "unknown", 14: "penny"}


def save_mat(path: Path) -> Path:
    fields = ["trackerId", "groundTruthIdentity", "frames", "timestamps", "x", "y", "w", "h"]
    tracks = np.zeros(len(FRAMES), dtype=[(name, object) for name in fields])
    for row, (ident, frames) in enumerate(FRAMES.items()):
        count = np.ones(len(frames))
        values = (
            ident,
            FIRST[ident],
            np.array(frames),
            np.array(frames) / 25,
            5 * count,
            6 * count,
        )
        tracks[row] = (*values, 40 * count, 50 * count)
    savemat(path, {"FaceTracks": tracks})
    return path


def save_episode_npz(path: Path) -> Path:
    frames = [np.array(own) for own in FRAMES.values()]
    n = sum(map(len, frames))
    np.savez(
        path,
        track_id=np.array(list(FRAMES)),
        label_tvpid=np.array(list(FIRST.values())),
        label_bcl=np.array(["raj", "unknown_e09_1", ""]),
        offset=np.cumsum([0, *map(len, frames)]),
        frame=np.concatenate(frames),
        time=np.concatenate(frames) / 25,
        **{side: np.full(n, value) for side, value in zip("xywh", (5, 6, 40, 50), strict=True)},
        cooccur=np.array([[1, 0]]),
    )
    return path


def save_ids(path: Path) -> Path:
    path.write_text("CVHCI_TRACKLABELS_V1\n7 raj\n11 unknown_e09_1\n")
    return path


def save_track_features(folder: Path) -> Path:
    folder.mkdir()
    for ident in FRAMES:
        np.save(folder / f"{ident}.npy", np.full((3, 4), ident, dtype=np.float32))
    return folder


@pytest.fixture
def episode(tmp_path: Path) -> dict[str, str]:
    """The same tiny episode as MATLAB and as npz files, and features of its tracks."""
    return {
        "mat": f"{save_mat(tmp_path / 'bbt_s09e09.facetracks.mat')},{save_ids(tmp_path / 'a.ids')}",
        "npz": f"{save_episode_npz(tmp_path / 'bbt_s09e09.npz')}",
        "features": str(save_track_features(tmp_path / "features")),
    }


@pytest.mark.parametrize("form", ["mat", "npz"])
@pytest.mark.parametrize(
    ("options", "names", "tracks"),
    [
        ("", ["raj", "unknown_e09_1", None], 3),
        ("?labels=first", ["raj", None, "penny"], 3),
        ("?cast=named", ["raj"], 1),
        ("?cast=main", ["raj", "penny"], 2),
    ],
)
def test_an_episode_by_cast_and_labels(form, options, names, tracks, episode, room):
    data = load(f"bbt:{episode[form]},{episode['features']}{options}", room)
    assert data.name == "bbt_s09e09"
    assert data.tracks.n_tracks == tracks
    assert [data.people[p] if p >= 0 else None for p in data.truth] == names
    links = [[0, 1]] if tracks == 3 else []
    assert data.tracks.cannot_link.tolist() == links
    kept = [number for number in (7, 11, 14) if tracks == 3 or FIRST[number] in names]
    assert data.tracks.embeddings[::3, 0].tolist() == kept
    assert data.frames.tolist() == [len(FRAMES[number]) for number in kept]


def test_features_of_an_episode_may_be_one_file(tmp_path, episode, room):
    path = tmp_path / "all.npz"
    np.savez(path, embeddings=np.array([[3.0], [1], [2], [9]]), track_id=np.array([14, 7, 11, 99]))
    data = load(f"bbt:{episode['npz']},{path}", room)
    assert data.tracks.embeddings[np.argsort(data.tracks.track_of), 0].tolist() == [1, 2, 3]
    np.savez(path, embeddings=np.array([[3.0]]), track_id=np.array([14]))
    with pytest.raises(SettingError, match="lacks features of 2 of the 3 tracks"):
        load(f"bbt:{episode['npz']},{path}", room)


def test_an_episode_without_features_says_what_to_bring(episode, room):
    with pytest.raises(SettingError, match="come without features"):
        load(f"bbt:{episode['npz']}", room)


def test_files_that_are_no_episode_are_refused(tmp_path, episode, room):
    other = tmp_path / "other.mat"
    savemat(other, {"x": 1})
    with pytest.raises(SettingError, match="no variable FaceTracks"):
        load(f"bbt:{other},{episode['features']}", room)
    (tmp_path / "bad.ids").write_text("7 raj\n")
    mat = episode["mat"].split(",")[0]
    with pytest.raises(SettingError, match="no file of track labels"):
        load(f"bbt:{mat},{tmp_path / 'bad.ids'},{episode['features']}", room)
    with pytest.raises(SettingError, match="no second labels"):
        load(f"bbt:{mat},{episode['features']}?labels=second", room)
    with pytest.raises(SettingError, match="cannot be read as the features"):
        load(f"bbt:{mat},{tmp_path}", room)


@pytest.mark.parametrize(
    ("episode_name", "tracks", "people"), [("bbt_s01e01", 644, 5), ("buffy_s05e02", 568, 6)]
)
def test_the_main_cast_of_the_published_protocol(episode_name, tracks, people, room):
    path = shared(f"bbt_buffy/{episode_name}.npz")
    data = load(f"simulated:{path}?cast=main&dim=8", room)
    assert data.tracks.n_tracks == tracks
    assert data.n_people == people
    assert (data.truth >= 0).all()
    assert len(data.tracks.cannot_link)


# --- simulated


def test_simulated_features_are_marked_and_repeat_themselves(room):
    one, again, other = (load(f"simulated?tracks=40&seed={seed}", room) for seed in (1, 1, 2))
    assert one.simulated
    assert "simulated" in one.title
    assert one.digest == again.digest != other.digest
    assert one.tracks.n_tracks == 40
    assert one.n_people == 8


def test_more_noise_is_harder(room):
    def margin(noise: float) -> float:
        data = load(f"simulated?noise={noise}", room)
        x = data.tracks.embeddings - data.tracks.embeddings.mean(axis=0)
        means = np.stack([x[own].mean(axis=0) for own in data.tracks.members()])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        same = data.truth[:, None] == data.truth
        np.fill_diagonal(same, False)
        alike = means @ means.T
        return alike[same].mean() - alike[~same].mean()

    assert margin(0.5) > margin(2) > margin(6)


def test_simulated_tracks_that_share_a_shot_are_different_people(room):
    data = load("simulated?tracks=200", room)
    a, b = data.tracks.cannot_link.T
    assert len(a)
    assert (data.truth[a] != data.truth[b]).all()


def test_a_real_structure_may_carry_simulated_features(episode, room):
    data = load(f"simulated:{episode['npz']}?labels=first", room)
    assert data.simulated
    assert data.frames.tolist() == [30, 15, 40]
    assert np.bincount(data.tracks.track_of).tolist() == [5, 5, 5]
    assert data.tracks.cannot_link.tolist() == [[0, 1]]


# --- pictures and films


def test_pictures_in_folders_are_tracks_of_one_crop(tmp_path, room):
    [frame] = frames_at([3.5])
    for person, picture in (("obama", frame), ("aligned", cv2.resize(frame, (112, 112)))):
        (tmp_path / "faces" / person).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / person / "1.png"), picture[..., ::-1])
    data = load(f"folder:{tmp_path / 'faces'}", room)
    assert data.people == ("aligned", "obama")
    assert data.truth.tolist() == [0, 1]
    assert [crop.shape for crop in data.tracks.crops] == [(160, 160, 3)] * 2
    assert data.facts["aligned by their middle alone"] == 0
    # the labels of the demo clip put the face at 142.9 pixels
    assert data.tracks.width[1] == pytest.approx(143, rel=0.15)


def test_folders_without_pictures_are_refused(tmp_path, room):
    with pytest.raises(SettingError, match="has no pictures"):
        load(f"folder:{tmp_path}", room)
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "a.png").write_text("none")
    with pytest.raises(SettingError, match="cannot be read as a picture"):
        load(f"folder:{tmp_path}", room)


def test_small_grey_stills_are_found_by_the_detector(room):
    data = load(f"folder:{shared('images/bbt_faceapi')}", room)
    assert data.tracks.n_tracks == 40
    assert data.n_people == 8
    assert data.facts["aligned by their middle alone"] <= 2


def demo_labels() -> list[dict[str, str]]:
    with open(DEMO.with_name("demo_labels.csv"), newline="") as file:
        return list(csv.DictReader(file))


def write_boxes(path: Path, movie: str = "demo", rate: float = 25.0) -> Path:
    """The demo clip's labels as boxes of tracks, in the manner of MovieFaceCluster."""
    labels = demo_labels()[:6]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["movie", "frame", "x", "y", "w", "h", "track", "identity"])
        for row in labels:
            box = [row[side] for side in "xywh"]
            writer.writerow([movie, round(float(row["time_s"]) * rate), *box, 3, row["person"]])
    return path


def test_boxes_of_a_movie_become_crops_once(tmp_path, room):
    path = write_boxes(tmp_path / "boxes.csv")
    data = load(f"mfc:{path},{DEMO}?fps=25", room)
    assert data.name == "demo"
    assert data.people == ("obama",)
    assert data.facts == {"crops": 5, "aligned by their box alone": 0}
    assert data.tracks.crops[0].shape == (160, 160, 3)
    made = sorted(room.folder.glob("crops-*.parquet"))
    stamp = made[0].stat().st_mtime_ns
    again = load(f"mfc:{path},{DEMO}?fps=25", room)
    assert again.digest == data.digest
    assert made[0].stat().st_mtime_ns == stamp


def test_boxes_that_do_not_fit_are_refused(tmp_path, room):
    path = write_boxes(tmp_path / "boxes.csv", rate=10_000)
    with pytest.raises(SettingError, match="ends before its labels do"):
        load(f"mfc:{path},{DEMO}", room)
    with pytest.raises(SettingError, match="there are: demo"):
        load(f"mfc:{path},{DEMO}?movie=other", room)
    path.write_text("movie,frame\n")
    with pytest.raises(SettingError, match="has no column x, y, w, h, track, identity"):
        load(f"mfc:{path},{DEMO}", room)


def write_clip(folder: Path) -> str:
    """The first people of the demo clip: half a second around some labels, and those labels."""
    moments = [3.0, 8.0]
    rows = [
        row for row in demo_labels() if any(abs(float(row["time_s"]) - at) < 0.01 for at in moments)
    ]
    frames = frames_at([at + step / 25 for at in moments for step in range(-6, 7)])
    film = write_film(folder / "short.mp4", frames)
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            shown = (6 if float(row["time_s"]) < 5 else 19) / 25
            writer.writerow({**row, "time_s": shown})
    return f"clip:{film},{folder / 'labels.csv'}"


def test_a_clip_is_scanned_once_and_its_tracks_take_the_labels(tmp_path, room):
    text = write_clip(tmp_path)
    data = load(text, room)
    assert data.tracks.embeddings.shape[0] == data.tracks.n_crops
    assert data.facts["of them on a track"] == data.facts["labelled faces"]
    assert {data.people[p] for p in data.truth if p >= 0} == set(data.people)
    assert data.frames.sum() >= data.tracks.n_crops
    folder = next(room.folder.glob("short-*.personae"))
    stamp = (folder / "faces.parquet").stat().st_mtime_ns
    assert load(text, room).digest == data.digest
    assert (folder / "faces.parquet").stat().st_mtime_ns == stamp


def test_the_demo_clip_is_found_in_a_checkout():
    assert all(path.exists() for path in demo_files())
