"""Methods, and the rules that select neurons from scores."""

from ._opposition import opposition
from ._rules import Rule, npti_rule, select, threshold_rule, top_rule, vape_rule
from ._vape import vape

__all__ = ["Rule", "npti_rule", "opposition", "select", "threshold_rule", "top_rule", "vape", "vape_rule"]
