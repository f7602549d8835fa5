"""Corpora and answers written by a language model."""

from ..endpoint import Cost, Prices, RequestPolicy
from ._answers import Answers
from ._generated import Generated
from ._generating import generate
from ._local import local_writer
from ._persona import PERSONA, Prompt, under_poles
from ._plan import CorpusPlan
from ._responses import respond
from .recipes import RECIPES, Recipe, Step, Task

__all__ = [
    "Answers",
    "CorpusPlan",
    "Cost",
    "Generated",
    "PERSONA",
    "Prices",
    "Prompt",
    "RECIPES",
    "Recipe",
    "RequestPolicy",
    "Step",
    "Task",
    "generate",
    "local_writer",
    "respond",
    "under_poles",
]
