"""Names and places of faces inside a JPEG: an XMP packet with MWG regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from personae.core.errors import OutputError
from personae.export.appearances import Box

NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
"""Prefix -> namespace."""

APP1_HEADER = b"http://ns.adobe.com/xap/1.0/\x00"
"""Start of the JPEG segment that holds XMP."""

MAX_SEGMENT_BYTES = 65_533
"""Longest content of a JPEG segment."""

START_OF_IMAGE = b"\xff\xd8"
APP0, APP1 = b"\xff\xe0", b"\xff\xe1"

PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
PACKET_END = '\n<?xpacket end="w"?>'

DECIMALS = 6
"""Of positions, which are shares of the picture's sides."""


@dataclass(frozen=True)
class NamedRegion:
    """Where a named person's face is in a picture."""

    name: str
    box: Box
    """In pixels of the picture."""


def build_xmp_packet(regions: Sequence[NamedRegion], width: int, height: int) -> bytes:
    """Return the XMP packet of a picture.

    Args:
        regions: The faces of named people; what lies outside the picture is cut off.
        width: Of the picture in pixels.
        height: Of the picture in pixels.

    Source:
        Metadata Working Group, Guidelines for Handling Image Metadata 2.0, 5.9 (regions); IPTC
        Photo Metadata Standard, Person Shown in the Image.
    """
    for prefix, namespace in NAMESPACES.items():
        ElementTree.register_namespace(prefix, namespace)
    root = ElementTree.Element(_tag("x", "xmpmeta"))
    rdf = ElementTree.SubElement(root, _tag("rdf", "RDF"))
    about = ElementTree.SubElement(rdf, _tag("rdf", "Description"), {_tag("rdf", "about"): ""})
    people = ElementTree.SubElement(about, _tag("Iptc4xmpExt", "PersonInImage"))
    bag = ElementTree.SubElement(people, _tag("rdf", "Bag"))
    for name in dict.fromkeys(region.name for region in regions):
        ElementTree.SubElement(bag, _tag("rdf", "li")).text = name
    resource = {_tag("rdf", "parseType"): "Resource"}
    found = ElementTree.SubElement(about, _tag("mwg-rs", "Regions"), resource)
    size = {"w": str(width), "h": str(height), "unit": "pixel"}
    ElementTree.SubElement(found, _tag("mwg-rs", "AppliedToDimensions"), _all("stDim", size))
    listed = ElementTree.SubElement(found, _tag("mwg-rs", "RegionList"))
    bag = ElementTree.SubElement(listed, _tag("rdf", "Bag"))
    for region in regions:
        item = ElementTree.SubElement(bag, _tag("rdf", "li"))
        described = _all("mwg-rs", {"Name": region.name, "Type": "Face"})
        face = ElementTree.SubElement(item, _tag("rdf", "Description"), described)
        area = _all("stArea", _area(region.box, width, height))
        ElementTree.SubElement(face, _tag("mwg-rs", "Area"), area)
    text = ElementTree.tostring(root, encoding="unicode")
    return (PACKET_START + text + PACKET_END).encode()


def add_xmp_packet(jpeg: bytes, packet: bytes) -> bytes:
    """Return a JPEG with an XMP packet; its picture is the same to the bit.

    Raises:
        OutputError: The packet is too long for a JPEG.
    """
    content = APP1_HEADER + packet
    if len(content) > MAX_SEGMENT_BYTES:
        raise OutputError("The names of one picture are longer than a JPEG can hold: shorten them.")
    place = len(START_OF_IMAGE)
    if jpeg[place : place + 2] == APP0:  # JFIF's own segment has to stay the first
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
    segment = APP1 + (len(content) + 2).to_bytes(2, "big") + content
    return jpeg[:place] + segment + jpeg[place:]


def _area(box: Box, width: int, height: int) -> dict[str, str]:
    """Return the centre and the size of a face as shares of the picture's sides."""
    left, right = max(box.x, 0.0), min(box.x + box.w, float(width))
    top, bottom = max(box.y, 0.0), min(box.y + box.h, float(height))
    shares = {
        "x": (left + right) / 2 / width,
        "y": (top + bottom) / 2 / height,
        "w": (right - left) / width,
        "h": (bottom - top) / height,
    }
    return {**{name: f"{one:.{DECIMALS}f}" for name, one in shares.items()}, "unit": "normalized"}


def _tag(prefix: str, name: str) -> str:
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _all(prefix: str, attributes: dict[str, str]) -> dict[str, str]:
    return {_tag(prefix, name): value for name, value in attributes.items()}
