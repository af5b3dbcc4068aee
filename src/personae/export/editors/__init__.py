"""Formats for editors, one a module."""

from __future__ import annotations

from personae.export.editors.avid import write_avid_markers
from personae.export.editors.edl import write_edl
from personae.export.editors.fcpxml import write_fcpxml
from personae.export.editors.otio import write_otio
from personae.export.editors.premiere import write_premiere_xml
from personae.export.editors.resolve import write_resolve_markers
from personae.export.export_format import ExportFormat

FORMATS: tuple[ExportFormat, ...] = (
    ExportFormat(
        name="otio",
        extension=".otio",
        exports="appearances",
        users="editors",
        holds="OpenTimelineIO timeline: the film with markers, and a track a character (DaVinci "
        "Resolve, Premiere Pro, Nuke, Blender)",
        loses="nothing; what other programs do not show is kept as metadata",
        write=write_otio,
    ),
    ExportFormat(
        name="edl",
        extension=".edl",
        exports="appearances",
        users="editors",
        holds="CMX 3600 edit decision list: the appearances cut together, character after "
        "character (every editing program)",
        loses="boxes and sound; all but eight letters of the reel's name; at most 999 events",
        write=write_edl,
    ),
    ExportFormat(
        name="fcpxml",
        extension=".fcpxml",
        exports="appearances",
        users="editors",
        holds="FCPXML event: a keyword collection a character, and a timeline with markers (Final "
        "Cut Pro, DaVinci Resolve)",
        loses="boxes; the lengths of markers, which keyword ranges hold; commas in keywords",
        write=write_fcpxml,
    ),
    ExportFormat(
        name="resolve",
        extension=".edl",
        exports="appearances",
        users="editors",
        holds="timeline markers with lengths, a colour a character (DaVinci Resolve: Timelines, "
        "Import, Timeline Markers from EDL)",
        loses="boxes; vertical bars in names",
        write=write_resolve_markers,
    ),
    ExportFormat(
        name="premiere",
        extension=".xml",
        exports="appearances",
        users="editors",
        holds="Final Cut Pro 7 XML: a sequence of the film with markers (Premiere Pro, DaVinci "
        "Resolve)",
        loses="boxes and colours of markers",
        write=write_premiere_xml,
    ),
    ExportFormat(
        name="avid",
        extension=".txt",
        exports="appearances",
        users="editors",
        holds="markers with lengths, a colour a character (Avid Media Composer: Markers window, "
        "Import Markers)",
        loses="boxes; colours beyond eight characters",
        write=write_avid_markers,
    ),
)
"""In the order in which `personae export --list` shows them."""
