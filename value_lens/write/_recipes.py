"""The papers' recipes for corpora: steps with checked JSON answers.

Conflict dilemmas follow ValueExploration (arXiv 2504.04994): a conflict topic, its background, two choices, then a rationale for the
aligned choice (and, for balance, one for the other). Pole descriptions and situational questions follow ValueLocate (arXiv
2505.17712). The wording is our own.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..core import AnyRecord, Dilemma, LabelledText, SituationalQuestion, Value, ValueSystem, folded, standard
from ..endpoint import Message
from ..errors import DataError, UnknownNameError

Group = tuple[str, str, str]  # value's name, aspect ("" where a recipe has none), language
Answer = dict[str, str]
LANGUAGE_NAMES = {"en": "English", "zh": "Chinese (Simplified)"}
TOPICS = (
    "work", "family", "school", "neighbourhood", "money", "law", "health", "online life", "travel", "public services", "arts",
    "food", "sport", "environment", "media", "shopping", "housing", "volunteering", "friendship", "science", "farming",
    "transport", "festivals", "care for the old", "childhood", "business", "animals", "hobbies", "technology", "heritage",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Task:
    """One item to be written. `number` runs within (value, aspect, language); `topic` makes the items differ."""

    recipe: str
    value: Value
    aspect: str
    language: str
    number: int

    @property
    def id(self) -> str:
        aspect = f"{self.aspect}/" if self.aspect else ""
        return f"{self.recipe}/{self.value.name}/{aspect}{self.language}/{self.number:05d}"

    @property
    def group(self) -> "Group":
        return (self.value.name, self.aspect, self.language)

    @property
    def topic(self) -> str:
        return TOPICS[self.number % len(TOPICS)]


@dataclass(frozen=True)
class Step:
    """One question to the writing model. `ask` sees the task and earlier answers; `fields` must come back, each a text.

    `longest` is the most characters a field may have.
    """

    ask: Callable[[Task, Answer], str]
    fields: tuple[str, ...]
    longest: int = 1200


@dataclass(frozen=True)
class Recipe:
    """Steps that lead to one item, and the records made of their answers."""

    name: str
    steps: tuple[Step, ...]
    records: Callable[[Task, Answer], Iterator[AnyRecord]]
    aspects: tuple[str, ...] = ("",)

    def groups(self, system: ValueSystem, values: Sequence[str], languages: Sequence[str]) -> "list[Group]":
        """What items are written for, in an order that is the same every time.

        Raises `UnknownNameError` for an unknown value, `DataError` for no values or languages, or one given twice.
        """
        for what, given in (("values", values), ("languages", languages)):
            if not given or len(set(map(folded, given))) < len(given):
                raise DataError(f"{what} must be given, each once; got {list(given)}")
        named = [value_named(system, standard(value)).name for value in values]
        spoken = [standard(language) for language in languages]
        return [(value, aspect, language) for value in named for aspect in self.aspects for language in spoken]

    def task(self, system: ValueSystem, group: "Group", number: int) -> Task:
        value, aspect, language = group
        return Task(self.name, value_named(system, value), aspect, language, number)


def value_named(system: ValueSystem, name: str) -> Value:
    """A value, or a higher-order value with its members for a definition. Raises `UnknownNameError`."""
    if name in system.higher_order:
        members = [system[member] for member in system.higher_order[name]]
        text = "; ".join(f"{member.label('en')}: {member.definition}" for member in members)
        return Value(name, {"en": name.replace("_", " ")}, text)
    return system[name]


_JSON_ONLY = (
    "Answer with one JSON object and nothing else, with exactly these keys, each a text in {language}: {keys}. "
    "Do not use the name of the value or a word built from it anywhere."
)


def messages(task: Task, step: Step, earlier: Answer) -> list[Message]:
    """The conversation that asks one step of a task."""
    language = LANGUAGE_NAMES.get(task.language, task.language)
    rules = _JSON_ONLY.format(language=language, keys=", ".join(step.fields))
    return [
        {"role": "system", "content": f"You write concrete, natural {language} for research on human values. {rules}"},
        {"role": "user", "content": step.ask(task, earlier)},
    ]


def _about(task: Task) -> str:
    return f"The value: {task.value.name.replace('_', ' ')} ({task.value.definition})."


def _ask_dilemma(task: Task, earlier: Answer) -> str:
    return (
        f"{_about(task)}\n"
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


def _ask_pole(task: Task, earlier: Answer) -> str:
    stance = {
        "+": "to whom this matters greatly",
        "-": "to whom this matters little, and who leans the other way",
    }[task.aspect]
    return (
        f"{_about(task)}\n"
        f"description: describe, to 'you', in one or two sentences, a likeable person {stance}, by what they do in one facet of "
        f"life: {task.topic}. Item {task.number + 1}: choose details that others would not think of. Neither praise nor blame."
    )


def _ask_question(task: Task, earlier: Answer) -> str:
    return (
        f"{_about(task)}\n"
        f"question: tell 'you' a situation about {task.topic} in one to three sentences that ends with an open question. People to whom "
        "the value matters and people to whom it does not would answer differently; lean to neither, and offer no options. "
        f"Item {task.number + 1}: choose a situation that others would not think of."
    )


def _dilemma_records(task: Task, answer: Answer) -> Iterator[AnyRecord]:
    """The dilemma and its two stories: one piece of evidence, with those of the same number in other languages."""
    source = f"generated:{task.recipe}"
    pair = f"{task.recipe}/{task.value.name}/{task.number:05d}"
    yield Dilemma(
        id=task.id,
        scenario=answer["background"],
        aligned=answer["aligned"],
        violating=answer["violating"],
        value=task.value.name,
        language=task.language,
        pair_id=pair,
        source=source,
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
            source=source,
        )


def _story(language: str, background: str, choice: str, rationale: str) -> str:
    parts = [part.strip() for part in (background, choice, rationale)]
    if language == "zh":
        return "".join(part if part[-1:] in "。！？”" else f"{part}。" for part in parts)
    return " ".join(part if part[-1:] in '.!?"' else f"{part}." for part in (p[:1].upper() + p[1:] for p in parts))


def _pole_records(task: Task, answer: Answer) -> Iterator[AnyRecord]:
    source = f"generated:{task.recipe}"
    yield LabelledText(
        id=task.id, text=answer["description"], value=task.value.name, aspect=task.aspect, language=task.language, source=source
    )


def _question_records(task: Task, answer: Answer) -> Iterator[AnyRecord]:
    yield SituationalQuestion(
        id=task.id, text=answer["question"], value=task.value.name, language=task.language, source=f"generated:{task.recipe}"
    )


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "dilemma",
            (
                Step(_ask_dilemma, ("topic", "background", "aligned", "violating")),
                Step(_ask_rationales, ("aligned_rationale", "violating_rationale")),
            ),
            _dilemma_records,
        ),
        Recipe("pole", (Step(_ask_pole, ("description",)),), _pole_records, ("+", "-")),
        Recipe("question", (Step(_ask_question, ("question",)),), _question_records),
    )
}


def recipe_named(name: str) -> Recipe:
    """A recipe by name; raises `UnknownNameError`."""
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, list(RECIPES))
    return RECIPES[name]


def checked(text: str, step: Step, task: Task) -> Answer:
    """The answer's fields, from a JSON object that may stand in a fence or among words.

    Raises `DataError` that says what is wrong: no JSON (cut off, say), a field that is missing, empty, no text or too long, two
    choices that are the same, the wrong script for the language, or the value named outright.
    """
    found = _json_object(text)
    answer: Answer = {}
    for field in step.fields:
        given = found.get(field)
        if not isinstance(given, str) or not given.strip():
            raise DataError(f"field {field!r}: expected a non-empty text, got {given!r}")
        if len(given) > step.longest:
            raise DataError(f"field {field!r}: {len(given)} characters, at most {step.longest} are meant")
        answer[field] = given.strip()
    whole = " ".join(answer.values())
    if any("\ud800" <= letter <= "\udfff" for letter in whole):
        raise DataError("the answer holds half of a character pair and cannot be saved")
    han = len(re.findall(r"[\u4e00-\u9fff]", whole)) / len(whole)
    if (task.language == "zh") != (han > 0.3) and task.language in LANGUAGE_NAMES:
        raise DataError(f"the answer is not in {LANGUAGE_NAMES[task.language]}")
    if answer.get("aligned", "+") == answer.get("violating", "-"):
        raise DataError("field 'violating': the same text as 'aligned'")
    if task.value.is_named_in(whole, task.language):
        raise DataError(f"the answer names the value {task.value.name!r} outright")
    return answer


def _json_object(text: str) -> dict[str, Any]:
    start = text.find("{")
    if start < 0:
        raise DataError(f"no JSON object in the answer: {text[:80]!r}")
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start:])
    except json.JSONDecodeError as error:
        raise DataError(f"broken JSON ({error.msg} at character {error.pos}): {text[start : start + 80]!r}") from None
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond what Python reads
        raise DataError(f"JSON that cannot be read ({type(error).__name__}): {text[start : start + 80]!r}") from None
    if not isinstance(found, dict):
        raise DataError(f"expected a JSON object, got {type(found).__name__}")
    return found
