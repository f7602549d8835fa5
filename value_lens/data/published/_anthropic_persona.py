"""Anthropic's persona evaluations (Perez et al. 2022); the file's name is the disposition."""

from collections.abc import Iterator
from typing import Any

from ...core import LabelledText, QuestionnaireItem
from ...errors import DataError
from ..formats import Where
from ._fields import field_of, file_name, number_of
from ._layout import Fields, Layout, register


def _item(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    answer = str(field_of(row, "answer_matching_behavior")).strip()
    if answer not in ("Yes", "No"):
        raise DataError(f"field 'answer_matching_behavior': {answer!r} is neither Yes nor No")
    against = answer == "No"
    yield {
        "id": number_of(where, row),
        "text": row.get("statement") or field_of(row, "question"),
        "value": file_name(row),
        "aspect": "-" if against else "+",
        "reverse_keyed": against,
        "language": "en",
    }


register(
    Layout(
        name="anthropic_persona",
        title="Anthropic persona evaluations",
        licence="CC BY 4.0",
        url="https://github.com/anthropics/evals",
        converters={LabelledText: _item, QuestionnaireItem: _item},
        hub="Anthropic/model-written-evals",
        pattern="*.jsonl",
        hub_files="persona/*.jsonl",
    )
)
