"""Rows before they are records: content or fault, with their place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...errors import DataError


class Where(NamedTuple):
    """The place of a row: "answers.jsonl, line 3", or "book.xlsx, 'sheet', row 3" with a part."""

    name: str
    unit: str
    number: int
    part: str = ""

    def __str__(self) -> str:
        part = f"{self.part!r}, " if self.part else ""
        return f"{self.name}, {part}{self.unit} {self.number}"


@dataclass(frozen=True)
class MalformedRow:
    """What stands in a row's place when it cannot be read; `content` is its text as far as that is known."""

    problem: str
    content: str = ""


Row = tuple[Where, Any]  # the content is a mapping, a record, or MalformedRow


def require_names_once(names: Sequence[str], where: object) -> None:
    """Raise `DataError` when a table has two columns of one name: one of them would be lost."""
    for index, name in enumerate(names):
        if name and name in names[:index]:
            raise DataError(f"{where}: column {name!r} stands twice in the header; rename one of them")


def fields_of(names: Sequence[str], cells: Sequence[Any]) -> dict[str, Any] | MalformedRow:
    """The cells of a table's row by their column's name; an empty cell is None, and so are those that the row lacks.

    A cell in a column without a name would be lost, and makes the row bad; but the first column may be numbers without a name, as
    pandas writes its index, and is left out.
    """
    for index, cell in enumerate(cells):
        if cell not in (None, "") and not (index < len(names) and names[index]) and (index or not str(cell).isdecimal()):
            problem = f"cell {index + 1} ({cell!r}) stands in a column without a name"
            if index >= len(names):
                problem = f"more fields than the header's {len(names)}"
            return MalformedRow(problem, "\t".join("" if other is None else str(other) for other in cells))
    padded = [*cells, *[None] * (len(names) - len(cells))]
    return {name: None if cell == "" else cell for name, cell in zip(names, padded, strict=False) if name}
