"""A process that enters edits: `python edit_writer.py FOLDER WHO COUNT`.

It names the first character again and again, each time another name, and undoes every third.
"""

from __future__ import annotations

import sys
from pathlib import Path

from personae.project import Project


def main(folder: Path, who: str, count: int) -> None:
    label = next(iter(Project.open(folder).cast())).label
    for number in range(count):
        edits = Project.open(folder).edits
        entered = edits.name(label, f"{who} {number}", by=who)
        if number % 3 == 2:
            edits.undo(entered.edit.id, by=who)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
