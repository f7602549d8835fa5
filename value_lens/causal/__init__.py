"""Experiments: conditions by items, controls, resampling."""

from ._effects import effect_matrix
from ._experiment import Design, run_experiment
from ._random_sets import matched_random
from ._settings import MATCHES, Controls, as_controls
from ._verdicts import ABLATIONS, LEAST_CONTROLS, LEAST_VALUES

__all__ = [
    "ABLATIONS",
    "Controls",
    "Design",
    "LEAST_CONTROLS",
    "LEAST_VALUES",
    "MATCHES",
    "as_controls",
    "effect_matrix",
    "matched_random",
    "run_experiment",
]
