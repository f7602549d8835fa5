"""The parts of a study's configuration: their fields, with help and choices."""

# ruff: noqa: RUF009
from dataclasses import dataclass

from ..causal import Controls
from ..core import parameters_of
from ..data import DEFAULT, FILLINGS
from ..intervene import interventions
from ..locate import methods, threshold_rule, vape_rule
from ..measure import SCORINGS, measures
from ..model import ENGINES, TOO_LONG, Batching
from ._options import Count, Names, option

DTYPES = ("float32", "bfloat16", "float16")
COMPOSED = {"texts": 100, "dilemmas": 20}  # of a group, from the bank, where no number is given
VAPE, OPPOSITION = parameters_of(vape_rule), parameters_of(threshold_rule)


def _methods() -> dict[str, str]:
    return {name: f"{entry.help} It needs {entry.needs.words}." for name, entry in methods.items()}


def _measures() -> dict[str, str]:
    return {name: entry.help for name, entry in measures.items()}


def _interventions() -> dict[str, str]:
    return {name: entry.help for name, entry in interventions.items()}


@dataclass(frozen=True, kw_only=True)
class ModelPart:
    """Which model is studied, and how it is loaded."""

    name: str = option(name="model", help="Hub name, local Hugging Face folder, or a shipped organism's name.")
    engine: str = option("bridge", choices=lambda: ENGINES, help="bridge, or hooked (HookedTransformer, transformer-lens 3).")
    device: str = option("cpu", help="cpu, cuda, ...")
    dtype: str = option("float32", choices=lambda: DTYPES, help="float32, bfloat16 or float16.")


@dataclass(frozen=True, kw_only=True)
class TextsPart:
    """On which texts firing is counted."""

    source: str = option(
        "bank", name="texts", help="Texts to count on: bank, a source (`value-lens sources`), a file, a hub name."
    )
    per_group: Count = option(
        DEFAULT,
        help="Texts per value, aspect and language.",
        show=f"{COMPOSED['texts']} of the bank, all of another source",
    )


@dataclass(frozen=True, kw_only=True)
class DilemmasPart:
    """On which dilemmas the effect is tested."""

    source: str = option("bank", name="dilemmas", help="Dilemmas to test on: as for texts.")
    per_value: Count = option(
        DEFAULT,
        help="Dilemmas per value and language.",
        show=f"{COMPOSED['dilemmas']} of the bank, all of another source",
    )


@dataclass(frozen=True, kw_only=True)
class SelectionPart:
    """What is taken of texts and of dilemmas alike."""

    values: Names | None = option(None, help="Names of values (default: all).")
    languages: Names | None = option(None, help="Languages (default: all).")
    system: str | None = option(
        None, help="A value system of your own, YAML or JSON: the order of its values in results, and their labels."
    )
    fillings: str = option("all", choices=lambda: FILLINGS, help="Slot fillings of the bank: all, training, held_out.")
    skip_bad: bool = option(False, help="Keep good rows of a source; write bad ones to a file beside it.")


@dataclass(frozen=True, kw_only=True)
class LocatePart:
    """How a value's neurons are found."""

    site: str = option("post", help="post (what multiplies W_out) or gate (as in the papers).")
    method: str = option("vape", choices=_methods, help="The method whose neurons are tested.")
    n_neurons: int | None = option(None, help="Highest scores per value, instead of the published rule.")
    top: float = option(VAPE["top"].default, share=True, help="VAPE: share of neurons of lowest entropy.")
    filter: float = option(VAPE["filter"].default, share=True, help="VAPE: quantile a firing probability must exceed.")
    bar: float = option(VAPE["bar"].default, share=True, help="VAPE: quantile that assigns a neuron to a value.")
    threshold: float = option(
        OPPOSITION["threshold"].default, share=True, help="Opposition: least difference of firing probability."
    )


@dataclass(frozen=True, kw_only=True)
class ExperimentPart:
    """How the effect of a value's neurons is tested."""

    measure: str = option("choice", choices=_measures, help="How an item is scored.")
    intervention: str = option("zero", choices=_interventions, help="What is done to the neurons.")
    controls: int = option(Controls.n, least=0, help="Matched random neuron sets per value.")
    scoring: str = option("label", choices=lambda: SCORINGS, help="label (A or B) or continuation (the option's words).")
    wording: str | None = option(
        None,
        help="Words around a dilemma: verb, clause or cloze (continuation), or a JSON file by language, "
        '{"en": {"prompt": ..., "answers": ...}} (default: the data set\'s own, else letters or verb).',
    )


@dataclass(frozen=True, kw_only=True)
class BatchingPart:
    """How texts share runs of the model."""

    too_long: str = option(Batching.too_long, choices=lambda: TOO_LONG, help="Texts beyond the context: refuse or cut.")
    max_tokens: int = option(Batching.max_tokens, least=1, help="Padded tokens per batch.")
