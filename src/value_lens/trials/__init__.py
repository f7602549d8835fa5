"""Do the neurons cause the behaviour? The support matrix, matched controls, inference."""

from .figure import Picture
from .inference import Inference
from .matrix import SupportMatrix
from .run import support_matrix
from .verdicts import ABLATIONS, LEAST_CONTROLS, LEAST_VALUES, SpecificEffects

__all__ = [
    "ABLATIONS",
    "LEAST_CONTROLS",
    "LEAST_VALUES",
    "Picture",
    "Inference",
    "SpecificEffects",
    "SupportMatrix",
    "support_matrix",
]
