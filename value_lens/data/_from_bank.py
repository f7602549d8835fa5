"""Records of the packaged bank by a selection."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..core import ASPECTS, Dilemma, LabelledText, SituationalQuestion
from ..errors import DataError, UnknownNameError
from . import _bank as bank
from . import _compose as compose
from . import _poles as poles
from ._compose import Composition
from ._selection import DEFAULT, Selection

COMPOSED = 200  # records a group that are composed from the bank unless a number is given


def composition_of(kind: type, source: str, selection: Selection) -> Composition:
    """What is composed of a kind of record. Raises `UnknownNameError` (source, value, language, split) and `DataError`."""
    if source not in (*bank.BANKS, poles.POLES):
        raise UnknownNameError("source of the bank", source, [*bank.BANKS, poles.POLES])
    languages = _in_known_order("language", selection.languages, bank.LANGUAGES)
    per_group = selection.per_group
    n_records = per_group if isinstance(per_group, int) else COMPOSED if per_group == DEFAULT else None
    if kind is SituationalQuestion or source == poles.POLES:
        if selection.split or selection.fillings != "all":
            raise DataError("pole descriptions and questions have no splits and no held-out fillings")
        if kind not in (SituationalQuestion, LabelledText):
            raise DataError(f"{source!r} holds pole descriptions and questions, no {kind.__name__}")
        values = _in_known_order("value", selection.values, poles.VALUES)
        return Composition(poles.POLES, values, languages, "", selection.fillings, n_records, selection.seed)
    if kind not in (LabelledText, Dilemma):
        raise DataError(f"the bank holds no {kind.__name__}; give a file, a table or a published data set")
    split = selection.split or ("activation" if kind is LabelledText else "evaluation")
    _in_known_order("split", [split], bank.SPLITS)
    values = _in_known_order("value", selection.values, bank.BANKS[source].names)
    return Composition(source, values, languages, split, selection.fillings, n_records, selection.seed)


def compose_records(kind: type, composition: Composition) -> Iterator[Any]:
    """The records of a composition, one at a time."""
    if composition.source == poles.POLES and kind is LabelledText:
        return poles.descriptions(composition.values, composition.languages, composition.per_group)
    if composition.source == poles.POLES:
        return poles.questions(composition.values, composition.languages, composition.per_group, composition.seed)
    return compose.compose_texts(composition) if kind is LabelledText else compose.compose_dilemmas(composition)


def n_composable(kind: type, composition: Composition) -> int:
    """How many different records there are to compose; the composition's `per_group` is None for pole descriptions and questions."""
    if composition.source == poles.POLES:
        return sum(1 for _ in compose_records(kind, composition))
    return compose.n_draws(composition) * len(composition.languages) * (len(ASPECTS) if kind is LabelledText else 1)


def _in_known_order(kind: str, names: Sequence[str] | None, choices: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order of those known; all of them for None."""
    for name in names or ():
        if name not in choices:
            raise UnknownNameError(kind, name, choices)
    return choices if names is None else tuple(name for name in choices if name in names)
