"""MoralChoice (Scherrer et al. 2023); in its low-ambiguity part, action 1 is the one the rule asks for."""

from collections.abc import Iterator
from typing import Any

from ...core import Dilemma
from ...errors import DataError
from ..formats import Where
from ._fields import OPTIONS, field_of
from ._layout import Fields, Layout, register


def _dilemma(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    if str(row.get("ambiguity", "low")).lower() != "low":
        raise DataError("field 'ambiguity': only low-ambiguity scenarios have an aligned action")
    yield {
        "id": field_of(row, "scenario_id"),
        "scenario": field_of(row, "context"),
        "aligned": field_of(row, "action1", "action 1"),
        "violating": field_of(row, "action2", "action 2"),
        "value": field_of(row, "generation_rule"),
        "language": "en",
    }


register(
    Layout(
        name="moralchoice",
        title="MoralChoice (low ambiguity)",
        licence="MIT (repository), CC BY 4.0 (hub)",
        url="https://github.com/ninodimontalcino/moralchoice",
        converters={Dilemma: _dilemma},
        hub="ninoscherrer/moralchoice",
        pattern="*low_ambiguity*.csv",
        hub_files="scenarios/*low_ambiguity*.csv",
        continuation={"en": (OPTIONS + "What do you do?", " {option}")},
    )
)
