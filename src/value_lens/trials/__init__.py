"""Do the neurons cause the behaviour? The support matrix, matched controls, inference."""

from .controls import matched_random
from .figure import Picture
from .inference import Inference
from .matrix import SupportMatrix
from .run import CONTROLS, support_matrix
from .verdicts import ABLATIONS, LEAST_CONTROLS, LEAST_VALUES, SpecificEffects

__all__ = [
    "ABLATIONS",
    "CONTROLS",
    "LEAST_CONTROLS",
    "LEAST_VALUES",
    "Picture",
    "Inference",
    "SpecificEffects",
    "SupportMatrix",
    "matched_random",
    "support_matrix",
]
