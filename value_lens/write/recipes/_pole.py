"""Recipe of descriptions of people at a pole of a value.

After ValueLocate (arXiv 2505.17712). The wording is our own.
"""

from collections.abc import Iterator

from ...core import AnyRecord, LabelledText
from ._recipe import Answer, Recipe, Step, Task, register, source_of, statement_of


def _ask_pole(task: Task, earlier: Answer) -> str:
    stance = {
        "+": "to whom this matters greatly",
        "-": "to whom this matters little, and who leans the other way",
    }[task.aspect]
    return (
        f"{statement_of(task)}\n"
        f"description: describe, to 'you', in one or two sentences, a likeable person {stance}, by what they do in one facet of "
        f"life: {task.topic}. Item {task.number + 1}: choose details that others would not think of. Neither praise nor blame."
    )


def _pole_records(task: Task, answer: Answer) -> Iterator[AnyRecord]:
    yield LabelledText(
        id=task.id,
        text=answer["description"],
        value=task.value.name,
        aspect=task.aspect,
        language=task.language,
        source=source_of(task),
    )


register(Recipe("pole", (Step(_ask_pole, ("description",)),), _pole_records, ("+", "-")))
