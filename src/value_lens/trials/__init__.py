"""Do the neurons cause the behaviour? The support matrix, matched controls, inference."""

from .matrix import Inference, SupportMatrix
from .run import support_matrix

__all__ = ["Inference", "SupportMatrix", "support_matrix"]
