"""The best stills of every character: full frames and faces, named, with a contact sheet."""

from __future__ import annotations

from personae.stills.choice import StillChoice, choose_stills
from personae.stills.writer import write_stills

__all__ = ["StillChoice", "choose_stills", "write_stills"]
