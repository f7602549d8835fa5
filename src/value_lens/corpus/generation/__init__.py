"""How is a corpus written with one's own model? Recipes, writers, and a run that can be killed and goes on."""

from .desk import Pace
from .recipes import RECIPES, Message, Recipe, Step, Task
from .run import Cost, Generated, generate
from .thoughts import UNCLOSED, Marks, answer_start, leaves_open, marks_of
from .writers import EndpointWriter, RefusedError, Reply, TransientError, Writer

__all__ = [
    "RECIPES",
    "UNCLOSED",
    "Cost",
    "EndpointWriter",
    "Generated",
    "Marks",
    "Message",
    "Pace",
    "Recipe",
    "RefusedError",
    "Reply",
    "Step",
    "Task",
    "TransientError",
    "Writer",
    "answer_start",
    "generate",
    "leaves_open",
    "marks_of",
]
