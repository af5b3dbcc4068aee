"""Exports: what the files hold, read back by other readers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from helpers.fake_film import NamedProject, fake_film
from personae.core.errors import OutputError, SettingError
from personae.core.time import format_clock
from personae.export import EXPORT_TABLES, write_export
from personae.export.columns import clock_column, round_column
from personae.export.tables import PIXEL_DIGITS, SECONDS_DIGITS

TABLES = tuple(EXPORT_TABLES)


@pytest.fixture
def film(tmp_path: Path) -> NamedProject:
    return fake_film(tmp_path / "film", names={"P01": 'Ann "The Hat", Miller', "P02": "Zoë\nØ"})


def read_csv(project: NamedProject, what: str) -> list[dict[str, str]]:
    out = io.BytesIO()
    write_export(project, what, "csv", out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))


def test_faces_csv_starts_with_the_promised_columns(film: NamedProject, tmp_path: Path) -> None:
    write_export(film, "faces", "csv", tmp_path / "faces.csv")
    header = (tmp_path / "faces.csv").read_text().splitlines()[0]
    assert header.split(",")[:8] == ["frame", "time_s", "x", "y", "w", "h", "track", "character"]


def test_faces_have_a_row_for_each_box_of_a_track(film: NamedProject) -> None:
    rows = read_csv(film, "faces")
    expected = [row for row in film.table("faces").to_pylist() if row["track"] >= 0]
    assert len(rows) == len(expected) < len(film.table("faces"))
    who = {row["track"]: row["character"] for row in film.table("characters").to_pylist()}
    for row, face in zip(
        rows, sorted(expected, key=lambda face: (face["frame"], face["track"])), strict=True
    ):
        assert (int(row["frame"]), int(row["track"])) == (face["frame"], face["track"])
        assert float(row["x"]) == pytest.approx(face["x"], abs=0.051)
        assert row["character"] == (who[face["track"]] or "")
        assert row["score"] == "" if face["interpolated"] else float(row["score"]) > 0
        assert row["interpolated"] == str(face["interpolated"]).lower()
        assert row["clock"] == "0" + format_clock(face["time_s"])


def test_characters_come_by_falling_screen_time_with_their_tracks(film: NamedProject) -> None:
    rows = read_csv(film, "characters")
    times = [float(row["screen_time_s"]) for row in rows]
    assert len(rows) == 4
    assert times == sorted(times, reverse=True)
    members = [
        row
        for row in film.table("characters").to_pylist()
        if row["character"] == rows[0]["character"]
    ]
    tracks = {row["track"]: row for row in film.table("tracks").to_pylist()}
    own = [tracks[row["track"]] for row in members]
    assert int(rows[0]["tracks"]) == len(own)
    assert int(rows[0]["shots"]) == len({track["shot"] for track in own})
    assert float(rows[0]["first_seen_s"]) == pytest.approx(min(track["start_s"] for track in own))
    assert float(rows[0]["last_seen_s"]) == pytest.approx(max(track["end_s"] for track in own))
    assert float(rows[0]["confidence"]) == pytest.approx(
        sum(m["confidence"] for m in members) / len(own), abs=1e-3
    )
    assert rows[0]["most_similar"] == members[0]["runner_up"]


def test_most_similar_is_the_runner_up_seen_most_often(tmp_path: Path) -> None:
    film = fake_film(
        tmp_path / "film",
        characters=3,
        runner_ups=["X", "Y", "Y", None, None, None, "Z", "W", None, None, None],
    )
    of_track = {row["track"]: row["character"] for row in film.table("characters").to_pylist()}
    found = {row["character"]: row["most_similar"] for row in read_csv(film, "characters")}
    assert found == {of_track[0]: "Y", of_track[3]: "", of_track[6]: "W"}


def test_tracks_keep_the_unknown_ones(film: NamedProject) -> None:
    rows = read_csv(film, "tracks")
    assert len(rows) == len(film.table("tracks"))
    assert [row["status"] != "kept" for row in rows] == [row["character"] == "" for row in rows]
    starts = [float(row["start_s"]) for row in rows]
    assert starts == sorted(starts)


def test_names_survive_quotes_commas_and_line_breaks(film: NamedProject) -> None:
    named = {row["character"]: row["name"] for row in read_csv(film, "characters")}
    assert named == {"P01": 'Ann "The Hat", Miller', "P02": "Zoë\nØ", "P03": "", "P04": ""}


@pytest.mark.parametrize("what", TABLES)
def test_the_three_formats_hold_the_same_values(
    film: NamedProject, tmp_path: Path, what: str
) -> None:
    for fmt in ("csv", "json", "parquet"):
        write_export(film, what, fmt, tmp_path / f"out.{fmt}")
    table = pq.read_table(tmp_path / "out.parquet")
    document = json.loads((tmp_path / "out.json").read_text())
    assert document[what] == table.to_pylist()
    text = [{k: "" if v is None else v for k, v in row.items()} for row in table.to_pylist()]
    for row, plain in zip(read_csv(film, what), text, strict=True):
        for key, value in plain.items():
            if isinstance(value, (bool, str)):
                assert row[key] == (str(value).lower() if isinstance(value, bool) else value)
            elif isinstance(value, list):
                assert row[key] == " ".join(map(str, value))
            else:
                assert float(row[key]) == value
    header = json.loads(table.schema.metadata[b"personae"])
    assert header == {key: entry for key, entry in document.items() if key != what}
    assert header.keys() >= {"film", "software", "weights"}
    assert header["film"]["file"] == "A film.mp4"
    licences = {entry["name"]: entry["licence"] for entry in header["weights"]}
    assert licences == {"retinaface-mobilenet025": "MIT", "somebodys-own": None}


@pytest.mark.parametrize("what", TABLES)
@pytest.mark.parametrize("fmt", ["csv", "json", "parquet"])
def test_a_film_without_faces_gives_an_empty_table(tmp_path: Path, what: str, fmt: str) -> None:
    film = fake_film(tmp_path / "film", characters=0, unknown=0)
    out = tmp_path / f"empty.{fmt}"
    write_export(film, what, fmt, out)
    if fmt == "csv":
        assert len(out.read_text().splitlines()) == 1
    elif fmt == "json":
        assert json.loads(out.read_text())[what] == []
    else:
        assert pq.read_table(out).num_rows == 0


def test_large_tables_are_written_in_pieces_without_a_seam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = fake_film(tmp_path / "film")
    write_export(film, "faces", "json", tmp_path / "whole.json")
    monkeypatch.setattr("personae.export.table_formats.ROWS_PER_CHUNK", 7)
    write_export(film, "faces", "json", tmp_path / "pieces.json")
    assert (tmp_path / "whole.json").read_bytes() == (tmp_path / "pieces.json").read_bytes()


def test_clock_columns_agree_with_the_plain_function() -> None:
    seconds = [0.0, 0.0004, 0.9996, 59.9995, 3599.9999, 7325.125, 100 * 3600.0, -1.5]
    expected = [("-" if s < 0 else "") + format_clock(abs(s)).zfill(12) for s in seconds]
    assert clock_column(pa.array(seconds)).to_pylist() == expected
    assert clock_column(pa.array([None], pa.float64())).to_pylist() == [None]


def test_unwritable_targets_are_one_sentence(film: NamedProject, tmp_path: Path) -> None:
    for target in (tmp_path / "no such folder" / "a.csv", tmp_path):
        with pytest.raises(OutputError, match=r"cannot be written .*[.]$"):
            write_export(film, "faces", "csv", target)


def test_a_failed_export_leaves_the_old_file_and_no_other(
    film: NamedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "faces.csv").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="no space left"):
        write_export(film, "faces", "csv", folder / "faces.csv")
    assert [path.name for path in folder.iterdir()] == ["faces.csv"]
    assert (folder / "faces.csv").read_text() == "old"


def test_unknown_tables_and_formats_name_the_choices(film: NamedProject) -> None:
    with pytest.raises(SettingError, match="appearances, faces, characters or tracks"):
        write_export(film, "shots", "csv", io.BytesIO())
    with pytest.raises(SettingError, match="choose csv, json, parquet"):
        write_export(film, "faces", "xlsx", io.BytesIO())


def test_parquet_columns_are_typed(film: NamedProject, tmp_path: Path) -> None:
    write_export(film, "faces", "parquet", tmp_path / "faces.parquet")
    table = pq.read_table(tmp_path / "faces.parquet")
    assert table.schema.field("frame").type == pa.int64()
    assert table.schema.field("interpolated").type == pa.bool_()
    assert pc.all(pc.is_valid(table["x"])).as_py()


def test_seconds_are_rounded_to_milliseconds_shares_to_thousandths_and_pixels_to_tenths(
    film: NamedProject,
) -> None:
    faces = sorted(
        (row for row in film.table("faces").to_pylist() if row["track"] >= 0),
        key=lambda row: (row["frame"], row["track"]),
    )
    for row, face in zip(read_csv(film, "faces"), faces, strict=True):
        assert float(row["x"]) == pytest.approx(face["x"], abs=0.0501)
        assert float(row["time_s"]) == pytest.approx(face["time_s"], abs=0.000501)
        if not face["interpolated"]:
            assert float(row["score"]) == pytest.approx(face["score"], abs=0.000501)
    tracks = {row["track"]: row for row in film.table("tracks").to_pylist()}
    for row in read_csv(film, "tracks"):
        assert float(row["quality"]) == pytest.approx(
            tracks[int(row["track"])]["quality"], abs=0.000501
        )
    milliseconds = pa.array([1.23456])
    assert round_column(milliseconds, SECONDS_DIGITS).to_pylist() == [1.235]
    assert round_column(milliseconds, PIXEL_DIGITS).to_pylist() == [1.2]
