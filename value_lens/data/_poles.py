"""Packaged descriptions of people at a pole of a higher-order value, and situational questions."""

import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any

from ..core import ASPECTS, LabelledText, SituationalQuestion
from ..systems import schwartz
from ._bank import LANGUAGES, combinations, fill, read_packaged, read_slots, sentence_case
from ._compose import spread, turns

POLES = "bank:poles"
VALUES: tuple[str, ...] = tuple(schwartz.higher_order)


@cache
def _read_value(value: str) -> dict[str, Any]:
    return read_packaged("poles", f"{value}.json")


def descriptions(values: Sequence[str], languages: Sequence[str], per_group: int | None) -> Iterator[LabelledText]:
    """Descriptions of a person to whom the value matters greatly ("+") or little ("-"); equal places share their theme."""
    for value, language, aspect in product(values, languages, ASPECTS):
        for number, text in enumerate(_read_value(value)["poles"][aspect][language][:per_group]):
            yield LabelledText(
                id=f"{value}/{number:02d}/{aspect}/{language}",
                text=text,
                value=value,
                aspect=aspect,
                language=language,
                cluster=f"{value}/{number:02d}",
                source=POLES,
            )


def questions(
    values: Sequence[str], languages: Sequence[str], per_group: int | None, seed: int
) -> Iterator[SituationalQuestion]:
    """Situational questions of each value and language, frames evenly used, the same draws for every language."""
    for value in values:
        rng = random.Random(f"{seed}/{value}/questions")
        queues = []
        for frame in _read_value(value)["questions"]:
            slots = {language: read_slots(frame[language]) for language in LANGUAGES}
            queues.append([(frame, slots, f) for f in spread(combinations(slots[LANGUAGES[0]]), rng)])
        draws = [draw for turn in turns(queues, rng) for draw in turn]
        for frame, slots, filling in draws[:per_group]:
            for language in languages:
                text = sentence_case(fill(frame[language]["question"], slots[language], filling))
                key = f"{frame['id']}/{''.join(map(str, filling))}/{language}"
                yield SituationalQuestion(id=key, text=text, value=value, language=language, source=POLES)
