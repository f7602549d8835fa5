"""The configuration of a study: one dataclass, nested by part, checked when made."""

# ruff: noqa: RUF009
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from ..core import ValueSystem
from ..errors import DataError, UnknownNameError
from ..intervene import interventions
from ..locate import Rule, methods, top_rule
from ..measure import Measure, Question, load_wordings, measures
from ..model import require_device, require_site
from ..systems import load_system
from ._options import Names, Option, option, options_of
from ._parts import BatchingPart, DilemmasPart, ExperimentPart, LocatePart, ModelPart, SelectionPart, TextsPart
from ._use import load_used

SEEDS = 2**63
INPUTS = ("stats",)  # what a study gives to methods and interventions
RULES = ("top", "filter", "bar", "threshold")  # options that are parameters of methods' rules


@dataclass(frozen=True, kw_only=True)
class Study:
    """The configuration of a study. The terminal's options and a configuration file set the same fields.

    Args:
        model: The model, and how it is loaded.
        texts: The texts that firing is counted on.
        dilemmas: The dilemmas that the effect is tested on.
        selection: What is taken of both.
        locate: The method that finds a value's neurons, and its rule.
        experiment: How the effect is tested.
        batching: How texts share runs of the model.
        use: Python files that register methods, interventions or measures of the user's own; they are loaded first.
        out: The folder of the results; None where `run_study` is given one.
        seed: The seed of draws, controls and intervals.

    Raises:
        UnknownNameError: A choice, the site or the device is not one of those there are.
        DataError: A setting has another type or is out of range, or a file it names cannot be used.

    >>> study = Study.from_options({"model": "selective-gelu", "method": "opposition"})
    >>> study.locate.method, study.locate.threshold, study.with_options({"threshold": 0.1}).locate.threshold
    ('opposition', 0.03, 0.1)
    """

    model: ModelPart
    texts: TextsPart = field(default_factory=TextsPart)
    dilemmas: DilemmasPart = field(default_factory=DilemmasPart)
    selection: SelectionPart = field(default_factory=SelectionPart)
    locate: LocatePart = field(default_factory=LocatePart)
    experiment: ExperimentPart = field(default_factory=ExperimentPart)
    batching: BatchingPart = field(default_factory=BatchingPart)
    use: Names = option((), repeated=True, help="A Python file that registers strategies of your own; repeatable.")
    out: str | None = option(None, help="Folder for the results.")
    seed: int = option(0, help="Seed of the bank, controls and intervals.")

    def __post_init__(self) -> None:
        load_used(self.use)
        settings = self.to_options()
        require_site(self.locate.site)
        for one in study_options():
            one.check(settings[one.name])
        if not 0 <= self.seed < SEEDS:
            raise DataError(f"seed is {self.seed}; give a whole number from 0 to 2**63 - 1")
        require_device(self.model.device)
        self.rule(self.locate.method)
        _require_inputs("method", self.locate.method, methods[self.locate.method].inputs, INPUTS)
        _require_inputs(
            "intervention", self.experiment.intervention, interventions[self.experiment.intervention].inputs, INPUTS
        )
        self.measure()
        self.system()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "Study":
        """A study from settings by the terminal's names.

        Args:
            options: Settings, e.g. {"model": "gpt2", "per_value": "all"}. What is not there has its default.

        Raises:
            UnknownNameError: There is no such option, or no such choice.
            DataError: The model is missing, or a setting cannot be used.
        """
        load_used(options.get("use", ()))
        options_by_name = {one.name: one for one in study_options()}
        for name in options:
            if name not in options_by_name:
                raise UnknownNameError("option of a study", name, tuple(options_by_name))
        nested: dict[str, Any] = {}
        for name, value in options.items():
            one = options_by_name[name]
            subtree = nested
            for part in one.path[:-1]:
                subtree = subtree.setdefault(part, {})
            subtree[one.path[-1]] = one.normal(value)
            one.check(subtree[one.path[-1]])
        if "name" not in nested.get("model", {}):
            raise DataError("a study needs a model: give its name (--model, or 'model.name' in a configuration file)")
        parts: dict[str, Any] = {one.name: one.type for one in fields(cls) if is_dataclass(one.type)}
        arguments: dict[str, Any] = {
            name: parts[name](**subtree) if name in parts else subtree for name, subtree in nested.items()
        }
        return cls(**arguments)

    def to_options(self) -> dict[str, Any]:
        """{the terminal's name: setting} of all settings."""
        return {one.name: functools.reduce(getattr, one.path, self) for one in study_options()}

    def with_options(self, options: Mapping[str, Any]) -> "Study":
        """The same study with some settings replaced; see `from_options`."""
        return self.from_options({**self.to_options(), **options})

    def question(self) -> Question:
        """How dilemmas are asked. Raises `DataError` for a wording that is not there or cannot be used."""
        part = self.experiment
        return Question(part.scoring, {} if part.wording is None else load_wordings(part.wording, part.scoring))

    @property
    def asks(self) -> bool:
        """Whether the measure takes a question, so that scoring and wording matter."""
        entry = measures[self.experiment.measure]
        return "question" in (*entry.inputs, *entry.parameters)

    def measure(self) -> Measure:
        """The measure. Raises `DataError` for one that takes more than a question, and as `question`."""
        name, question = self.experiment.measure, self.question()
        _require_inputs("measure", name, measures[name].inputs, ("question",))
        return measures[name](question=question) if self.asks else measures[name]()

    def system(self) -> ValueSystem | None:
        """The user's value system. Raises `DataError` for a file that is not there or cannot be used."""
        return None if self.selection.system is None else load_system(self.selection.system)

    def rule(self, method: str) -> Rule:
        """The rule that selects a method's neurons: the highest scores where `n_neurons` is set, else the method's own.

        Args:
            method: The name of a registered method.

        Raises:
            DataError: The method has no rule of its own, and `n_neurons` is not set.
        """
        part, entry = self.locate, methods[method]
        if part.n_neurons is not None:
            return top_rule(part.n_neurons)
        if entry.rule is None:
            raise DataError(f"method {method!r} has no rule of its own; give n_neurons (--n-neurons)")
        return entry.rule(**{name: getattr(part, name) for name in entry.rule_parameters if name in RULES})


@functools.cache
def study_options() -> tuple[Option, ...]:
    """All options of a study, in the order of its parts."""
    return tuple(options_of(Study))


def _require_inputs(kind: str, name: str, inputs: Sequence[str], available: Sequence[str]) -> None:
    """Raise `DataError` for a strategy that takes what a study does not give."""
    if missing := [input_name for input_name in inputs if input_name not in available]:
        raise DataError(
            f"{kind} {name!r} cannot be used in a study: it takes {', '.join(missing)}; a study gives {', '.join(available)}"
        )
