"""The face-ID model learns this film's faces: VideoClusterNet's self-supervised finetuning."""

from personae.adapt.adaptation import adapt
from personae.adapt.result import Adaptation, Iteration

__all__ = ["Adaptation", "Iteration", "adapt"]
