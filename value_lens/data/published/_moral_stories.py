"""Moral Stories (Emelin et al. 2021): one norm, two actions."""

from collections.abc import Iterator
from typing import Any

from ...core import Dilemma, LabelledText
from ..formats import Where
from ._fields import OPTIONS, field_of, id_in
from ._layout import Fields, Layout, register


def _dilemma(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    scene = f"{field_of(row, 'situation')} {field_of(row, 'intention')}"
    yield {
        "id": id_in(row, where, "ID", "guid"),
        "scenario": scene,
        "aligned": field_of(row, "moral_action"),
        "violating": field_of(row, "immoral_action"),
        "value": "moral_norm",
        "language": "en",
    }


def _texts(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    (dilemma,) = _dilemma(row, where)
    for aspect, action, end in (("+", "aligned", "moral_consequence"), ("-", "violating", "immoral_consequence")):
        yield {
            "id": f"{dilemma['id']}/{aspect}",
            "text": " ".join(filter(None, (dilemma["scenario"], dilemma[action], row.get(end)))),
            "value": dilemma["value"],
            "aspect": aspect,
            "language": "en",
            "cluster": dilemma["id"],
        }


register(
    Layout(
        name="moral_stories",
        title="Moral Stories",
        licence="MIT",
        url="https://github.com/demelin/moral_stories",
        converters={Dilemma: _dilemma, LabelledText: _texts},
        hub="LabHC/moral_stories",
        pattern="moral_stories*.jsonl",
        continuation={"en": (OPTIONS + "What happens next:", " {option}")},
    )
)
