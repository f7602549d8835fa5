"""Rows to records: all bad rows are reported together or kept apart in a file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from ..core import Record, record_from
from ..errors import DataError, shortened
from ._bad_rows import BadRow, remove_earlier, require_free, writable, write_bad_rows
from ._spelling import Spellings
from .formats import MalformedRow, Row, Where, read_rows

N_LISTED = 20  # bad rows that an error message lists
Convert = Callable[[Any, Where], Iterable[Any]]  # a row's content -> mappings or records; raises DataError


class BadRowsError(DataError):
    """Every bad row of a source, in `rows`; the message lists the first of them."""

    def __init__(self, rows: tuple[BadRow, ...], n_rows: int) -> None:
        self.rows, self.n_rows = rows, n_rows
        summary = f"{len(rows)} of {n_rows} rows cannot be used"
        lines = "\n".join(f"  {shortened(f'{row.where}: {row.problem}', 300)}" for row in rows[:N_LISTED])
        more = f"\n  ... and {len(rows) - N_LISTED} more" if len(rows) > N_LISTED else ""
        advice = (
            "Mend them, or keep the good ones and write the bad to a file with skip_bad=PATH (on the command line: --skip-bad)"
        )
        super().__init__(f"{summary}:\n{lines}{more}\n{advice}")

    @property
    def n_good(self) -> int:
        return self.n_rows - len(self.rows)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self.rows, self.n_rows)


def records_of(
    rows: Iterable[Row], kind: type[Record], *, convert: Convert | None = None, skip_bad: str | Path | None = None
) -> Iterator[Record]:
    """The records of rows, one at a time; at the end, the bad rows.

    convert: what makes mappings of a foreign layout's row. skip_bad: a JSON Lines file that bad rows are written to (place,
    problem, content); without it they raise `BadRowsError`, all at once. An id that comes twice is bad the second time. `DataError`
    where all rows are bad, so that there is nothing to go on with, and for values or languages that differ in letter case only.
    """
    if skip_bad is not None:
        require_free(skip_bad)
    bad_rows: list[BadRow] = []
    first_seen: dict[int, Where] = {}
    spellings = Spellings()
    n_rows = 0
    for where, content in rows:
        n_rows += 1
        try:
            if isinstance(content, MalformedRow):
                raise DataError(f"{where}: {content.problem}")
            for item in [content] if convert is None else _convert_row(convert, content, where):
                record = _record(item, kind, where)
                if (key := hash(record.id)) in first_seen:
                    raise DataError(f"{where}: field 'id': {record.id!r} stands at {first_seen[key]} already")
                first_seen[key] = where
                spellings.add(record, where)
                yield record
        except DataError as error:
            bad_rows.append(BadRow(str(where), str(error).removeprefix(f"{where}: "), _content(content)))
        except (RecursionError, ValueError) as error:  # nested without end, or a number too long to be written
            bad_rows.append(BadRow(str(where), f"cannot be read: {type(error).__name__}: {error}", _content(content)))
    if bad_rows and skip_bad is None:
        raise BadRowsError(tuple(bad_rows), n_rows)
    if skip_bad is not None:
        remove_earlier(skip_bad)
        if bad_rows:
            write_bad_rows(skip_bad, bad_rows)
        if len(bad_rows) == n_rows > 0:
            raise DataError(
                f"none of the {n_rows} rows can be used; they stand in {skip_bad}, the first of them:\n"
                f"  {bad_rows[0].where}: {bad_rows[0].problem}"
            )
    spellings.require_one_each()


def read_jsonl(path: str | Path, kind: type[Record]) -> Iterator[Record]:
    """Records of a file, one at a time. Raises `BadRowsError` at its end with file, line and field of every bad row."""
    return records_of(read_rows(path), kind)


def _convert_row(convert: Convert, content: Any, where: Where) -> list[Any]:
    try:
        return list(convert(content, where))
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    except (
        AttributeError,
        TypeError,
        ValueError,
        LookupError,
        SyntaxError,
        RecursionError,
        MemoryError,
    ) as error:  # what a row of another shape does
        raise DataError(f"{where}: not laid out as expected: {type(error).__name__}: {error}") from None


def _record(item: Any, kind: type[Record], where: Where) -> Record:
    if isinstance(item, kind):
        return item
    if is_dataclass(item):
        raise DataError(f"{where}: is a {type(item).__name__}, not a {kind.__name__}")
    return record_from(item, kind, where)


def column_converter(columns: Mapping[str, str]) -> Convert:
    """A conversion by a column map, our field names to the source's."""

    def convert(content: Any, where: Where) -> list[Any]:
        if not isinstance(content, Mapping):
            return [content]
        missing = [column for column in columns.values() if column not in content]
        if missing:
            raise DataError(f"no column {missing[0]!r}; found {sorted(map(str, content))}")
        other_fields = {name: cell for name, cell in content.items() if name not in columns.values() or name in columns}
        return [{**other_fields, **{field: content[column] for field, column in columns.items()}}]

    return convert


def _content(content: Any) -> Any:
    return content.content if isinstance(content, MalformedRow) else writable(content)
