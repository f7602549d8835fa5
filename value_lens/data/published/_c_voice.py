"""C-Voice, the data of ValueExploration (arXiv 2504.04994), in workbooks or JSON, by the keys of its recipe."""

from collections.abc import Iterator
from typing import Any

from ...core import Dilemma, LabelledText
from ..formats import Where
from ._fields import OPTIONS, field_of, file_name, id_in, language_of, name_in
from ._layout import Fields, Layout, register


def _dilemma(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    fields, support, conflict = _parts(row, where)
    yield {
        **fields,
        "scenario": field_of(row, "scenario", "background", "situation"),
        "aligned": support,
        "violating": conflict,
    }


def _texts(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    fields, support, conflict = _parts(row, where)
    scene = row.get("scenario") or row.get("background") or row.get("situation") or ""
    gap = "" if fields["language"] == "zh" else " "
    for aspect, side, text in (("+", "support", support), ("-", "conflict", conflict)):
        reason = row.get(f"{side}_rationale") or row.get(f"{side}_reason")
        story = gap.join(filter(None, (scene, text, reason)))
        yield {**fields, "id": f"{fields['id']}/{aspect}", "text": story, "aspect": aspect, "cluster": fields["id"]}


def _parts(row: Fields, where: Where) -> tuple[dict[str, Any], str, str]:
    support, conflict = (field_of(row, *names) for names in (("support", "support_choice"), ("conflict", "conflict_choice")))
    value = name_in(row, "value", "sheet", "key") or file_name(row)
    language = row.get("language") or language_of(support)
    return {"id": id_in(row, where, "id"), "value": value, "language": language}, support, conflict


register(
    Layout(
        name="c_voice",
        title="C-Voice (ValueExploration)",
        licence="as its authors state",
        url="https://arxiv.org/abs/2504.04994",
        converters={Dilemma: _dilemma, LabelledText: _texts},
        continuation={"en": (OPTIONS + "What do you do?", " {option}"), "zh": (OPTIONS + "你会怎么做？", "{option}")},
    )
)
