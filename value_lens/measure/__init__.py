"""Measures: items to one score per item."""

from ._choice import choice, support_rate, supports
from ._engine import score_items
from ._measure import Measure, measures
from ._question import Question
from ._task import EncodedTask, ScoredText, TokenTask
from ._wordings import CLAUSE, CLOZE, CONTINUATION, LABEL, SCORINGS, ChoiceFormat, in_language, load_wordings, template_fields

__all__ = [
    "CLAUSE",
    "CLOZE",
    "CONTINUATION",
    "ChoiceFormat",
    "EncodedTask",
    "LABEL",
    "Measure",
    "Question",
    "SCORINGS",
    "ScoredText",
    "TokenTask",
    "choice",
    "in_language",
    "load_wordings",
    "measures",
    "score_items",
    "support_rate",
    "supports",
    "template_fields",
]
