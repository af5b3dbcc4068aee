"""Names of characters as names of files and folders, on any file system."""

from __future__ import annotations

import re
from collections.abc import Iterable

FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
"""Characters that one of the common file systems does not take."""

MAX_NAME_LENGTH = 80
"""Characters of a name that are kept."""


def name_files(labels: Iterable[str]) -> dict[str, str]:
    """Return a file name without ending for each label; no two differ in case alone."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for label in labels:
        name = base = FORBIDDEN.sub("_", label).strip(" .")[:MAX_NAME_LENGTH] or "_"
        number = 2
        while name.casefold() in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name.casefold())
        names[label] = name
    return names
