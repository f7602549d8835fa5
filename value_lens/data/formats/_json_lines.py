"""JSON Lines: one JSON object a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...core import parse_json
from ...errors import DataError
from ._registry import Header, file_format
from ._rows import MalformedRow, Row, Where


@file_format(".jsonl", ".ndjson")
def json_lines_rows(path: Path, header: Header) -> Iterator[Row]:
    """The rows of a JSON Lines file. Raises `DataError` for a file that cannot be opened."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield (
                        Where(str(path), "line", number),
                        _content_of(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line),
                    )
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _content_of(line: bytes) -> Any:
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return MalformedRow("not UTF-8; save the file as UTF-8", repr(line))
    try:
        return parse_json(text)
    except DataError as error:
        return MalformedRow(str(error), text)
