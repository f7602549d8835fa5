"""Strict JSON parsing: no repeated field, no endless nesting, no half of a surrogate pair."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..errors import DataError, quoted

DEEPEST = (
    100  # levels of lists and objects in a row or a description; deeper ones are damage, and Python could not go through them
)


class RepeatedField(dict[str, Any]):
    """A JSON object in which a field stands twice; refused once the place of its row is known. `problem` names the field."""

    problem = ""


def parse_json(text: str, *, deepest: int | None = DEEPEST, repeated: bool = False) -> Any:
    """The content of a JSON text. Raises `DataError` with the reason, which is the caller's to say the place of.

    deepest: levels of nesting that are read, None for as many as Python can. repeated: give an object with a field that stands twice
    as a `RepeatedField`, for `require_sound` to refuse.

    >>> parse_json('{"a": [1, null]}')
    {'a': [1, None]}
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) == len(pairs):
            return fields
        repeated_fields, names = RepeatedField(fields), Counter(name for name, _ in pairs)
        repeated_fields.problem = f"field {names.most_common(1)[0][0]!r} stands twice"
        if not repeated:
            raise DataError(repeated_fields.problem)
        return repeated_fields

    try:
        content = json.loads(text, object_pairs_hook=once)
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
        require_sound(content, deepest)
    return content


def require_sound(content: object, deepest: int = DEEPEST, most: int | None = None) -> None:
    """Raise `DataError` for lists and objects nested deeper than that or in themselves, of more than `most` parts in all, or with a
    field that stands twice.
    """
    level, n_parts = [content], 0
    for _ in range(deepest + 1):
        inside: list[Any] = []
        for outer in level:
            inside += _parts(outer)
            if most is not None and n_parts + len(inside) > most:
                raise DataError(f"more than {most} parts")
        n_parts += len(inside)
        if not inside:
            return
        level = inside
    raise DataError(f"nested deeper than {deepest} levels")


def _parts(content: object) -> Iterable[Any]:
    if isinstance(content, RepeatedField):
        raise DataError(content.problem)
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


def require_whole_pairs(text: str, what: str) -> None:
    """Raise `DataError` for a text with half of a surrogate pair; `what` says what it is, such as "field 'text':"."""
    if holds_half_pair(text):
        raise DataError(f"{what} {quoted(text)} holds half of a character pair (a broken emoji?), which no model can read")
