"""Names that try to break file formats."""

from __future__ import annotations

HOSTILE_NAMES = {
    "P01": 'Ann "The Hat" <b>&amp;</b> O\'Neil',
    "P02": "Zoë\nØ --> {\\an8}\r\n\n2",
    "P03": "Zoë Ø --> {\\an8} 2",
    "P04": "\x00\x1b\u202e\ufffe李,;|\t",
}
"""Label -> name: markup, quotes, line breaks, a double after joining lines, control characters."""

HOSTILE_TITLES = {
    "P01": 'Ann "The Hat" <b>&amp;</b> O\'Neil',
    "P02": "Zoë Ø --> {\\an8} 2 (P02)",
    "P03": "Zoë Ø --> {\\an8} 2 (P03)",
    "P04": "\u202e 李,;|",
}
"""The same, in one line each and no two alike."""
