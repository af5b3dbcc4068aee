"""Published tracks of BBT and Buffy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from helpers.episodes import (
    FIRST_LABELS,
    FRAMES,
    save_episode_mat,
    save_episode_npz,
    save_ids,
    save_track_features,
)
from helpers.shared_data import shared
from personae.core.errors import SettingError
from personae.datasets import load_dataset


@pytest.fixture
def episode(tmp_path: Path) -> dict[str, str]:
    """The same tiny episode as MATLAB and as npz files, and features of its tracks."""
    mat = save_episode_mat(tmp_path / "bbt_s09e09.facetracks.mat")
    return {
        "mat": f"{mat},{save_ids(tmp_path / 'a.ids')}",
        "npz": str(save_episode_npz(tmp_path / "bbt_s09e09.npz")),
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
def test_episode_is_selected_by_cast_and_labels(form, options, names, tracks, episode, context):
    data = load_dataset(f"bbt:{episode[form]},{episode['features']}{options}", context)
    assert data.name == "bbt_s09e09"
    assert data.tracks.n_tracks == tracks
    assert [data.people[p] if p >= 0 else None for p in data.truth] == names
    links = [[0, 1]] if tracks == 3 else []
    assert data.tracks.cannot_link.tolist() == links
    kept = [number for number in (7, 11, 14) if tracks == 3 or FIRST_LABELS[number] in names]
    assert data.tracks.embeddings[::3, 0].tolist() == kept
    assert data.frame_counts.tolist() == [len(FRAMES[number]) for number in kept]


def test_features_of_an_episode_are_read_from_one_file(tmp_path, episode, context):
    path = tmp_path / "all.npz"
    np.savez(path, embeddings=np.array([[3.0], [1], [2], [9]]), track_id=np.array([14, 7, 11, 99]))
    data = load_dataset(f"bbt:{episode['npz']},{path}", context)
    assert data.tracks.embeddings[np.argsort(data.tracks.track_of), 0].tolist() == [1, 2, 3]
    np.savez(path, embeddings=np.array([[3.0]]), track_id=np.array([14]))
    with pytest.raises(SettingError, match="lacks features of 2 of the 3 tracks"):
        load_dataset(f"bbt:{episode['npz']},{path}", context)


def test_episode_without_features_raises_what_to_add(episode, context):
    with pytest.raises(SettingError, match="come without features"):
        load_dataset(f"bbt:{episode['npz']}", context)


def test_files_that_are_not_an_episode_raise(tmp_path, episode, context):
    other = tmp_path / "other.mat"
    savemat(other, {"x": 1})
    with pytest.raises(SettingError, match="no variable FaceTracks"):
        load_dataset(f"bbt:{other},{episode['features']}", context)
    (tmp_path / "bad.ids").write_text("7 raj\n")
    mat = episode["mat"].split(",")[0]
    with pytest.raises(SettingError, match="not a file of track labels"):
        load_dataset(f"bbt:{mat},{tmp_path / 'bad.ids'},{episode['features']}", context)
    with pytest.raises(SettingError, match="no second labels"):
        load_dataset(f"bbt:{mat},{episode['features']}?labels=second", context)
    with pytest.raises(SettingError, match="cannot be read as the features"):
        load_dataset(f"bbt:{mat},{tmp_path}", context)


@pytest.mark.parametrize(
    ("episode_name", "tracks", "people"), [("bbt_s01e01", 644, 5), ("buffy_s05e02", 568, 6)]
)
def test_main_cast_matches_published_protocol(episode_name, tracks, people, context):
    path = shared(f"bbt_buffy/{episode_name}.npz")
    data = load_dataset(f"simulated:{path}?cast=main&dim=8", context)
    assert data.tracks.n_tracks == tracks
    assert data.n_people == people
    assert (data.truth >= 0).all()
    assert len(data.tracks.cannot_link)
