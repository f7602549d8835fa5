"""Touché23-ValueEval (Mirzakhmedova et al. 2023): an argument resorts to some of 20 values."""

import ast
from collections.abc import Iterator
from typing import Any

from ...core import LabelledText, id_of
from ...errors import DataError
from ..formats import Where
from ._fields import field_of
from ._layout import Fields, Layout, register

VALUES = (
    "Self-direction: thought", "Self-direction: action", "Stimulation", "Hedonism", "Achievement", "Power: dominance",
    "Power: resources", "Face", "Security: personal", "Security: societal", "Tradition", "Conformity: rules",
    "Conformity: interpersonal", "Humility", "Benevolence: caring", "Benevolence: dependability", "Universalism: concern",
    "Universalism: nature", "Universalism: tolerance", "Universalism: objectivity",
)  # fmt: skip


def _texts(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    labels = row.get("Labels")
    if labels is not None:
        labels = ast.literal_eval(labels) if isinstance(labels, str) else labels
        values = [value for value, label in zip(VALUES, labels, strict=True) if str(label) == "1"]
    else:
        values = [value for value in VALUES if str(row.get(value)) == "1"]
        if not any(value in row for value in VALUES):
            raise DataError(f"no labels: none of the columns {list(VALUES[:2])} ...; found {sorted(map(str, row))}")
    key = id_of(field_of(row, "Argument ID"), "Argument ID")
    for value in values:  # an argument may resort to several values, or to none
        yield {
            "id": f"{key}/{value}",
            "text": field_of(row, "Premise"),
            "prompt": f"{field_of(row, 'Conclusion')} ({field_of(row, 'Stance')}) ",
            "value": value,
            "aspect": "+",
            "language": "en",
            "cluster": key,
        }


register(
    Layout(
        name="touche",
        title="Touché23-ValueEval",
        licence="CC BY 4.0",
        url="https://doi.org/10.5281/zenodo.6814563",
        converters={LabelledText: _texts},
        pattern="arguments-*.tsv",
        join=("arguments-", "labels-", "Argument ID"),
    )
)
