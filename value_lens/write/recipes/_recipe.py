"""What a recipe is: steps that ask for one item, and the records made of the answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...core import AnyRecord, Value, ValueSystem, fold_name, standard
from ...endpoint import Message
from ...errors import DataError, UnknownNameError

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
    def group(self) -> Group:
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

    def groups(self, system: ValueSystem, values: Sequence[str], languages: Sequence[str]) -> list[Group]:
        """What items are written for, in an order that is the same every time.

        Raises `UnknownNameError` for an unknown value, `DataError` for no values or languages, or one given twice.
        """
        for what, names in (("values", values), ("languages", languages)):
            if not names or len(set(map(fold_name, names))) < len(names):
                raise DataError(f"{what} must be given, each once; got {list(names)}")
        value_names = [value_named(system, standard(value)).name for value in values]
        language_names = [standard(language) for language in languages]
        return [(value, aspect, language) for value in value_names for aspect in self.aspects for language in language_names]

    def task(self, system: ValueSystem, group: Group, number: int) -> Task:
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


RECIPES: dict[str, Recipe] = {}


def register(recipe: Recipe) -> None:
    """Make a recipe known by its name. Raises `DataError` for a name that another has."""
    if recipe.name in RECIPES:
        raise DataError(f"two recipes have the name {recipe.name!r}")
    RECIPES[recipe.name] = recipe


def recipe_named(name: str) -> Recipe:
    """A recipe by name; raises `UnknownNameError`."""
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, list(RECIPES))
    return RECIPES[name]


def statement_of(task: Task) -> str:
    """The value and its definition, as a question to the writing model begins."""
    return f"The value: {task.value.name.replace('_', ' ')} ({task.value.definition})."


def source_of(task: Task) -> str:
    """The source that generated records name."""
    return f"generated:{task.recipe}"
