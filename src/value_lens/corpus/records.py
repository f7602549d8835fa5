"""What is a piece of data? A labelled text (to count firing on) and a dilemma (to measure support on)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from ..errors import DataError
from ..store import write_atomically

Aspect = Literal["+", "-"]
ASPECTS: tuple[str, ...] = get_args(Aspect)
_POLARITY = {"1": "+", "+1": "+", "1.0": "+", "-1": "-", "-1.0": "-", "+": "+", "-": "-"}


class Group(NamedTuple):
    """The unit over which activations are counted."""

    value: str
    aspect: str
    language: str

    def __str__(self) -> str:
        return f"{self.value}{self.aspect}{self.language}"


@dataclass(frozen=True)
class LabelledText:
    """A text that shows one aspect of a value. Tokens of `text` are counted; those of `prompt`, which precedes it, are not."""

    id: str
    text: str
    value: str
    aspect: str
    language: str
    prompt: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _require_text(self, ("id", "text", "value", "language"))
        if self.aspect not in ASPECTS:
            raise DataError(f"field 'aspect': {self.aspect!r} is neither '+' (upholds the value) nor '-' (opposes it)")

    @property
    def group(self) -> Group:
        return Group(self.value, self.aspect, self.language)


@dataclass(frozen=True)
class Dilemma:
    """A situation with an aligned and a violating option; `pair_id` joins the same dilemma across languages."""

    id: str
    scenario: str
    aligned: str
    violating: str
    value: str
    language: str
    pair_id: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        _require_text(self, ("id", "scenario", "aligned", "violating", "value", "language"))
        if self.aligned == self.violating:
            raise DataError(f"field 'violating': the same text as 'aligned' ({self.aligned!r})")


Record = TypeVar("Record", LabelledText, Dilemma)


def _require_text(record: object, names: Iterable[str]) -> None:
    for field in fields(record):  # pyright: ignore[reportArgumentType]
        given = getattr(record, field.name)
        if not isinstance(given, str):
            raise DataError(f"field {field.name!r}: expected a text, got {given!r}")
    for name in names:
        if not getattr(record, name).strip():
            raise DataError(f"field {name!r}: expected a non-empty text, got {getattr(record, name)!r}")


def record_from(row: object, kind: type[Record], where: str) -> Record:
    """One record from one mapping; unknown keys are ignored, `polarity` +1/-1 is read as the aspect.

    Raises `DataError` that names `where` (file and line) and the field.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: expected an object with fields, got {type(row).__name__}")
    row = dict(row)
    if kind is LabelledText and "aspect" not in row and "polarity" in row:
        if str(row["polarity"]) not in _POLARITY:
            raise DataError(f"{where}: field 'polarity': {row['polarity']!r} is neither +1 nor -1")
        row["aspect"] = _POLARITY[str(row["polarity"])]
    chosen: dict[str, Any] = {}
    for field in fields(kind):
        if row.get(field.name) is not None:
            chosen[field.name] = row[field.name]
        elif field.default != "":
            hint = " (or 'polarity', +1 or -1)" if field.name == "aspect" else ""
            raise DataError(f"{where}: field {field.name!r}{hint} is missing; found {sorted(map(str, row))}")
    if isinstance(chosen["id"], int):
        chosen["id"] = str(chosen["id"])
    try:
        return kind(**chosen)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def read_rows(path: str | Path) -> Iterator[tuple[str, Any]]:
    """(file and line, content) of every line of a JSONL file; blank lines are skipped.

    Raises `DataError` for a file that does not exist or is not UTF-8, and with file, line and column for a line that is not JSON.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no file {path}")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}, line {number}"
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield where, json.loads(text)
            except UnicodeDecodeError:
                raise DataError(f"{where}: not UTF-8; save the file as UTF-8") from None
            except json.JSONDecodeError as error:
                raise DataError(f"{where}: not JSON ({error.msg}, column {error.colno})") from None


def read_jsonl(path: str | Path, kind: type[Record]) -> Iterator[Record]:
    """Records of a JSONL file, one at a time.

    Raises `DataError` with file, line and field for the first line that is not a record, and for an id that comes twice.
    """
    rows = ((where, record_from(row, kind, where)) for where, row in read_rows(path))
    yield from unique(rows)


def unique(records: Iterable[tuple[str, Record]]) -> Iterator[Record]:
    """The records of (where, record) pairs; raises `DataError` for an id that comes twice."""
    seen: dict[str, str] = {}
    for where, record in records:
        if record.id in seen:
            raise DataError(f"{where}: field 'id': {record.id!r} stands at {seen[record.id]} already")
        seen[record.id] = where
        yield record


def write_jsonl(path: str | Path, records: Iterable[LabelledText | Dilemma]) -> Path:
    """One JSON object a line, every field, in order."""
    lines = (json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in records)
    try:
        content = "".join(lines).encode()
    except UnicodeEncodeError as error:
        raise DataError(f"a record holds half of a character pair and cannot be saved as UTF-8: {error}") from None
    return write_atomically(path, content)
