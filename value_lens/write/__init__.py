"""Corpora and answers written by a language model."""

from ._answers import Answers
from ._campaign import Cost, Generated, generate
from ._desk import Pace
from ._local import local_writer
from ._persona import PERSONA, Prompt, under_poles
from ._recipes import RECIPES, Recipe, Step, Task
from ._responses import respond

__all__ = [
    "Answers",
    "Cost",
    "Generated",
    "PERSONA",
    "Pace",
    "Prompt",
    "RECIPES",
    "Recipe",
    "Step",
    "Task",
    "generate",
    "local_writer",
    "respond",
    "under_poles",
]
