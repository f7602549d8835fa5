"""JSON files: a list of objects, an object of lists, or one object."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...core import RepeatedField, parse_json, require_sound
from ...errors import DataError, quoted
from ._registry import Header, file_format
from ._rows import MalformedRow, Row, Where


@file_format(".json")
def json_rows(path: Path, header: Header) -> Iterator[Row]:
    """Items of a list; of an object of lists, the items with the key under "key"; else the object itself."""
    try:
        content = parse_json(path.read_bytes().decode("utf-8-sig"), deepest=None, repeated=True)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # not UTF-8, or no JSON
        raise DataError(f"{path} is not JSON in UTF-8: {error}; for one object a line, end the name in .jsonl") from None
    if isinstance(content, dict) and content and all(isinstance(part, list) for part in content.values()):
        if isinstance(content, RepeatedField):
            raise DataError(f"{path}: {content.problem}")
        for key, items in content.items():
            for number, item in enumerate(items, start=1):
                row = {"key": key, **item} if isinstance(item, dict) else {"key": key, "text": item}
                yield Where(str(path), "item", number, key), _malformed_row(item) or row
        return
    for number, item in enumerate(content if isinstance(content, list) else [content], start=1):
        yield Where(str(path), "item", number), _malformed_row(item) or item


def _malformed_row(item: Any) -> MalformedRow | None:
    """Why an item of a JSON file cannot be used: nested without end, or a field twice somewhere in it."""
    try:
        require_sound(item)
    except DataError as error:
        return MalformedRow(str(error), quoted(item))
    return None
