"""How is a corpus written with one's own model? Recipes, writers, and a run that can be killed and goes on."""

from .desk import Pace
from .recipes import RECIPES, Recipe, Step, Task
from .run import Cost, Generated, generate
from .writers import EndpointWriter, RefusedError, Reply, TransientError, Writer

__all__ = [
    "RECIPES",
    "Cost",
    "EndpointWriter",
    "Generated",
    "Pace",
    "Recipe",
    "RefusedError",
    "Reply",
    "Step",
    "Task",
    "TransientError",
    "Writer",
    "generate",
]
