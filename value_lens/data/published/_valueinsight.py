"""ValueInsight, the data of ValueLocate (arXiv 2505.17712), in workbooks or JSON, by the keys of its recipe."""

from collections.abc import Iterator
from typing import Any

from ...core import LabelledText
from ...errors import DataError
from ..formats import Where
from ._fields import field_of, id_in, language_of, name_in
from ._layout import Fields, Layout, register

_OPPOSED = ("non_", "non-", "anti_", "anti-", "low_", "low ", "not_", "not ", "-")


def _description(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    """The pole stands under "pole", or is the key of its list: a value's name, or the name after "non-", "low" or "-"."""
    name = (name_in(row, "value", "key", "sheet") or str(field_of(row, "pole"))).strip()
    pole = str(row.get("pole") or "").strip()
    prefix = next((mark for mark in _OPPOSED if name.lower().startswith(mark)), "")
    if pole.lower() in ("+", "1", "positive", "high", "support"):
        aspect = "+"
    elif prefix or pole.lower() in ("-", "-1", "negative", "low", "conflict", "oppose"):
        aspect = "-"
    elif pole and pole.lower() != name.lower():
        raise DataError(f"field 'pole': {pole!r} is neither positive nor negative")
    else:
        aspect = "+"
    value = name[len(prefix) :].strip(" _-").lower().replace(" ", "_").replace("-", "_")
    text = field_of(row, "description", "text", "response")
    language = row.get("language") or language_of(text)
    fields = {
        "id": id_in(row, where, "id"),
        "text": text,
        "value": value,
        "aspect": aspect,
        "language": language,
    }
    yield {**fields, "prompt": row.get("prompt") or row.get("question") or ""}


register(
    Layout(
        name="valueinsight",
        title="ValueInsight (ValueLocate)",
        licence="as its authors state",
        url="https://arxiv.org/abs/2505.17712",
        converters={LabelledText: _description},
    )
)
