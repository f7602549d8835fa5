"""The file of bad rows, which never replaces a file that this library did not write."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import parse_json, require_sound
from ..errors import OutputError, quoted
from ._writing import write_jsonl

_FIELDS = {"where", "problem", "content"}


@dataclass(frozen=True)
class BadRow:
    """A row that is no record: where it stands, what is wrong (with the field), and its content."""

    where: str
    problem: str
    content: Any


def require_free(path: str | Path) -> None:
    """Raise `OutputError` for a file that no earlier reading wrote: it would be lost."""
    if os.path.lexists(path) and not _holds_bad_rows(path):
        raise OutputError(f"{path} is there already and holds no bad rows of an earlier reading; give skip_bad another name")


def remove_earlier(path: str | Path) -> None:
    """Take away the bad rows of an earlier reading, so that none of two readings stand together. Raises `OutputError`."""
    require_free(path)
    try:
        if os.path.isfile(path) and os.path.getsize(path):
            os.unlink(path)
    except OSError as error:
        raise OutputError(f"cannot replace {path}: {error.strerror or error}; give skip_bad another name") from error


def write_bad_rows(path: str | Path, rows: Sequence[BadRow]) -> None:
    require_free(path)
    write_jsonl(path, [vars(row) for row in rows], ascii_only=True)


def _holds_bad_rows(path: str | Path) -> bool:
    """Whether its first line is a bad row. An empty file is nobody's, and may be written over."""
    try:
        with open(path, "rb") as file:
            line = file.readline()
        content = parse_json(line.decode()) if line else dict.fromkeys(_FIELDS)
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.keys() == _FIELDS


def writable(content: Any) -> Any:
    """What is written of a row's content: what JSON can hold of it, other things as their text."""
    try:
        require_sound(content)
        return json.loads(json.dumps(content, default=str))
    except (TypeError, ValueError, RecursionError):
        return quoted(content)
