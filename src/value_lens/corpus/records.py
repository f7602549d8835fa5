"""What is a piece of data? A labelled text (to count firing on), a dilemma (to measure support on), and two kinds of question."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from ..errors import DataError

Aspect = Literal["+", "-"]
ASPECTS: tuple[str, ...] = get_args(Aspect)
_POLARITY = {"1": "+", "+1": "+", "1.0": "+", "-1": "-", "-1.0": "-", "+": "+", "-": "-"}
_YES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Group(NamedTuple):
    """The unit over which activations are counted."""

    value: str
    aspect: str
    language: str

    def __str__(self) -> str:
        return f"{self.value}{self.aspect}{self.language}"


@dataclass(frozen=True, kw_only=True)
class LabelledText:
    """A text that shows one aspect of a value. Tokens of `text` are counted; those of `prompt`, which precedes it, are not.

    A model's answer is stored as `prompt` (what it was asked) and `text` (its response); `response` is the same as `text`. cluster
    joins texts that are no independent evidence, such as fillings of one frame.
    """

    id: str
    text: str
    value: str
    aspect: str
    language: str
    prompt: str = ""
    cluster: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _require_text(self, ("id", "text", "value", "language"))
        if self.aspect not in ASPECTS:
            raise DataError(f"field 'aspect': {self.aspect!r} is neither '+' (upholds the value) nor '-' (opposes it)")

    @property
    def group(self) -> Group:
        return Group(self.value, self.aspect, self.language)

    @property
    def response(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Dilemma:
    """A situation with an aligned and a violating option.

    pair_id joins the same dilemma across languages. cluster joins dilemmas that are no independent evidence, such as fillings of
    one frame: intervals and p-values go by clusters.
    """

    id: str
    scenario: str
    aligned: str
    violating: str
    value: str
    language: str
    pair_id: str = ""
    cluster: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _require_text(self, ("id", "scenario", "aligned", "violating", "value", "language"))
        if self.aligned == self.violating:
            raise DataError(f"field 'violating': the same text as 'aligned' ({self.aligned!r})")

    @property
    def unit(self) -> str:
        """What counts as one piece of evidence: its cluster, else its pair, else itself."""
        return self.cluster or self.pair_id or self.id


@dataclass(frozen=True, kw_only=True)
class QuestionnaireItem:
    """A statement to agree or disagree with. `reverse_keyed`: agreeing speaks against the value."""

    id: str
    text: str
    value: str
    language: str
    reverse_keyed: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        _require_text(self, ("id", "text", "value", "language"))
        if not isinstance(self.reverse_keyed, bool):
            raise DataError(f"field 'reverse_keyed': expected true or false, got {self.reverse_keyed!r}")


@dataclass(frozen=True, kw_only=True)
class SituationalQuestion:
    """An open question about a situation that people who hold different values answer differently."""

    id: str
    text: str
    value: str
    language: str
    source: str = ""

    def __post_init__(self) -> None:
        _require_text(self, ("id", "text", "value", "language"))


AnyRecord = LabelledText | Dilemma | QuestionnaireItem | SituationalQuestion
Record = TypeVar("Record", LabelledText, Dilemma, QuestionnaireItem, SituationalQuestion)


def _require_text(record: object, names: Iterable[str]) -> None:
    for field in fields(record):  # pyright: ignore[reportArgumentType]
        given = getattr(record, field.name)
        if field.type in (str, "str") and not isinstance(given, str):
            raise DataError(f"field {field.name!r}: expected a text, got {given!r}")
    for name in names:
        if not getattr(record, name).strip():
            raise DataError(f"field {name!r}: expected a non-empty text, got {getattr(record, name)!r}")


def record_from(row: object, kind: type[Record], where: object) -> Record:
    """One record from one mapping; unknown keys are ignored.

    `polarity` +1/-1 is read as the aspect, `response` as the text, and `agreement` +1/-1 of a questionnaire as its key.
    Raises `DataError` that names `where` (file and line) and the field.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: expected an object with fields, got {type(row).__name__}")
    row = _with_synonyms(dict(row), kind, where)
    chosen: dict[str, Any] = {}
    for field in fields(kind):
        if row.get(field.name) is not None:
            chosen[field.name] = row[field.name]
        elif field.default not in ("", False):
            hint = " (or 'polarity', +1 or -1)" if field.name == "aspect" else ""
            lacks = "empty (null)" if field.name in row else "missing"
            raise DataError(f"{where}: field {field.name!r}{hint} is {lacks}; found {sorted(map(str, row))}")
    if isinstance(chosen["id"], Integral):  # numpy's, too
        chosen["id"] = str(int(chosen["id"]))
    try:
        return kind(**chosen)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def _with_synonyms(row: dict[str, Any], kind: type, where: object) -> dict[str, Any]:
    if kind is LabelledText:
        if row.get("aspect") is None and "polarity" in row:
            row["aspect"] = _polarity(row["polarity"], "polarity", where)
        if row.get("text") is None and row.get("response") is not None:
            row["text"] = row["response"]
    if kind is QuestionnaireItem:
        key = row.get("reverse_keyed")
        if key is None and row.get("agreement") is not None:
            row["reverse_keyed"] = _polarity(row["agreement"], "agreement", where) == "-"
        elif not isinstance(key, bool) and str(key).lower() in _YES:
            row["reverse_keyed"] = _YES[str(key).lower()]
    return row


def _polarity(given: object, field: str, where: object) -> str:
    if str(given) not in _POLARITY:
        raise DataError(f"{where}: field {field!r}: {given!r} is neither +1 nor -1")
    return _POLARITY[str(given)]
