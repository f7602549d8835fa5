"""Values that are named outright in their texts."""

import re
from collections.abc import Mapping, Sequence
from statistics import fmean

from ..core import LabelledText, Value
from ._origins import by_value_of


def named_value_shares(texts: Sequence[LabelledText], known_values: Mapping[str, Value], language: str) -> dict[str, float]:
    """By value, the share of its texts that name it.

    known_values: values with the words that name them; a value that is not among them is looked for by its own name.
    """
    return {
        value: fmean(_names_value(text.text, known_values.get(value), value, language) for text in members)
        for value, members in by_value_of(texts).items()
    }


def _names_value(text: str, value: Value | None, name: str, language: str) -> bool:
    if value is not None:
        return value.is_named_in(text, language)
    plain = re.sub(r"[\W_]+", " ", name).strip().lower()
    return bool(re.search(r"\b" + re.escape(plain), text.lower()))
