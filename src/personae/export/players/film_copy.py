"""A copy of the film with chapters: its streams are copied, never encoded again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from personae.core.errors import FilmError, SettingError
from personae.export.players.chapters import Chapter

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.container.core import Chapter as ChapterEntry
    from av.packet import Packet
    from av.stream import Stream

MILLISECOND = Fraction(1, 1000)
"""All times of Matroska, and the chapters of both containers, are whole numbers of this."""

MAX_FIRST_PACKETS = 200
"""Packets in which the earliest time of the film is looked for."""

MAX_REORDERED_PACKETS = 64
"""Packets without a decoding time at the start of a stream, after which it states none at all."""


def copy_with_chapters(
    film: Path, chapters: Sequence[Chapter], container_format: str, stream: BinaryIO
) -> None:
    """Write a copy of a film with other chapters.

    A chapter begins at the millisecond of its first frame in the copy. Subtitles that the container
    cannot hold, data streams and the film's own chapters are left out.

    Args:
        film: The film.
        chapters: In order of time.
        container_format: Name of the FFmpeg muxer: matroska, mp4 or mov.
        stream: A binary stream that can seek.

    Raises:
        SettingError: The container cannot hold the film's picture or sound.
        FilmError: The film cannot be read or copied.
        OSError: The stream cannot be written.
    """
    import av

    is_matroska = container_format == "matroska"
    bitexact = {"fflags": "+bitexact"}  # no random ids: the same film gives the same copy
    try:
        # Matroska has no times below zero, where the sound of many films begins
        delay = _find_delay(film) if is_matroska else Fraction(0)
        with (
            av.open(str(film), metadata_errors="ignore") as source,
            av.open(stream, "w", format=container_format, options=bitexact) as copy,
        ):
            copy.metadata.update(source.metadata)
            targets = _add_streams(source, copy, film)
            copy.set_chapters(
                [_describe(number, one, delay) for number, one in enumerate(chapters)]
            )
            for packet in _fill_decoding_times(_read_packets(source, targets)):
                if is_matroska:
                    _move_to_milliseconds(packet, delay)
                packet.stream = targets[packet.stream.index]
                copy.mux(packet)
    except av.error.FFmpegError as error:
        if type(error.__context__) is OSError:  # the stream could not be written, the film is well
            raise error.__context__ from None
        raise FilmError(
            f"{film} cannot be copied to {container_format} ({error.strerror}): "
            "choose the other container, or a format that is not a film."
        ) from error


def _find_delay(film: Path) -> Fraction:
    """Return the seconds, in whole milliseconds, after which no packet lies before zero."""
    import av

    with av.open(str(film), metadata_errors="ignore") as source:
        packets = _read_packets(source, range(len(source.streams)))
        times = [
            packet.pts * packet.time_base
            for packet in islice(packets, MAX_FIRST_PACKETS)
            if packet.pts is not None
        ]
    return math.ceil(-min([Fraction(0), *times]) / MILLISECOND) * MILLISECOND


def _add_streams(source: InputContainer, copy: OutputContainer, film: Path) -> dict[int, Stream]:
    """Add the streams that the copy can hold.

    Returns:
        The new stream by the index of the old one.
    """
    targets: dict[int, Stream] = {}
    for stream in source.streams:
        if stream.codec_context is None or stream.type not in ("video", "audio", "subtitle"):
            continue
        try:
            # opaque: no encoder is looked for, which the decoder's name may not have
            target = copy.add_stream_from_template(stream, opaque=True)
        except ValueError as error:
            if stream.type == "subtitle":
                continue
            codec, container = stream.codec_context.codec.canonical_name, copy.format.name
            advice = "" if container == "matroska" else "choose mkv-chapters, or "
            raise SettingError(
                f"{film.name} holds {codec} {stream.type}, which {container} cannot hold: "
                f"{advice}convert the film first."
            ) from error
        target.metadata.update(stream.metadata)
        target.disposition = stream.disposition
        targets[stream.index] = target
    return targets


def _describe(number: int, chapter: Chapter, delay: Fraction) -> ChapterEntry:
    """Return a chapter as PyAV takes it."""
    return {
        "id": number,
        "start": _to_milliseconds(chapter.start_s + delay),
        "end": _to_milliseconds(chapter.end_s + delay),
        "time_base": MILLISECOND,
        "metadata": {"title": chapter.title},
    }


def _read_packets(source: InputContainer, indices: Iterable[int]) -> Iterator[Packet[Stream]]:
    """Yield the packets of some streams, without the empty ones that end each stream."""
    for packet in source.demux([source.streams[index] for index in indices]):
        if packet.size:
            yield packet


def _fill_decoding_times(packets: Iterable[Packet[Stream]]) -> Iterator[Packet[Stream]]:
    """Give a decoding time to the first packets of a stream, which Matroska does not state."""
    waiting: dict[int, list[Packet[Stream]]] = {}
    started: set[int] = set()
    for packet in packets:
        index = packet.stream.index
        if index in started:
            yield packet
            continue
        held = waiting.setdefault(index, [])
        held.append(packet)
        if packet.dts is not None or len(held) == MAX_REORDERED_PACKETS:
            for earlier, later in zip(held[-2::-1], held[:0:-1], strict=True):
                if later.dts is not None:
                    earlier.dts = later.dts - max(1, earlier.duration or 0)
            started.add(index)
            yield from waiting.pop(index)
    for held in waiting.values():  # a stream without any decoding time
        yield from held


def _move_to_milliseconds(packet: Packet[Stream], delay: Fraction) -> None:
    """Round the times of a packet as Matroska holds them, after a delay."""
    time_base = packet.time_base
    duration = packet.duration or 0
    if packet.pts is not None:
        packet.pts = _to_milliseconds(packet.pts * time_base + delay)
    if packet.dts is not None:
        packet.dts = _to_milliseconds(packet.dts * time_base + delay)
    packet.duration = _to_milliseconds(duration * time_base)
    packet.time_base = MILLISECOND


def _to_milliseconds(seconds: Fraction) -> int:
    """Return the nearest millisecond, of two the later, as FFmpeg rounds."""
    return math.floor(seconds / MILLISECOND + Fraction(1, 2))
