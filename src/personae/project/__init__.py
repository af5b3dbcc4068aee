"""The folder on disk: its tables and stage markers, the cast read from them, and the runner of stages."""

from __future__ import annotations

from personae.project.cast import Appearance, Cast, Character
from personae.project.folder import Project, StageState

__all__ = ["Appearance", "Cast", "Character", "Project", "StageState"]
