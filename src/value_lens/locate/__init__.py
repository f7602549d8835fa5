"""Where is a value? One file per method: statistics to scores; rules: scores to neuron sets."""

from .opposition import opposition
from .scores import NeuronScores, average_precision
from .select import Rule, npti_rule, select, threshold_rule, top_rule, vape_rule
from .vape import vape

__all__ = [
    "NeuronScores",
    "Rule",
    "average_precision",
    "npti_rule",
    "opposition",
    "select",
    "threshold_rule",
    "top_rule",
    "vape",
    "vape_rule",
]
