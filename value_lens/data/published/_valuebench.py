"""ValueBench (Ren et al. 2024): questionnaire items, agreement with which is for (1) or against (-1) the value."""

from collections.abc import Iterator
from typing import Any

from ...core import LabelledText, QuestionnaireItem
from ..formats import Where
from ._fields import field_of, number_of
from ._layout import Fields, Layout, register


def _item(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    fields = {"id": number_of(where, row), "text": field_of(row, "item"), "value": field_of(row, "value"), "language": "en"}
    yield {**fields, "agreement": field_of(row, "agreement"), "polarity": field_of(row, "agreement")}


register(
    Layout(
        name="valuebench",
        title="ValueBench",
        licence="MIT (repository); items remain their authors'",
        url="https://github.com/Value4AI/ValueBench",
        converters={LabelledText: _item, QuestionnaireItem: _item},
        pattern="value_orientation*.csv",
    )
)
