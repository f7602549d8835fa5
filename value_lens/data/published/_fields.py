"""Fields of a published data set's rows: ids, names, languages."""

from pathlib import Path
from typing import Any

from ...core import id_of
from ...errors import DataError
from ..formats import Where
from ._layout import Fields

OPTIONS = "{scenario}\nA. {first}\nB. {second}\n"  # the beginning of a wording, for options that are whole clauses


def field_of(row: Fields, *names: str) -> Any:
    """The first of several names that the row has. Raises `DataError` with those found."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise DataError(f"field {names[0]!r} is missing; found {sorted(map(str, row))}")


def id_in(row: Fields, where: Where, *names: str) -> str:
    """The row's id, as it is written, under the first of several names that it has; else its number."""
    for name in names:
        if row.get(name) is not None:
            return id_of(row[name], name)
    return number_of(where, row)


def name_in(row: Fields, *names: str) -> str:
    """A name as it is written, under the first of several names that the row has; "" without one. Raises `DataError` for no text."""
    for name in names:
        if row.get(name) is not None:
            if not isinstance(row[name], str):
                raise DataError(f"field {name!r}: expected a text, got {row[name]!r}")
            return row[name]
    return ""


def number_of(where: Where, row: Fields) -> str:
    """An id for rows that have none: file, part, and number."""
    parts = (str(row.get("file") or Path(where.name).stem), where.part, str(where.number))
    return "-".join(part for part in parts if part)


def language_of(text: object) -> str:
    """Chinese where there is a Chinese character, else English: the two languages of the papers' data."""
    return "zh" if any("\u4e00" <= letter <= "\u9fff" for letter in str(text)) else "en"


def file_name(row: Fields) -> str:
    """The name of the file in which the row stands, without folder and ending."""
    return str(row.get("file") or "persona").rpartition("/")[2]
