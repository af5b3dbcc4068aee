"""W3C Web Annotations: an annotation an appearance, whose target is a media fragment."""

from __future__ import annotations

import json
from typing import BinaryIO
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from personae.export.appearances import Appearance
from personae.export.export_format import ExportRequest
from personae.export.media_type import video_media_type
from personae.export.provenance import software_name
from personae.export.scholars.media_fragments import format_media_fragment
from personae.export.titles import distinct_titles

MEDIA_FRAGMENTS = "http://www.w3.org/TR/media-frags/"


def write_web_annotations(request: ExportRequest, stream: BinaryIO) -> None:
    """Write an annotation page in JSON-LD; the same project gives the same ids again.

    Ids are UUIDs; with a base URL, addresses of the page and of parts of it.

    Source: Web Annotation Data Model, W3C, sections 3, 4.2.1 and 5.2.
    """
    titles = distinct_titles(request.appearances)
    items = [_build_annotation(request, one, titles[one.character]) for one in request.appearances]
    page = {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": _make_id(request),
        "type": "AnnotationPage",
        "items": items,
    }
    stream.write(json.dumps(page, ensure_ascii=False, indent=1).encode() + b"\n")


def make_uuid(request: ExportRequest, *parts: object) -> str:
    """Return the UUID of a part of the film's export, the same whenever it is made."""
    content_hash = request.project.source.content_hash
    return str(uuid5(NAMESPACE_URL, ":".join(["personae", content_hash, *map(str, parts)])))


def _make_id(request: ExportRequest, one: Appearance | None = None) -> str:
    """Return the id of an appearance, or that of the page."""
    if request.base_url is None:
        parts = ("page",) if one is None else (one.character, one.start_pts, one.end_pts)
        return f"urn:uuid:{make_uuid(request, *parts)}"
    page = f"{request.base_url}{quote(request.time.file)}.jsonld"
    return page if one is None else f"{page}#{one.character}-{one.start_pts}-{one.end_pts}"


def describe_certainty(one: Appearance) -> str:
    """Return how sure an appearance is, for a person to read."""
    state = "reviewed" if one.reviewed else "not reviewed"
    return f"confidence {one.confidence:.2f}, {state}"


def _build_annotation(request: ExportRequest, one: Appearance, title: str) -> dict[str, object]:
    clock = request.time
    start_s, end_s = clock.player_seconds(one.start_pts), clock.player_seconds(one.end_pts)
    return {
        "id": _make_id(request, one),
        "type": "Annotation",
        "motivation": "identifying",
        "created": request.project.require("cluster").finished,
        "generator": {"type": "Software", "name": software_name()},
        "body": [
            {"type": "TextualBody", "purpose": "identifying", "value": title},
            {"type": "TextualBody", "purpose": "assessing", "value": describe_certainty(one)},
        ],
        "target": {
            "type": "SpecificResource",
            "source": {
                "id": (request.base_url or "") + quote(clock.file),
                "type": "Video",
                "format": video_media_type(clock.file),
            },
            "selector": {
                "type": "FragmentSelector",
                "conformsTo": MEDIA_FRAGMENTS,
                "value": format_media_fragment(start_s, end_s, one.box),
            },
        },
    }
