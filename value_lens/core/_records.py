"""Records: labelled texts, dilemmas, questionnaire items, situational questions, and their groups."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from numbers import Number
from typing import Literal, NamedTuple, TypeVar, get_args

from ..errors import DataError, quoted
from ._json import require_whole_pairs
from ._names import standard

Aspect = Literal["+", "-"]
ASPECTS: tuple[str, ...] = get_args(Aspect)
_NAMES = ("value", "language")


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
            require_str(field.name, getattr(record, field.name))
    for name in names:
        if not getattr(record, name).strip():
            raise DataError(f"field {name!r}: expected a non-empty text, got {getattr(record, name)!r}")
    for name in _NAMES:
        object.__setattr__(record, name, standard(getattr(record, name)))


def require_str(name: str, content: object) -> None:
    """Raise `DataError` for what is no text, or holds half of a surrogate pair."""
    if not isinstance(content, str):
        as_text = "; write it as text, in quotation marks or as a cell of text, so that it stays as it is written"
        raise DataError(
            f"field {name!r}: expected a text, got {quoted(content)}{as_text if isinstance(content, Number) else ''}"
        )
    require_whole_pairs(content, f"field {name!r}:")
