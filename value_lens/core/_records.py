"""Records: labelled texts, dilemmas, questionnaire items, situational questions, and their groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Number
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from ..errors import DataError, quoted
from ._json import require_whole_pairs
from ._names import folded, standard

Aspect = Literal["+", "-"]
ASPECTS: tuple[str, ...] = get_args(Aspect)
_POLARITY = {"1": "+", "+1": "+", "1.0": "+", "-1": "-", "-1.0": "-", "+": "+", "-": "-"}
_SYNONYMS = {"LabelledText": ("polarity", "response"), "QuestionnaireItem": ("agreement",)}
_NAMES = ("value", "language")
_YES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Group(NamedTuple):
    """The unit over which activations are counted.

    Args:
        value: The value's name.
        aspect: "+" where texts uphold it, "-" where they oppose it.
        language: A language code, such as "en".
    """

    value: str
    aspect: str
    language: str

    def __str__(self) -> str:
        return f"{self.value}{self.aspect}{self.language}"


@dataclass(frozen=True, kw_only=True)
class LabelledText:
    """A text that shows one aspect of a value. Tokens of `text` are counted; those of `prompt`, which precedes it, are not.

    A model's answer is stored as `prompt` (its question) and `text` (its response); `response` is the same as `text`. In every
    record, the names of value and language stand without outer white space and in letters of plain width.

    Args:
        id: A text of its own for each record of a corpus.
        text: What is counted.
        value: The name of the value it shows.
        aspect: "+" where it upholds the value, "-" where it opposes it.
        language: A language code, such as "en".
        prompt: What precedes the text in the model's context.
        cluster: Joins texts that are no independent evidence, such as fillings of one frame.
        source: Where the text comes from.

    Raises:
        DataError: A field is no text, or empty where that has no meaning, or the aspect is another.
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
            raise DataError(f"field 'aspect': {quoted(self.aspect)} is neither '+' (upholds the value) nor '-' (opposes it)")

    @property
    def group(self) -> Group:
        return Group(self.value, self.aspect, self.language)

    @property
    def response(self) -> str:
        return self.text

    @property
    def unit(self) -> str:
        """What counts as one piece of evidence: its cluster, else itself."""
        return self.cluster or self.id


