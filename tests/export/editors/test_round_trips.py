"""Formats for editors, read back by other programs' libraries: every in and out point to the frame.

Expected points come from the film's pts by fractions, and timecode from the package `timecode`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio
import pycmx
import pytest

from helpers.expected_cuts import ExpectedCut, expected_cuts, expected_timecode
from helpers.rated_film import RATES, RatedFilm, rated_film
from personae.core.timecode import parse_timecode
from personae.export import Selection, write_export

NAMES = {"P01": "Hamlet", "P03": 'Zoë & <Ann> "B"'}
TITLES = {**NAMES, "P02": "P02"}
DROP_FRAME = ("29.97", "59.94")
TWO_HOURS = "23.976, two hours"


@dataclass(frozen=True)
class Case:
    """A film with the timecode of its first frame."""

    film: RatedFilm
    start: str

    @property
    def cuts(self) -> list[ExpectedCut]:
        return expected_cuts(self.film)

    @property
    def rate(self) -> Fraction:
        return self.film.rate.rate

    def timecode(self, frame: int) -> str:
        return expected_timecode(self.film, frame, self.start)

    def frame(self, text: str) -> int:
        """Return the frame of the film with this timecode."""
        return parse_timecode(text, self.rate).frames - self.first

    @property
    def first(self) -> int:
        """Return how many frames of timecode precede the film's first."""
        return parse_timecode(self.start, self.rate).frames

    def write(self, fmt: str, path: Path, **chosen: object) -> Path:
        selection = Selection(**chosen)
        write_export(self.film.project, "appearances", fmt, path, selection)
        return path


@pytest.fixture(scope="module", params=[*RATES, TWO_HOURS])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("film")
    start = "00:59:50;00" if request.param in DROP_FRAME else "10:20:30:05"
    long = request.param == TWO_HOURS
    film = rated_film(
        folder / "film.personae",
        RATES["23.976"] if long else RATES[request.param],
        duration_s=7200.0 if long else 60.0,
        shots=400 if long else 10,
        face_step=500 if long else 5,
        names=NAMES,
        timecode=start,
    )
    return Case(film, start)


def of_characters(case: Case) -> Iterator[list[ExpectedCut]]:
    for label in ("P01", "P02", "P03"):
        yield [cut for cut in case.cuts if cut.character == label]


def test_otio_has_a_marker_an_appearance_and_a_track_a_character(case: Case, tmp_path: Path):
    timeline = otio.adapters.read_from_file(str(case.write("otio", tmp_path / "a.otio")))
    film, *characters = timeline.tracks
    clip = film[0]
    start = timeline.global_start_time
    assert start.to_timecode(float(case.rate), drop_frame=";" in case.start) == case.start
    assert clip.source_range == clip.media_reference.available_range
    assert clip.source_range.duration.value == len(case.film.pts) - 1
    assert clip.media_reference.target_url == "file:///films/A%20film.mp4"
    found = [(m.name, *frames_of(m.marked_range, case)) for m in clip.markers]
    assert found == [(TITLES[c.character], c.start_frame, c.end_frame) for c in case.cuts]
    assert [track.name for track in characters] == ["Hamlet", "P02", TITLES["P03"]]
    for track, cuts in zip(characters, of_characters(case), strict=True):
        clips = list(track.find_clips())
        assert [frames_of(c.source_range, case) for c in clips] == [
            (cut.start_frame, cut.end_frame) for cut in cuts
        ]
        for one in clips:  # it lies where it is in the film
            placed = one.trimmed_range_in_parent()
            assert placed.start_time.value == one.source_range.start_time.value - case.first
    pts = [
        (m.metadata["personae"]["start_pts"], m.metadata["personae"]["end_pts"])
        for m in clip.markers
    ]
    assert pts == [(case.film.pts[c.start_frame], case.film.pts[c.end_frame]) for c in case.cuts]


def frames_of(time_range: otio.opentime.TimeRange, case: Case) -> tuple[int, int]:
    start, end = time_range.start_time.value, time_range.end_time_exclusive().value
    assert time_range.start_time.rate == time_range.duration.rate == float(case.rate)
    assert start == int(start)
    assert end == int(end)
    return int(start) - case.first, int(end) - case.first


