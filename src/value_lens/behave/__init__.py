"""How does the model behave? Which option of a dilemma it prefers."""

from .choice import EncodedQuestion, support_rate, supports
from .prompts import CLOZE, CONTINUATION, LABEL, SCORINGS, ChoiceFormat, Question

__all__ = [
    "CLOZE",
    "CONTINUATION",
    "LABEL",
    "SCORINGS",
    "ChoiceFormat",
    "EncodedQuestion",
    "Question",
    "support_rate",
    "supports",
]
