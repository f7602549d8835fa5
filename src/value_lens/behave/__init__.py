"""How does the model behave? Which option of a dilemma it prefers, and what it says when asked."""

from .choice import EncodedQuestion, support_rate, supports
from .prompts import CLOZE, CONTINUATION, LABEL, SCORINGS, ChoiceFormat, Question
from .respond import PERSONA, Prompt, local_writer, respond, under_poles

__all__ = [
    "CLOZE",
    "CONTINUATION",
    "LABEL",
    "PERSONA",
    "Prompt",
    "SCORINGS",
    "ChoiceFormat",
    "EncodedQuestion",
    "Question",
    "local_writer",
    "respond",
    "support_rate",
    "supports",
    "under_poles",
]
