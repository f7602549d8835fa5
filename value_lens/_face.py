"""The public names of the library."""

from ._version import __version__
from .causal import Controls, SupportMatrix, matched_random
from .core import (
    Dilemma,
    FiringStats,
    Group,
    LabelledText,
    NeuronScores,
    NeuronSet,
    QuestionnaireItem,
    Resampling,
    SituationalQuestion,
    Value,
    ValueSystem,
    average_precision,
    load_strategies,
    register_system,
)
from .data import Selection, load_dilemmas, load_items, load_questions, load_texts
from .errors import ValueLensError
from .intervene import Context, Intervention, interventions, mean, pointwise, zero
from .lens import TokenActivations, ValueLens
from .locate import (
    methods,
    npti_rule,
    opposition,
    presets,
    select,
    threshold_rule,
    top_rule,
    vape,
    vape_rule,
)
from .measure import CLAUSE, CLOZE, ChoiceFormat, Question
from .model import Batching, load_model
from .organisms import load_organism
from .study import Study, load_study, run_study, save_study
from .systems import chinese_social, load_system, save_system, schwartz
from .write import Prompt, local_writer, respond, under_poles

__all__ = [
    "Batching",
    "CLAUSE",
    "CLOZE",
    "ChoiceFormat",
    "Controls",
    "Dilemma",
    "Context",
    "Intervention",
    "FiringStats",
    "Group",
    "LabelledText",
    "NeuronScores",
    "NeuronSet",
    "Prompt",
    "Question",
    "QuestionnaireItem",
    "Resampling",
    "Selection",
    "SituationalQuestion",
    "Study",
    "SupportMatrix",
    "TokenActivations",
    "Value",
    "ValueLens",
    "ValueLensError",
    "ValueSystem",
    "__version__",
    "average_precision",
    "chinese_social",
    "interventions",
    "load_dilemmas",
    "load_items",
    "load_model",
    "load_organism",
    "load_questions",
    "load_strategies",
    "load_study",
    "load_system",
    "load_texts",
    "local_writer",
    "matched_random",
    "mean",
    "methods",
    "npti_rule",
    "opposition",
    "pointwise",
    "presets",
    "register_system",
    "respond",
    "run_study",
    "save_study",
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
