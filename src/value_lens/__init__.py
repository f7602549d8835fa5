"""Which neurons of a language model carry a human value, do they cause its value-oriented behaviour, and how sure can one be?"""

from ._version import __version__
from .behave import CLAUSE, CLOZE, ChoiceFormat, Prompt, Question, local_writer, respond, under_poles
from .corpus import (
    Dilemma,
    Group,
    LabelledText,
    QuestionnaireItem,
    SituationalQuestion,
    load_dilemmas,
    load_items,
    load_questions,
    load_texts,
)
from .edit import Edit, mean, zero
from .errors import ValueLensError
from .lens import TokenActivations, ValueLens
from .locate import (
    NeuronScores,
    average_precision,
    npti_rule,
    opposition,
    select,
    threshold_rule,
    top_rule,
    vape,
    vape_rule,
)
from .model import load_model
from .neurons import NeuronSet
from .organisms import load_organism
from .stats import FiringStats
from .trials import Inference, SupportMatrix, matched_random
from .values import Value, ValueSystem, chinese_social, load_system, save_system, schwartz

__all__ = [
    "CLAUSE",
    "CLOZE",
    "ChoiceFormat",
    "Dilemma",
    "Edit",
    "FiringStats",
    "Group",
    "Inference",
    "LabelledText",
    "NeuronScores",
    "NeuronSet",
    "Prompt",
    "Question",
    "QuestionnaireItem",
    "SituationalQuestion",
    "SupportMatrix",
    "TokenActivations",
    "Value",
    "ValueLens",
    "ValueLensError",
    "ValueSystem",
    "__version__",
    "average_precision",
    "chinese_social",
    "load_dilemmas",
    "load_items",
    "load_model",
    "load_organism",
    "load_questions",
    "load_system",
    "load_texts",
    "local_writer",
    "matched_random",
    "mean",
    "npti_rule",
    "opposition",
    "respond",
    "save_system",
    "schwartz",
    "select",
    "threshold_rule",
    "top_rule",
    "under_poles",
    "vape",
    "vape_rule",
    "zero",
]
