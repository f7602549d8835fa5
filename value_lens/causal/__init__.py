"""Experiments: conditions by items, controls, resampling."""

from ._experiment import support_matrix
from ._matrix import SupportMatrix
from ._random_sets import matched_random
from ._settings import MATCHES, Controls, as_controls
from ._verdicts import ABLATIONS, LEAST_CONTROLS, LEAST_VALUES, SpecificEffects

__all__ = [
    "ABLATIONS",
    "Controls",
    "LEAST_CONTROLS",
    "LEAST_VALUES",
    "MATCHES",
    "SpecificEffects",
    "SupportMatrix",
    "as_controls",
    "matched_random",
    "support_matrix",
]
