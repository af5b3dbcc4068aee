"""Names inside JPEGs: read back by Pillow, by ElementTree, and by ExifTool where that is there."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from personae.core.errors import OutputError
from personae.export.appearances import Box
from personae.stills.pictures import encode_jpeg
from personae.stills.xmp_regions import (
    NAMESPACES,
    NamedRegion,
    add_xmp_packet,
    build_xmp_packet,
)

WIDTH, HEIGHT = 200, 100
REGIONS = [
    NamedRegion('Ann "The Hat" <&> Söhne', Box(20.0, 10.0, 40.0, 50.0)),
    NamedRegion("刘备", Box(-10.0, 80.0, 30.0, 40.0)),
]
AREAS = [(0.2, 0.35, 0.2, 0.5), (0.05, 0.9, 0.1, 0.2)]
"""Centre and size, as shares of the picture; the second face is cut off by the picture's edge."""


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def named_jpeg(regions: list[NamedRegion]) -> bytes:
    return add_xmp_packet(encode_jpeg(picture()), build_xmp_packet(regions, WIDTH, HEIGHT))


def read_packet(packet: bytes) -> list[tuple[str, str, tuple[float, ...]]]:
    """Return name, kind and area of every region."""
    root = ElementTree.fromstring(packet)
    found = []
    for face in root.iter(f"{{{NAMESPACES['rdf']}}}Description"):
        area = face.find("mwg-rs:Area", NAMESPACES)
        if area is not None:
            kind = [face.attrib[f"{{{NAMESPACES['mwg-rs']}}}{name}"] for name in ("Name", "Type")]
            sides = [area.attrib[f"{{{NAMESPACES['stArea']}}}{side}"] for side in "xywh"]
            found.append((*kind, tuple(map(float, sides))))
    return found


def test_pillow_finds_the_packet_with_every_name_and_place() -> None:
    jpeg = named_jpeg(REGIONS)
    packet = Image.open(io.BytesIO(jpeg)).info["xmp"]
    assert [name for name, _, _ in read_packet(packet)] == [one.name for one in REGIONS]
    for (_, kind, area), expected in zip(read_packet(packet), AREAS, strict=True):
        assert kind == "Face"
        assert area == pytest.approx(expected, abs=1e-6)
    people = ElementTree.fromstring(packet).findall(
        ".//Iptc4xmpExt:PersonInImage/rdf:Bag/rdf:li", NAMESPACES
    )
    assert [one.text for one in people] == [one.name for one in REGIONS]


def test_the_picture_itself_is_untouched() -> None:
    plain, named = encode_jpeg(picture()), named_jpeg(REGIONS)
    assert np.array_equal(Image.open(io.BytesIO(plain)), Image.open(io.BytesIO(named)))
    assert Image.open(io.BytesIO(named)).info["jfif_version"]


def test_exiftool_reads_names_and_places(tmp_path: Path) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("ExifTool is not installed (Debian: libimage-exiftool-perl)")
    path = tmp_path / "named.jpg"
    path.write_bytes(named_jpeg(REGIONS))
    done = subprocess.run(
        ["exiftool", "-json", "-struct", "-validate", "-warning", "-XMP:all", path],
        capture_output=True,
        check=True,
    )
    [found] = json.loads(done.stdout)
    assert found["Validate"] == "OK"
    assert found["PersonInImage"] == [one.name for one in REGIONS]
    info = found["RegionInfo"]
    assert info["AppliedToDimensions"] == {"W": WIDTH, "H": HEIGHT, "Unit": "pixel"}
    for region, one, area in zip(info["RegionList"], REGIONS, AREAS, strict=True):
        assert (region["Name"], region["Type"]) == (one.name, "Face")
        assert region["Area"]["Unit"] == "normalized"
        assert [region["Area"][side] for side in "XYWH"] == pytest.approx(area, abs=1e-6)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=60))
def test_any_name_survives(name: str) -> None:
    packet = build_xmp_packet([NamedRegion(name, Box(1.0, 1.0, 5.0, 5.0))], WIDTH, HEIGHT)
    [(found, _, _)] = read_packet(packet)
    assert found == name


def test_a_person_seen_twice_is_listed_once_and_has_two_regions() -> None:
    twice = [REGIONS[0], NamedRegion(REGIONS[0].name, Box(100.0, 10.0, 40.0, 50.0))]
    packet = build_xmp_packet(twice, WIDTH, HEIGHT)
    assert len(read_packet(packet)) == 2
    people = ElementTree.fromstring(packet).findall(
        ".//Iptc4xmpExt:PersonInImage/rdf:Bag/rdf:li", NAMESPACES
    )
    assert len(people) == 1


def test_more_names_than_a_jpeg_can_hold_are_refused() -> None:
    many = [NamedRegion(f"A name {number}" * 40, Box(1, 1, 5, 5)) for number in range(200)]
    with pytest.raises(OutputError, match="longer than a JPEG can hold"):
        named_jpeg(many)
