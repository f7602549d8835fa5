"""Measures: items to one score per item."""

from ._choice import EncodedQuestion, support_rate, supports
from ._question import Question
from ._wordings import CLAUSE, CLOZE, CONTINUATION, LABEL, SCORINGS, ChoiceFormat, in_language, load_wordings, template_fields

__all__ = [
    "CLAUSE",
    "CLOZE",
    "CONTINUATION",
    "ChoiceFormat",
    "EncodedQuestion",
    "LABEL",
    "Question",
    "SCORINGS",
    "in_language",
    "load_wordings",
    "support_rate",
    "supports",
    "template_fields",
]
