"""Value Portrait (Han et al. 2025): responses with their correlation with the raters' values."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...core import LabelledText, id_of
from ..formats import Where
from ._fields import field_of
from ._layout import Fields, Layout, register

BAR = 0.3  # the least correlation that counts, as in the paper


def _texts(row: Fields, where: Where) -> Iterator[dict[str, Any]]:
    question = field_of(row, "content")
    parts = [question.get("title"), question.get("text")] if isinstance(question, Mapping) else [question]
    prompt = "\n\n".join(part.strip() for part in parts if part)
    question_id = id_of(row.get("portrait_id", where.number), "portrait_id")
    for number, output in enumerate(field_of(row, "outputs"), start=1):
        for value, r in field_of(output, "correlations"):
            if abs(r) >= BAR:
                name, output_id = str(value).lower(), id_of(output.get("id", number), "id")
                yield {
                    "id": f"{question_id}/{output_id}/{name}",
                    "prompt": prompt + "\n\n",
                    "text": field_of(output, "content"),
                    "value": name,
                    "aspect": "+" if r > 0 else "-",
                    "language": "en",
                    "cluster": question_id,
                }


register(
    Layout(
        name="value_portrait",
        title="Value Portrait",
        licence="MIT",
        url="https://github.com/holi-lab/ValuePortrait",
        converters={LabelledText: _texts},
        pattern="query-response-tagged*.json",
    )
)
