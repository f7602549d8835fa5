"""Prompts under a persona: every question under a description of either pole of its value."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core import LabelledText, SituationalQuestion
from ..errors import DataError
from ..measure import in_language, template_fields

PERSONA: Mapping[str, str] = {
    "en": "This is you: {description} Answer as yourself, in one or two sentences, and say why.",
    "zh": "下面说的就是你：{description}请以这个身份用一两句话回答，并说明原因。",
}


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What a model is asked: an instruction ("" for none) and a request, with the labels its answer will carry.

    cluster: what joins prompts that are no independent evidence, such as the id of the question that both poles are asked.
    """

    id: str
    system: str
    user: str
    value: str
    aspect: str
    language: str
    cluster: str = ""


def under_poles(
    descriptions: Sequence[LabelledText],
    questions: Sequence[SituationalQuestion],
    *,
    persona: Mapping[str, str] = PERSONA,
    seed: int = 0,
) -> list[Prompt]:
    """Every question twice, under a description of each pole of its value, in its language.

    Descriptions are dealt out evenly, in an order drawn by the seed. persona: by language, the instruction with a {description} in it.
    Raises `DataError` for a question whose value has no descriptions of both poles in its language, for a description that stands at
    both poles, and for a persona without {description} or with other braces.
    """
    for language, wording in persona.items():
        if not template_fields(wording, ("description",), f"the persona for {language!r}"):
            raise DataError(f"the persona for {language!r} needs {{description}}: {wording!r}")
    decks: dict[tuple[str, str, str], list[str]] = {}
    for described in descriptions:
        decks.setdefault((described.value, described.aspect, described.language), []).append(described.text)
    _require_contrast(decks)
    for key, deck in decks.items():
        random.Random(f"{seed}/{key}").shuffle(deck)
    dealt = dict.fromkeys(decks, 0)
    made: list[Prompt] = []
    for question in questions:
        for aspect in "+-":
            key = (question.value, aspect, question.language)
            if key not in decks:
                raise DataError(
                    f"question {question.id!r} needs descriptions of {question.value}{aspect} in {question.language!r}"
                )
            wording = in_language(persona, question.language)
            if wording is None:
                raise DataError(f"question {question.id!r} needs a persona for {question.language!r}; given: {sorted(persona)}")
            description = decks[key][dealt[key] % len(decks[key])]
            dealt[key] += 1
            made.append(
                Prompt(
                    id=f"{question.id}/{aspect}",
                    system=wording.format(description=description),
                    user=question.text,
                    value=question.value,
                    aspect=aspect,
                    language=question.language,
                    cluster=question.id,
                )
            )
    return made


def _require_contrast(decks: Mapping[tuple[str, str, str], Sequence[str]]) -> None:
    for (value, aspect, language), deck in decks.items():
        if aspect == "+" and (shared := sorted({*deck}.intersection(decks.get((value, "-", language), ())))):
            raise DataError(
                f"the description {shared[0]!r} stands at both poles of {value!r} in {language!r} ({len(shared)} such): a question "
                "asked under it has no contrast; leave it out at one of them"
            )
