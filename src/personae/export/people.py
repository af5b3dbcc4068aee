"""Names people have given to characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personae.project import Project


def names(project: Project) -> dict[str, str | None]:
    """Map every character's label to its name, None where nobody has named it."""
    return {one.label: one.name for one in project.cast()}
