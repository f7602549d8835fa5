"""Recipes for corpora: steps with checked JSON answers; one file a recipe."""

from ...core import import_all
from ._answer_check import check_answer
from ._recipe import RECIPES, Answer, Group, Recipe, Step, Task, messages, recipe_named

import_all(__name__)

__all__ = ["RECIPES", "Answer", "Group", "Recipe", "Step", "Task", "check_answer", "messages", "recipe_named"]
