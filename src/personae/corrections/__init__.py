"""Corrections made in annotation programs, as edits of the cast."""

from __future__ import annotations

from personae.corrections.entering import enter_edits
from personae.corrections.intended_edits import IntendedEdit
from personae.corrections.plan import CorrectionPlan, plan_corrections

__all__ = ["CorrectionPlan", "IntendedEdit", "enter_edits", "plan_corrections"]
