"""How is a text from outside read? As JSON, strictly: no field twice, no nesting without end, no half of a character pair."""

import json
from collections.abc import Iterable
from typing import Any

from .errors import DataError

DEEPEST = (
    100  # levels of lists and objects in a row or a description; deeper ones are damage, and Python could not go through them
)


def parse_json(text: str, *, deepest: int | None = DEEPEST) -> Any:
    """The content of a JSON text. Raises `DataError` with the reason, which is the caller's to say the place of.

    deepest: levels of nesting that are read, None for as many as Python can.

    >>> parse_json('{"a": [1, null]}')
    {'a': [1, None]}
    """
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text.strip() else ""
        raise DataError(f"not JSON ({error.msg}, {line}column {error.colno})") from None
    except RecursionError:
        raise DataError("not readable as JSON: nested too deeply") from None
    except DataError:
        raise
    except ValueError:  # more digits than Python reads
        raise DataError("not readable as JSON: a number has too many digits") from None
    if deepest is not None and text.count("[") + text.count("{") > deepest:
        require_shallow(content, deepest)
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in fields if names.count(name) > 1)
        raise DataError(f"field {twice!r} stands twice")
    return fields


def require_shallow(content: object, deepest: int = DEEPEST, most: int | None = None) -> None:
    """Raise `DataError` for lists and mappings nested deeper than that, or in themselves, or of more than `most` parts in all."""
    level, n_parts = [content], 0
    for _ in range(deepest + 1):
        inside: list[Any] = []
        for outer in level:
            inside += _inside(outer)
            if most is not None and n_parts + len(inside) > most:
                raise DataError(f"more than {most} parts")
        n_parts += len(inside)
        if not inside:
            return
        level = inside
    raise DataError(f"nested deeper than {deepest} levels")


def _inside(content: object) -> Iterable[Any]:
    if isinstance(content, dict):
        return content.values()
    return content if isinstance(content, (list, tuple)) else ()


def holds_half_pair(text: str) -> bool:
    r"""Whether a text holds half of a surrogate pair: Python and JSON allow it ("\ud83d"), but no file, tokenizer or font does."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
