"""IIIF Presentation 3: a manifest that shows the film with its appearances as annotations."""

from __future__ import annotations

import json
from typing import BinaryIO
from urllib.parse import quote

from personae.export.appearances import Appearance
from personae.export.export_format import ExportRequest
from personae.export.media_type import video_media_type
from personae.export.provenance import software_name
from personae.export.scholars.media_fragments import format_media_fragment, format_seconds
from personae.export.scholars.web_annotation import describe_certainty
from personae.export.titles import distinct_titles

LOCAL_BASE_URL = "http://localhost:8000/"
"""Where `python -m http.server` serves a folder: IIIF asks for web addresses, also of a film that
is published nowhere yet."""


def write_iiif_manifest(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a manifest of one canvas, with an annotation an appearance and a range a character.

    Source: IIIF Presentation API 3.0, sections 5 and 6; IIIF Cookbook, recipes 0003 (video), 0026
        (table of contents) and 0103 (annotations with time and place).
    """
    source, clock = request.project.source, request.time
    film = (request.base_url or LOCAL_BASE_URL) + quote(clock.file)
    manifest = f"{film}.manifest.json"
    canvas = f"{manifest}/canvas"
    extent = {
        "width": source.width,
        "height": source.height,
        "duration": float(format_seconds(clock.player_seconds(clock.end_pts))),
    }
    video = {"id": film, "type": "Video", "format": video_media_type(clock.file), **extent}
    titles = distinct_titles(request.appearances)
    document = {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": manifest,
        "type": "Manifest",
        "label": {"none": [clock.file]},
        "requiredStatement": {
            "label": {"en": ["Attribution"]},
            "value": {"en": [f"Characters found by {software_name()}"]},
        },
        "items": [
            {
                "id": canvas,
                "type": "Canvas",
                **extent,
                "items": [
                    {
                        "id": f"{canvas}/page",
                        "type": "AnnotationPage",
                        "items": [
                            {
                                "id": f"{canvas}/page/film",
                                "type": "Annotation",
                                "motivation": "painting",
                                "body": video,
                                "target": canvas,
                            }
                        ],
                    }
                ],
                **_build_annotation_page(request, canvas, titles),
            }
        ],
        **_build_ranges(request, manifest, canvas, titles),
    }
    stream.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")


def _build_annotation_page(
    request: ExportRequest, canvas: str, titles: dict[str, str]
) -> dict[str, object]:
    """Return the property `annotations`, which must not be there without an annotation."""
    items = [
        _build_annotation(request, canvas, number, one, titles[one.character])
        for number, one in enumerate(request.appearances, 1)
    ]
    page = {"id": f"{canvas}/appearances", "type": "AnnotationPage", "items": items}
    return {"annotations": [page]} if items else {}


def _build_annotation(
    request: ExportRequest, canvas: str, number: int, one: Appearance, title: str
) -> dict[str, object]:
    text = {"type": "TextualBody", "format": "text/plain"}
    return {
        "id": f"{canvas}/appearances/{number}",
        "type": "Annotation",
        "motivation": "tagging",
        "body": [
            {**text, "purpose": "tagging", "value": title},
            {**text, "purpose": "assessing", "value": describe_certainty(one)},
        ],
        "target": f"{canvas}#{_fragment(request, one, with_box=True)}",
    }


def _build_ranges(
    request: ExportRequest, manifest: str, canvas: str, titles: dict[str, str]
) -> dict[str, object]:
    """Return the property `structures`: the parts of the canvas in which each character is."""
    ranges = [
        {
            "id": f"{manifest}/range/{label}",
            "type": "Range",
            "label": {"none": [title]},
            "items": [
                {"id": f"{canvas}#{_fragment(request, one)}", "type": "Canvas"}
                for one in request.appearances
                if one.character == label
            ],
        }
        for label, title in titles.items()
    ]
    return {"structures": ranges} if ranges else {}


def _fragment(request: ExportRequest, one: Appearance, with_box: bool = False) -> str:
    clock = request.time
    start_s, end_s = clock.player_seconds(one.start_pts), clock.player_seconds(one.end_pts)
    fragment = format_media_fragment(start_s, end_s, one.box if with_box else None)
    return fragment.replace("xywh=pixel:", "xywh=")  # the canvas has no pixels, but the same units
