"""The project folder on disk: tables, records of finished stages, the cast as a read model.

It only stores and reads; `personae.pipeline` runs the stages.
"""

from __future__ import annotations

from personae.project.cast import Appearance, Cast, Character
from personae.project.folder import Project, StageState

__all__ = ["Appearance", "Cast", "Character", "Project", "StageState"]