def test_an_edl_cuts_the_appearances_together(case: Case, tmp_path: Path):
    if len(case.cuts) > 999:
        pytest.skip("an EDL holds 999 events")
    path = case.write("edl", tmp_path / "a.edl")
    with path.open() as stream:
        edl = pycmx.parse_cmx3600(stream)
    edits = [edit for event in edl.events for edit in event.edits]
    cuts = [cut for own in of_characters(case) for cut in own]
    assert [(edit.source_in, edit.source_out) for edit in edits] == [
        (case.timecode(cut.start_frame), case.timecode(cut.end_frame)) for cut in cuts
    ]
    record = parse_timecode("01:00:00;00" if ";" in case.start else "01:00:00:00", case.rate)
    for edit, cut in zip(edits, cuts, strict=True):
        assert edit.record_in == str(record)
        record = record + (cut.end_frame - cut.start_frame)
        assert edit.record_out == str(record)
        assert edit.clip_name == "A film.mp4"
    assert {statement.content.strip() for statement in edl.unrecognized_statements} == {""}


def test_opentimelineio_reads_the_edl_with_the_same_points(case: Case, tmp_path: Path):
    if len(case.cuts) > 999:
        pytest.skip("an EDL holds 999 events")
    path = case.write("edl", tmp_path / "a.edl")
    track = otio.adapters.read_from_file(str(path), rate=float(case.rate)).tracks[0]
    cuts = [cut for own in of_characters(case) for cut in own]
    assert [frames_of(clip.source_range, case) for clip in track.find_clips()] == [
        (cut.start_frame, cut.end_frame) for cut in cuts
    ]


def test_fcpxml_has_a_keyword_and_a_marker_an_appearance(case: Case, tmp_path: Path):
    root = ElementTree.parse(case.write("fcpxml", tmp_path / "a.fcpxml")).getroot()
    assert seconds(root.find(".//format").get("frameDuration")) == 1 / case.rate
    first = case.first / case.rate
    assert seconds(root.find(".//asset").get("start")) == first
    assert seconds(root.find(".//sequence").get("tcStart")) == first
    assert root.find(".//sequence").get("tcFormat") == ("DF" if ";" in case.start else "NDF")
    found = []
    for keyword in root.iterfind(".//event/asset-clip/keyword"):
        start, duration = (seconds(keyword.get(name)) for name in ("start", "duration"))
        frames = [(time - first) * case.rate for time in (start, start + duration)]
        found.append((keyword.get("value"), *frames))
    assert found == [(TITLES[c.character], c.start_frame, c.end_frame) for c in case.cuts]
    markers = [
        (marker.get("value"), (seconds(marker.get("start")) - first) * case.rate)
        for marker in root.iterfind(".//spine/asset-clip/marker")
    ]
    assert markers == [(TITLES[c.character], c.start_frame) for c in case.cuts]
    collections = [one.get("name") for one in root.iterfind(".//keyword-collection")]
    assert sorted(collections) == sorted(TITLES.values())


def seconds(text: str) -> Fraction:
    """Read FCPXML's time; its denominator has 32 bits."""
    time = Fraction(text.removesuffix("s"))
    assert time.denominator < 2**31
    return time


def test_opentimelineio_reads_the_fcpxml(tmp_path: Path):
    """Its adapter knows whole rates only, and cuts floats off: a frame may be one too early."""
    film = rated_film(tmp_path / "film", RATES["25 from 1.4 s"], names=NAMES)
    write_export(film.project, "appearances", "fcpxml", tmp_path / "a.fcpxml")
    collection = otio.adapters.read_from_file(str(tmp_path / "a.fcpxml"))
    clip = collection[0].tracks[0].find_clips()[0]
    for marker, cut in zip(clip.markers, expected_cuts(film), strict=True):
        assert marker.name == TITLES[cut.character]
        assert cut.start_frame - marker.marked_range.start_time.value in (0, 1)


