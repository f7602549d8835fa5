"""How does the model behave? Which option of a dilemma it prefers, and what it says when asked."""

from .answers import Answers
from .choice import EncodedQuestion, support_rate, supports
from .persona import PERSONA, Prompt, under_poles
from .prompts import CLAUSE, CLOZE, CONTINUATION, LABEL, SCORINGS, ChoiceFormat, load_wordings
from .question import Question
from .respond import respond
from .writer import local_writer

__all__ = [
    "CLAUSE",
    "CLOZE",
    "CONTINUATION",
    "LABEL",
    "PERSONA",
    "Prompt",
    "SCORINGS",
    "Answers",
    "ChoiceFormat",
    "EncodedQuestion",
    "Question",
    "load_wordings",
    "local_writer",
    "respond",
    "support_rate",
    "supports",
    "under_poles",
]
