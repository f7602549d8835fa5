"""CSV and TSV files; TSV with quotation marks only where the file quotes its fields."""

import csv
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from ...core import holds_half_pair
from ...errors import DataError
from ._registry import Header, file_format
from ._rows import MalformedRow, Row, Where, fields_of, require_names_once

Record = tuple[int, list[str] | MalformedRow]  # the line it begins at, and its fields
MARK = '"'


@file_format(".csv", ".tsv")
def delimited_rows(path: Path, header: Header) -> Iterator[Row]:
    """The rows of a CSV or TSV file under its header (or `header`, where it has none), each with the line it begins at.

    CSV: a field that begins with a quotation mark ends with one, those inside are doubled, and it may hold commas and line breaks
    (RFC 4180); Python, pandas and Excel write so. TSV is written in two ways: by the same rule (pandas, Excel), or plainly, every
    quotation mark a letter and every line a row. A file is taken to quote when all its fields with a mark follow the rule, or when
    some field can only be explained by it: a doubled mark, or a tab or line break where the lines alone are no rows. A field never
    runs over lines that are rows by themselves.

    A row that breaks the rule, or is not UTF-8, comes as `MalformedRow`; reading goes on with the next line. Raises `DataError` for a
    file or a header that cannot be read.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with path.open("rb") as file:
            if b"\0" in (first_line := file.readline(4096)) or first_line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise DataError(f"{path} is not UTF-8 (UTF-16?); save it as UTF-8")
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        quotes = delimiter == "," or _uses_quotes(path, header)
        with _open_text(path) as file:
            records = _quoted_records(file, delimiter, header) if quotes else _plain_records(file)
            names = None if header is None else list(header)
            for number, fields in records:
                where = Where(str(path), "line", number)
                if isinstance(fields, MalformedRow):
                    if names is None:
                        raise DataError(f"{where}, the header: {fields.problem}")
                    yield where, fields
                elif names is None:
                    names = _header(fields, where)
                elif any(map(holds_half_pair, fields)):
                    yield where, MalformedRow("not UTF-8; save the file as UTF-8", delimiter.join(fields))
                elif any("\0" in field for field in fields):
                    yield where, MalformedRow("holds a NUL byte", delimiter.join(fields))
                elif any(fields):
                    yield where, fields_of(names, fields)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _open_text(path: Path) -> IO[str]:
    """Bytes that are not UTF-8 come as halves of character pairs, which no UTF-8 holds: their row is bad, not the file."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _header(fields: Sequence[str], where: Where) -> list[str]:
    names = list(fields)
    if any(map(holds_half_pair, names)):
        raise DataError(f"{where}, the header: not UTF-8; save the file as UTF-8")
    require_names_once(names, where)
    return names


def _plain_records(file: IO[str]) -> Iterator[Record]:
    for number, line in enumerate(file, start=1):
        if text := line.rstrip("\r\n"):
            yield number, text.split("\t")


def _quoted_records(file: IO[str], delimiter: str, header: Sequence[str] | None = None) -> Iterator[Record]:
    """Records by the rule for quotation marks; after one that breaks it, reading goes on with the line after its first."""
    lines = _RewindableLines(file)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    n_columns = 0 if header is None else len(header)
    while True:
        lines.begin()
        problem, fields = "", list[str]()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = "holds a NUL byte" if "\0" in lines.consumed[0] else ""  # Python 3.10 reads none
            problem = (
                problem or f"cannot be read as a row: {error} (is a quotation mark not closed, or not doubled inside a field?)"
            )
        if delimiter == "\t" and not problem and _runs_over_rows(lines.consumed, n_columns):
            problem = "cannot be read as a row: a quotation mark is not closed in its line, and the lines after it are rows"
        if problem:
            first_line = lines.consumed[0].rstrip("\r\n")
            lines.rewind()
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield lines.number, MalformedRow(problem, first_line)
        elif fields:
            n_columns = n_columns or len(fields)
            yield lines.number, fields


def _runs_over_rows(lines: Sequence[str], n_columns: int) -> bool:
    rows = [line.count("\t") == n_columns - 1 for line in lines]
    return n_columns > 1 and len(lines) > 1 and (all(rows) or any(rows[1:-1]))


class _RewindableLines:
    """The lines of a file, of which those taken since `begin` can be gone back over, but for the first."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._pushed_back, self.consumed, self.number = file, deque[str](), list[str](), 1

    def __iter__(self) -> "_RewindableLines":
        return self

    def __next__(self) -> str:
        line = self._pushed_back.popleft() if self._pushed_back else next(self._file)
        self.consumed.append(line)
        return line

    def begin(self) -> None:
        self.number += len(self.consumed)
        self.consumed.clear()

    def rewind(self) -> None:
        self._pushed_back.extendleft(reversed(self.consumed[1:]))
        del self.consumed[1:]


def _uses_quotes(path: Path, header: Sequence[str] | None) -> bool:
    """Whether a TSV file quotes its fields; see `delimited_rows`."""
    n_columns, lines_are_rows, n_unquoted, n_doubled = 0 if header is None else len(header), True, 0, 0
    with _open_text(path) as file:
        for _, fields in _plain_records(file):
            assert isinstance(fields, list)
            n_columns = n_columns or len(fields)
            lines_are_rows &= len(fields) == n_columns
            for field in fields:
                if MARK in field:
                    content = field[1:-1].replace(MARK * 2, "")
                    is_quoted = len(field) > 1 and field[0] == field[-1] == MARK and MARK not in content
                    n_unquoted += not is_quoted
                    n_doubled += is_quoted and len(content) < len(field) - 2
    if not n_unquoted or n_doubled or lines_are_rows:
        return not n_unquoted or n_doubled > 0
    with _open_text(path) as file:
        return any(
            not isinstance(fields, MalformedRow) and any("\t" in field or "\n" in field or "\r" in field for field in fields)
            for _, fields in _quoted_records(file, "\t", header)
        )
