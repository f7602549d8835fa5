"""Records, groups, value systems, neuron sets, statistics and scores; their files; the registries."""

from ._cells import Cell, highest, lowest
from ._discovery import import_all
from ._effects import EffectMatrix, SpecificEffects
from ._firing import FiringStats
from ._groups import sort_groups
from ._item_scores import ItemScores
from ._json import RepeatedField, holds_half_pair, parse_json, require_sound, require_whole_pairs
from ._kinds import COUNT, OBJECT, SEED, SHARE, SIZE, TEXT, Expected, Kind, Numbers, list_of, object_of, tuple_of, unchanged
from ._names import fold_name, key_by_name, require_distinct, standard
from ._neurons import NeuronSet, require_same
from ._order import in_order, label_of, labels_of, order_meta, register_system
from ._own_file import load_strategies
from ._parameters import Parameter, parameters_of
from ._records import (
    ASPECTS,
    AnyRecord,
    Dilemma,
    Group,
    LabelledText,
    QuestionnaireItem,
    Record,
    SituationalQuestion,
)
from ._registry import Entry, Registry
from ._resampling import Resampling
from ._rows import id_of, record_from
from ._scores import NeuronScores, average_precision
from ._stopped import CountingStoppedError
from ._store import canonical_json, require_writable, write_atomically, write_json
from ._systems import Value, ValueSystem
from ._token_activations import TokenActivations
from ._views import attach_view, view_of

__all__ = [
    "ASPECTS",
    "AnyRecord",
    "COUNT",
    "Cell",
    "CountingStoppedError",
    "Dilemma",
    "EffectMatrix",
    "Entry",
    "Expected",
    "FiringStats",
    "Group",
    "ItemScores",
    "Kind",
    "LabelledText",
    "NeuronScores",
    "NeuronSet",
    "Numbers",
    "OBJECT",
    "Parameter",
    "QuestionnaireItem",
    "Record",
    "Registry",
    "RepeatedField",
    "Resampling",
    "SEED",
    "SHARE",
    "SIZE",
    "SituationalQuestion",
    "SpecificEffects",
    "TEXT",
    "TokenActivations",
    "Value",
    "ValueSystem",
    "attach_view",
    "average_precision",
    "canonical_json",
    "fold_name",
    "highest",
    "holds_half_pair",
    "id_of",
    "import_all",
    "in_order",
    "label_of",
    "labels_of",
    "key_by_name",
    "list_of",
    "load_strategies",
    "lowest",
    "object_of",
    "order_meta",
    "parameters_of",
    "parse_json",
    "record_from",
    "register_system",
    "require_distinct",
    "require_same",
    "require_sound",
    "require_whole_pairs",
    "require_writable",
    "sort_groups",
    "standard",
    "tuple_of",
    "unchanged",
    "view_of",
    "write_atomically",
    "write_json",
]
