"""Recipe of conflict dilemmas, each with two stories.

After ValueExploration (arXiv 2504.04994): a conflict topic, its background, two choices, then a rationale for the aligned choice (and,
for balance, one for the other). The wording is our own.
"""

from collections.abc import Iterator

from ...core import AnyRecord, Dilemma, LabelledText
from ._recipe import Answer, Recipe, Step, Task, register, source_of, statement_of


def _ask_dilemma(task: Task, earlier: Answer) -> str:
    return (
        f"{statement_of(task)}\n"
        f"Area of life: {task.topic}. Item {task.number + 1}: choose a situation that others would not think of.\n"
        "Work in this order. topic: a conflict, in a few words, between this value and an ordinary, respectable motive. "
        "background: the situation, told to 'you' in two to four sentences, with people, a place and what is at stake, ending "
        "before the decision. aligned: what you do if the value decides, as a short verb phrase. violating: what you do if the "
        "other motive decides, as long and as attractive as the first."
    )


def _ask_rationales(task: Task, earlier: Answer) -> str:
    return (
        f"Situation: {earlier['background']}\nFirst choice: {earlier['aligned']}\nSecond choice: {earlier['violating']}\n"
        "aligned_rationale: in one sentence, the reason somebody gives for the first choice. violating_rationale: in one sentence of "
        "like length, an honest reason for the second."
    )


def _dilemma_records(task: Task, answer: Answer) -> Iterator[AnyRecord]:
    """The dilemma and its two stories: one piece of evidence, with those of the same number in other languages."""
    pair = f"{task.recipe}/{task.value.name}/{task.number:05d}"
    yield Dilemma(
        id=task.id,
        scenario=answer["background"],
        aligned=answer["aligned"],
        violating=answer["violating"],
        value=task.value.name,
        language=task.language,
        pair_id=pair,
        source=source_of(task),
    )
    for aspect, choice in (("+", "aligned"), ("-", "violating")):
        text = _story(task.language, answer["background"], answer[choice], answer[f"{choice}_rationale"])
        yield LabelledText(
            id=f"{task.id}/{aspect}",
            text=text,
            value=task.value.name,
            aspect=aspect,
            language=task.language,
            cluster=pair,
            source=source_of(task),
        )


def _story(language: str, background: str, choice: str, rationale: str) -> str:
    parts = [part.strip() for part in (background, choice, rationale)]
    if language == "zh":
        return "".join(part if part[-1:] in "。！？”" else f"{part}。" for part in parts)
    return " ".join(part if part[-1:] in '.!?"' else f"{part}." for part in (p[:1].upper() + p[1:] for p in parts))


register(
    Recipe(
        "dilemma",
        (
            Step(_ask_dilemma, ("topic", "background", "aligned", "violating")),
            Step(_ask_rationales, ("aligned_rationale", "violating_rationale")),
        ),
        _dilemma_records,
    )
)
