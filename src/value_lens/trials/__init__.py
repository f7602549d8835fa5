"""Do the neurons cause the behaviour? The support matrix, matched controls, inference."""

from .figure import Picture
from .inference import Inference
from .matrix import SupportMatrix
from .run import support_matrix

__all__ = ["Picture", "Inference", "SupportMatrix", "support_matrix"]
