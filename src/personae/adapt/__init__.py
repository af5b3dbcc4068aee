"""Adaptation of a face-recognition network to one film by self-supervised finetuning."""

from personae.adapt.adaptation import adapt
from personae.adapt.result import Adaptation, Iteration

__all__ = ["Adaptation", "Iteration", "adapt"]
