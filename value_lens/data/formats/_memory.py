"""Tables, `datasets` objects and lists in memory."""

from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import DataError
from ._frame import frame_rows
from ._rows import Row, Where


def rows_of(items: Any) -> Iterator[Row]:
    """The rows of a pandas table, a `datasets` object, or any iterable of records or mappings."""
    name = type(items).__name__
    if name == "DataFrame":
        items = frame_rows(items)
    elif not isinstance(items, Iterable):
        raise DataError(
            f"a {name} is not a valid source of rows; give a path, a name, a table, or a list of records or mappings"
        )
    for number, row in enumerate(items, start=1):
        yield Where(name, "row", number), row
