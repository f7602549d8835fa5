"""Pandas tables."""

from collections.abc import Iterator
from typing import Any

from ...errors import quoted
from ._rows import MalformedRow, require_names_once


def frame_rows(frame: Any) -> Iterator[dict[str, Any] | MalformedRow]:
    """The rows of a table by column; a cell without a value is None."""
    import pandas

    def plain(cell: Any) -> Any:
        return None if pandas.api.types.is_scalar(cell) and pandas.isna(cell) else cell

    columns = ["" if plain(column) is None else str(column) for column in frame.columns]
    require_names_once(columns, "DataFrame")
    unnamed_columns = [index for index, name in enumerate(columns) if not name]
    for cells in frame.itertuples(index=False, name=None):
        filled = [index for index in unnamed_columns if plain(cells[index]) is not None]
        if filled:
            yield MalformedRow(
                f"cell {filled[0] + 1} ({quoted(cells[filled[0]])}) stands in a column without a name", quoted(cells)
            )
        else:
            yield {name: plain(cell) for name, cell in zip(columns, cells, strict=True) if name}