@dataclass(frozen=True, kw_only=True)
class Dilemma:
    """A situation with an aligned and a violating option.

    Args:
        id: A text of its own for each record of a corpus.
        scenario: The situation, without the options.
        aligned: The option that upholds the value.
        violating: The option that opposes it.
        value: The name of the value.
        language: A language code, such as "en".
        pair_id: Joins the same dilemma across languages.
        cluster: Joins dilemmas that are no independent evidence, such as fillings of one frame: intervals and p-values go by clusters.
        source: Where the dilemma comes from.

    Raises:
        DataError: A field is no text, or empty where that has no meaning, or both options are the same text.
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
    """A statement to agree or disagree with.

    Args:
        id: A text of its own for each record of a corpus.
        text: The statement.
        value: The name of the value.
        language: A language code, such as "en".
        reverse_keyed: Whether agreeing speaks against the value.
        source: Where the item comes from.

    Raises:
        DataError: A field is no text, or empty where that has no meaning, or `reverse_keyed` is no bool.
    """

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
    """An open question about a situation that people who hold different values answer differently.

    Args:
        id: A text of its own for each record of a corpus.
        text: The question.
        value: The name of the value.
        language: A language code, such as "en".
        source: Where the question comes from.

    Raises:
        DataError: A field is no text, or empty where that has no meaning.
    """

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
    """Refuse what is no text, or empty where that has no meaning; write names in their standard form."""
    for field in fields(record):  # pyright: ignore[reportArgumentType]
        if field.type is str:
            _require_str(field.name, getattr(record, field.name))
    for name in names:
        if not getattr(record, name).strip():
            raise DataError(f"field {name!r}: expected a non-empty text, got {getattr(record, name)!r}")
    for name in _NAMES:
        object.__setattr__(record, name, standard(getattr(record, name)))


def _require_str(name: str, given: object) -> None:
    if not isinstance(given, str):
        as_text = "; write it as text, in quotation marks or as a cell of text, so that it stays as it is written"
        raise DataError(f"field {name!r}: expected a text, got {quoted(given)}{as_text if isinstance(given, Number) else ''}")
    require_whole_pairs(given, f"field {name!r}:")


def id_of(given: object, name: str = "id") -> str:
    """An id as it was written: a text, or the digits of a whole number (numpy's, too).

    Raises `DataError` for anything else: what was read as true, 7.0 or a date may have been written in several ways.
    """
    if isinstance(given, Integral) and not isinstance(given, bool):
        return str(int(given))
    if not isinstance(given, str):
        _require_str(name, given)
    return str(given)


def record_from(row: object, kind: type[Record], where: object) -> Record:
    """One record from one mapping; unknown keys are ignored.

    `polarity` +1/-1 is read as the aspect, `response` as the text, and `agreement` +1/-1 of a questionnaire as its key. An id may be
    a whole number; every other field but `reverse_keyed` is text and stays as it is written. Raises `DataError` that names `where`
    (file and line) and the field, for a field whose name differs from one of ours in case or width only, too.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: expected an object with fields, got {type(row).__name__}")
    try:
        _require_own_names(row, kind)
        row = _put_right(_with_synonyms(dict(row), kind), kind)
        chosen: dict[str, Any] = {}
        for field in fields(kind):
            if row.get(field.name) is not None:
                chosen[field.name] = row[field.name]
                if field.type is str and field.name != "id":
                    _require_str(field.name, row[field.name])
            elif field.default not in ("", False):
                hint = " (or 'polarity', +1 or -1)" if field.name == "aspect" else ""
                lacks = "empty (null)" if field.name in row else "missing"
                raise DataError(f"field {field.name!r}{hint} is {lacks}; found {sorted(map(str, row))}")
        return kind(**{**chosen, "id": id_of(chosen["id"])})
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def _require_own_names(row: Mapping[Any, Any], kind: type) -> None:
    """A field in other letters would be passed over in silence."""
    own = {field.name for field in fields(kind)} | set(_SYNONYMS.get(kind.__name__, ()))
    for name in row:
        if name not in own and isinstance(name, str) and folded(name) in own:
            raise DataError(
                f"field {name!r} differs from {folded(name)!r} only in case, width or outer white space; rename it, or map it with "
                f"columns={{{folded(name)!r}: {name!r}}}"
            )


def _put_right(row: dict[str, Any], kind: type) -> dict[str, Any]:
    """Generated dilemmas were once written with their source in the place of their cluster."""
    if kind is Dilemma and not row.get("source") and str(row.get("cluster") or "").startswith("generated:"):
        row["source"], row["cluster"] = row["cluster"], ""
    return row


def _with_synonyms(row: dict[str, Any], kind: type) -> dict[str, Any]:
    if kind is LabelledText:
        if row.get("aspect") is None and "polarity" in row:
            row["aspect"] = _polarity(row["polarity"], "polarity")
        elif isinstance(row.get("aspect"), str):
            row["aspect"] = standard(row["aspect"])
        if row.get("text") is None and row.get("response") is not None:
            row["text"] = row["response"]
    if kind is QuestionnaireItem:
        key = row.get("reverse_keyed")
        if key is None and row.get("agreement") is not None:
            row["reverse_keyed"] = _polarity(row["agreement"], "agreement") == "-"
        elif not isinstance(key, bool) and str(key).lower() in _YES:
            row["reverse_keyed"] = _YES[str(key).lower()]
    return row


def _polarity(given: object, field: str) -> str:
    if standard(str(given)) not in _POLARITY:
        raise DataError(f"field {field!r}: {quoted(given)} is neither +1 nor -1")
    return _POLARITY[standard(str(given))]
