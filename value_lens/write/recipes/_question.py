"""Recipe of situational questions.

After ValueLocate (arXiv 2505.17712). The wording is our own.
"""

from collections.abc import Iterator

from ...core import AnyRecord, SituationalQuestion
from ._recipe import Answer, Recipe, Step, Task, register, source_of, statement_of


def _ask_question(task: Task, earlier: Answer) -> str:
    return (
        f"{statement_of(task)}\n"
        f"question: tell 'you' a situation about {task.topic} in one to three sentences that ends with an open question. People to whom "
        "the value matters and people to whom it does not would answer differently; lean to neither, and offer no options. "
        f"Item {task.number + 1}: choose a situation that others would not think of."
    )


def _question_records(task: Task, answer: Answer) -> Iterator[AnyRecord]:
    yield SituationalQuestion(
        id=task.id, text=answer["question"], value=task.value.name, language=task.language, source=source_of(task)
    )


register(Recipe("question", (Step(_ask_question, ("question",)),), _question_records))
