"""Experiments: conditions by items, controls, resampling."""

from ._controls import matched_random
from ._experiment import CONTROLS, support_matrix
from ._matrix import SupportMatrix
from ._resampling import Inference
from ._verdicts import ABLATIONS, LEAST_CONTROLS, LEAST_VALUES, SpecificEffects

__all__ = [
    "ABLATIONS",
    "CONTROLS",
    "Inference",
    "LEAST_CONTROLS",
    "LEAST_VALUES",
    "SpecificEffects",
    "SupportMatrix",
    "matched_random",
    "support_matrix",
]
