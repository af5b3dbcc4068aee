"""ELAN annotation files (EAF 3.0): a tier of shots, and a tier a character."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote
from xml.etree import ElementTree

from personae.export.export_format import ExportRequest
from personae.export.media_type import video_media_type
from personae.export.provenance import software_name
from personae.export.scholars.tiers import Interval, Tier, list_tiers

SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"
TIER_TYPE = "time interval"
"""Name of the tier type that all tiers have."""


def write_eaf(request: ExportRequest, stream: BinaryIO) -> None:
    """Write an EAF document whose tiers link to the film.

    Times are whole milliseconds, the nearest to each frame.

    Source: H. Sloetjes, A. Somasundaram: ELAN Annotation Format, version 3.0, Max Planck Institute
        for Psycholinguistics (EAFv3.0.xsd).
    """
    tiers = list_tiers(request)
    document = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": software_name(),
            "DATE": request.project.require("cluster").finished,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            SCHEMA_LOCATION: "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    _add_header(document, request, sum(len(tier.intervals) for tier in tiers))
    slots = _add_time_order(document, tiers)
    numbers = count(1)
    for tier in tiers:
        _add_tier(document, tier, slots, numbers)
    ElementTree.SubElement(
        document,
        "LINGUISTIC_TYPE",
        {
            "GRAPHIC_REFERENCES": "false",
            "LINGUISTIC_TYPE_ID": TIER_TYPE,
            "TIME_ALIGNABLE": "true",
        },
    )
    ElementTree.indent(document)
    ElementTree.ElementTree(document).write(stream, encoding="UTF-8", xml_declaration=True)
    stream.write(b"\n")


def _add_header(document: ElementTree.Element, request: ExportRequest, last_id: int) -> None:
    header = ElementTree.SubElement(
        document, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    )
    film = Path(request.film_given or request.project.source.path)
    ElementTree.SubElement(
        header,
        "MEDIA_DESCRIPTOR",
        {
            "MEDIA_URL": film.absolute().as_uri(),
            "MIME_TYPE": video_media_type(film.name),
            "RELATIVE_MEDIA_URL": "./" + quote(film.name),
        },
    )
    last = ElementTree.SubElement(header, "PROPERTY", {"NAME": "lastUsedAnnotationId"})
    last.text = str(last_id)


def _add_time_order(
    document: ElementTree.Element, tiers: Iterable[Tier]
) -> dict[Interval, tuple[str, str]]:
    """Add a time slot for each end of each interval, in order of time.

    Returns:
        The ids of both slots of each interval.
    """
    intervals = [one for tier in tiers for one in tier.intervals]
    ends = sorted(
        (round(seconds * 1000), place, which)
        for place, one in enumerate(intervals)
        for which, seconds in enumerate((one.start_s, one.end_s))
    )
    time_order = ElementTree.SubElement(document, "TIME_ORDER")
    ids: dict[tuple[int, int], str] = {}
    for number, (milliseconds, place, which) in enumerate(ends, 1):
        ids[place, which] = f"ts{number}"
        ElementTree.SubElement(
            time_order,
            "TIME_SLOT",
            {"TIME_SLOT_ID": f"ts{number}", "TIME_VALUE": str(milliseconds)},
        )
    return {one: (ids[place, 0], ids[place, 1]) for place, one in enumerate(intervals)}


def _add_tier(
    document: ElementTree.Element,
    tier: Tier,
    slots: Mapping[Interval, tuple[str, str]],
    numbers: Iterator[int],
) -> None:
    element = ElementTree.SubElement(
        document,
        "TIER",
        {
            "ANNOTATOR": software_name(),
            "LINGUISTIC_TYPE_REF": TIER_TYPE,
            "PARTICIPANT": tier.title if tier.is_character else "",
            "TIER_ID": tier.title,
        },
    )
    for interval in tier.intervals:
        start, end = slots[interval]
        annotation = ElementTree.SubElement(
            ElementTree.SubElement(element, "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            {
                "ANNOTATION_ID": f"a{next(numbers)}",
                "TIME_SLOT_REF1": start,
                "TIME_SLOT_REF2": end,
            },
        )
        ElementTree.SubElement(annotation, "ANNOTATION_VALUE").text = interval.text
