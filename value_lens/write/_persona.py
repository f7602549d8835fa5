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
    """A question to a model, with the labels that its answer will carry.

    Args:
        id: The answer's id.
        system: An instruction; "" for none.
        user: The request.
        value: The value that the answer shows.
        aspect: The pole that the answer shows, "+" or "-".
        language: The language of the answer.
        cluster: What joins prompts that are no independent evidence, such as the id of the question that both poles are asked.
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

    Args:
        descriptions: Texts of both aspects that describe a person; each value's are used evenly, in an order drawn by the seed.
        questions: The questions.
        persona: By language, the instruction with a {description} in it.
        seed: Seed of the order.

    Returns:
        For every question, the prompt under the upholding pole and that under the opposing one.

    Raises:
        DataError: A question whose value has no descriptions of both poles in its language, a description that stands at both poles,
            or a persona without {description} or with other braces.

    Source:
        ValueLocate (arXiv 2505.17712), whose questions are answered under descriptions of either pole.
    """
    for language, wording in persona.items():
        if not template_fields(wording, ("description",), f"the persona for {language!r}"):
            raise DataError(f"the persona for {language!r} needs {{description}}: {wording!r}")
    decks: dict[tuple[str, str, str], list[str]] = {}
    for description in descriptions:
        decks.setdefault((description.value, description.aspect, description.language), []).append(description.text)
    _require_contrast(decks)
    for key, deck in decks.items():
        random.Random(f"{seed}/{key}").shuffle(deck)
    n_dealt = dict.fromkeys(decks, 0)
    prompts: list[Prompt] = []
    for question in questions:
        for aspect in "+-":
            key = (question.value, aspect, question.language)
            if key not in decks:
                raise DataError(
                    f"question {question.id!r} needs descriptions of {question.value}{aspect} in {question.language!r}"
                )
            wording = in_language(persona, question.language)
            if wording is None:
                raise DataError(f"question {question.id!r} needs a persona for {question.language!r}; known: {sorted(persona)}")
            person = decks[key][n_dealt[key] % len(decks[key])]
            n_dealt[key] += 1
            prompts.append(
                Prompt(
                    id=f"{question.id}/{aspect}",
                    system=wording.format(description=person),
                    user=question.text,
                    value=question.value,
                    aspect=aspect,
                    language=question.language,
                    cluster=question.id,
                )
            )
    return prompts


def _require_contrast(decks: Mapping[tuple[str, str, str], Sequence[str]]) -> None:
    for (value, aspect, language), deck in decks.items():
        if aspect == "+" and (common := sorted({*deck}.intersection(decks.get((value, "-", language), ())))):
            raise DataError(
                f"the description {common[0]!r} stands at both poles of {value!r} in {language!r} ({len(common)} such): a question "
                "asked under it has no contrast; leave it out at one of them"
            )
