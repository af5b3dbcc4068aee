"""Sound and subtitles, copied from one film to another as they are."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from personae.core.errors import SettingError

LEAD_S = 1
"""Seconds by which copied packets run ahead of the frames."""


class StreamCopier:
    """Copies the sound and the subtitles of a film beside frames that are encoded anew.

    All else stays behind, since it may tell who was hidden: covers and further pictures, chapters,
    attachments, data, and the tags of the file.

    Args:
        film: The film that is copied from.
        container: The film that is being written.
        shift_s: Seconds by which all times become smaller.

    Raises:
        SettingError: The container cannot hold the sound.
    """

    def __init__(self, film: Path, container: OutputContainer, shift_s: int) -> None:
        self._film = av.open(str(film), metadata_errors="ignore")
        self._target, self._shift_s = container, shift_s
        self._copies: dict[int, Stream] = {}
        self.notes: list[str] = []
        """Sentences for the user about what was not copied."""
        left_out: Counter[str] = Counter()
        for stream in self._film.streams:
            if stream.type in ("audio", "subtitle") and _fits(stream, container.format.name):
                self._copies[stream.index] = _add_copy(stream, container)
            elif stream.type == "audio":
                self._film.close()
                raise SettingError(
                    f"The sound of {film.name} cannot be copied into {container.format.name}: "
                    "let the name after -o end in .mkv, which holds nearly everything."
                )
            else:
                left_out[stream.type] += 1
        left_out["video"] -= 1
        parts = [f"{count} of {kind}" for kind, count in sorted(left_out.items()) if count > 0]
        if parts:
            self.notes.append(f"Streams of the film that were left out: {', '.join(parts)}.")
        self._packets = self._demux()
        self._next = next(self._packets, None)
        if self._next is not None and container.format.name == "matroska":
            early_s = shift_s - _time_s(self._next)
            if early_s > 0:
                self.notes.append(
                    "Matroska holds no times before zero, where the sound begins: "
                    f"all of the copy is {float(early_s):.3f} s later, picture and sound alike."
                )

    def __enter__(self) -> StreamCopier:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._film.close()

    def copy_until(self, time_s: Fraction) -> None:
        """Copy what belongs before a time of the film, and a little more."""
        while self._next is not None and _time_s(self._next) <= time_s + LEAD_S:
            self._copy(self._next)
            self._next = next(self._packets, None)

    def finish(self) -> None:
        """Copy the rest."""
        while self._next is not None:
            self._copy(self._next)
            self._next = next(self._packets, None)

    def _copy(self, packet: Packet[Stream]) -> None:
        shift = round(self._shift_s / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.stream = self._copies[packet.stream_index]
        self._target.mux(packet)

    def _demux(self) -> Iterator[Packet[Stream]]:
        """Yield the packets to copy; damage ends them."""
        if not self._copies:
            return
        try:
            for packet in self._film.demux([self._film.streams[i] for i in self._copies]):
                if packet.size:  # the last ones are empty
                    yield packet
        except (av.error.FFmpegError, OSError, IndexError) as error:
            self.notes.append(f"The sound is damaged and was copied up to there: {error}.")


def _time_s(packet: Packet[Stream]) -> Fraction:
    ticks = packet.dts if packet.dts is not None else packet.pts
    return (ticks or 0) * packet.time_base


def _add_copy(stream: Stream, container: OutputContainer) -> Stream:
    """Add a stream for the packets of another; of its tags only the language is kept."""
    copy = container.add_stream_from_template(stream)
    if stream.language:
        copy.metadata["language"] = stream.language
    copy.disposition = stream.disposition
    return copy


def _fits(stream: Stream, kind: str) -> bool:
    """Return whether a container can hold a stream, by trying it out in memory."""
    try:
        with av.open(io.BytesIO(), "w", format=kind) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError, OSError):
        return False
    return True