def test_opentimelineio_reads_premieres_xml_with_the_same_points(case: Case, tmp_path: Path):
    path = case.write("premiere", tmp_path / "a.xml")
    timeline = otio.adapters.read_from_file(str(path))
    clip = timeline.tracks[0][0]
    start = timeline.global_start_time
    assert (start.value, start.rate) == (case.first, pytest.approx(float(case.rate), abs=1e-3))
    assert clip.source_range.duration.value == len(case.film.pts) - 1
    found = []
    for marker in timeline.tracks.markers:
        span = marker.marked_range
        found.append((marker.name, span.start_time.value, span.end_time_exclusive().value))
    assert found == [(TITLES[c.character], c.start_frame, c.end_frame) for c in case.cuts]


def test_resolve_has_a_marker_with_its_length_an_appearance(case: Case, tmp_path: Path):
    path = case.write("resolve", tmp_path / "a.edl")
    with path.open() as stream:
        edl = pycmx.parse_cmx3600(stream)
    edits = [edit for event in edl.events for edit in event.edits]
    lengths = []
    for line in path.read_text().splitlines():
        # as Resolve 17 writes it: NOTE |C:ResolveColorBlue |M:NAME |D:FRAMES
        if match := re.fullmatch(r"([^|]*) \|C:ResolveColor(\w+) \|M:([^|]*) \|D:(\d+)", line):
            assert match[1][0].isalpha()
            lengths.append((match[3], int(match[4])))
    assert [(edit.record_in, edit.record_out) for edit in edits] == [
        (case.timecode(c.start_frame), case.timecode(c.start_frame + 1)) for c in case.cuts
    ]
    assert lengths == [(TITLES[c.character], c.end_frame - c.start_frame) for c in case.cuts]


def test_avid_has_a_line_an_appearance(case: Case, tmp_path: Path):
    with case.write("avid", tmp_path / "a.txt").open(newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [(row[0], row[1], row[2], int(row[5])) for row in rows] == [
        (
            TITLES[c.character],
            case.timecode(c.start_frame),
            "V1",
            c.end_frame - c.start_frame,
        )
        for c in case.cuts
    ]
    assert {row[3] for row in rows} == {"red", "green", "blue"}
    assert all(row[4].startswith(f"{row[0]}: ") for row in rows)


@pytest.mark.parametrize("channels", [0, 1, 6])
def test_the_sound_of_the_film_comes_along(tmp_path: Path, channels: int):
    film = rated_film(
        tmp_path / "film", RATES["23.976"], duration_s=4.0, shots=1, audio_channels=channels
    )
    for fmt in ("otio", "premiere", "fcpxml"):
        suffix = "xml" if fmt == "premiere" else fmt
        write_export(film.project, "appearances", fmt, tmp_path / f"{fmt}.{suffix}")
    otio_sound = otio.adapters.read_from_file(str(tmp_path / "otio.otio")).audio_tracks()
    assert len(otio_sound) == min(channels, 1)
    xmeml = otio.adapters.read_from_file(str(tmp_path / "premiere.xml"))
    assert len(xmeml.audio_tracks()) == channels
    for track in [*otio_sound, *xmeml.audio_tracks()]:
        assert track[0].source_range.duration.value == len(film.pts) - 1
    asset = ElementTree.parse(tmp_path / "fcpxml.fcpxml").getroot().find(".//asset")
    assert asset.get("audioChannels") == (str(channels) if channels else None)


def test_markers_count_shots_from_one_and_tables_from_zero(tmp_path: Path) -> None:
    film = rated_film(tmp_path / "film", RATES["23.976"], duration_s=4.0, shots=2)
    markers, table = io.BytesIO(), io.BytesIO()
    write_export(film.project, "appearances", "avid", markers)
    write_export(film.project, "appearances", "csv", table)
    in_markers = [int(one) for one in re.findall(r"shot (\d+)", markers.getvalue().decode())]
    rows = csv.DictReader(io.StringIO(table.getvalue().decode()))
    assert in_markers == [int(row["shot"]) + 1 for row in rows]
    assert set(in_markers) == {1, 2}
