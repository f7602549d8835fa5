"""Methods, the rules that select neurons from scores, and presets of both."""

from ._opposition import opposition
from ._registries import MethodEntry, Need, PresetEntry, methods, presets
from ._rules import Rule, default_rule, npti_rule, select, threshold_rule, top_rule, vape_rule
from ._vape import vape

__all__ = [
    "MethodEntry",
    "Need",
    "PresetEntry",
    "Rule",
    "default_rule",
    "methods",
    "npti_rule",
    "opposition",
    "presets",
    "select",
    "threshold_rule",
    "top_rule",
    "vape",
    "vape_rule",
]
