"""ETHICS (Hendrycks et al. 2021); the table's name says which of its tests it is."""

from collections.abc import Iterator
from typing import Any

from ...core import Dilemma, LabelledText
from ...errors import DataError
from ..formats import Where
from ._fields import OPTIONS, field_of, number_of
from ._layout import Fields, Layout, register


def _text(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    file = str(row.get("file"))
    test = next((test for test in ("virtue", "justice", "deontology") if test in file), "")
    fields = {"id": number_of(where, row), "language": "en"}
    if "util" in file or "baseline" in row:
        raise DataError("the utilitarianism table holds pairs; load it as dilemmas")
    right = str(field_of(row, "label"))
    if right not in ("0", "1"):
        raise DataError(f"field 'label': {right!r} is neither 0 nor 1")
    if "input" in row:  # commonsense: label 1 means wrong
        yield {**fields, "text": row["input"], "value": "commonsense", "aspect": "-" if right == "1" else "+"}
    elif test == "virtue" or "[SEP]" in str(row.get("scenario")):
        text, _, trait = str(field_of(row, "scenario")).partition("[SEP]")
        yield {**fields, "text": text.strip(), "value": trait.strip() or "virtue", "aspect": "+" if right == "1" else "-"}
    else:
        text = " ".join(filter(None, (field_of(row, "scenario"), row.get("excuse"))))
        value = "deontology" if "excuse" in row else test or "justice"
        yield {**fields, "text": text, "value": value, "aspect": "+" if right == "1" else "-"}


def _pair(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    yield {
        "id": number_of(where, row),
        "scenario": "Two people tell of their day.",
        "aligned": field_of(row, "baseline"),
        "violating": field_of(row, "less_pleasant"),
        "value": "utilitarianism",
        "language": "en",
    }


register(
    Layout(
        name="ethics",
        title="ETHICS",
        licence="MIT",
        url="https://github.com/hendrycks/ethics",
        converters={LabelledText: _text, Dilemma: _pair},
        hub="hendrycks/ethics",
        hub_files="data/*/*.csv",
        pattern="*.csv",
        headers={"util": ("baseline", "less_pleasant")},
        leaves_out={LabelledText: ("util",), Dilemma: ("cm_", "commonsense", "virtue", "justice", "deontology")},
        continuation={"en": (OPTIONS + "The more pleasant day:", " {option}")},
    )
)
