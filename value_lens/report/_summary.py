"""The content of `summary.json`, and the same in sentences."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..causal import SupportMatrix
from ..core import Dilemma, NeuronScores, NeuronSet, average_precision
from ..measure import Question
from ..plot import shown
from ._controls import control_words
from ._numbers import Number, number
from ._specific import specific_summary, specific_words


def method_summary(scores: NeuronScores, sets: Mapping[str, NeuronSet], true: Mapping[str, NeuronSet] | None) -> dict[str, Any]:
    """One method's parameters, set sizes and, where the true neurons are known, the average precision of its ranking."""
    rule = next(iter(sets.values())).provenance["rule"]
    found: dict[str, Any] = {
        "params": {**scores.params, "rule": rule},
        "n_neurons": {value: len(neurons) for value, neurons in sets.items()},
        "average_precision": None,
    }
    if true is not None:
        known = [value for value in scores.values if value in true]
        found["average_precision"] = {value: number(average_precision(scores.of(value), true[value])) for value in known}
        found["n_true_found"] = {value: len(set(sets[value]) & set(true[value])) for value in known}
    return found


def support_summary(matrix: SupportMatrix) -> dict[str, Any]:
    """{language: {clean, ablated, control, interval, p, rank_p, margin, specific}}, ablated value first, evaluated value second.

    control: lowest, mean and highest support under matched random neurons, the mean without neurons of the set itself. interval
    and p are of the effect on support; margin: effect, interval and p in nats; specific: see `specific_summary`.
    """

    def table(language: int, cell: Any) -> dict[str, dict[str, Any]]:
        return {
            ablated: {value: cell((language, v, a)) for v, value in enumerate(matrix.values)}
            for a, ablated in enumerate(matrix.ablated)
        }

    def control(at: tuple[int, int, int]) -> list[Number] | None:
        rates = matrix.control_rate[at]
        return [number(x) for x in (rates.min(), matrix.control_mean[at], rates.max())] if len(rates) else None

    found: dict[str, Any] = {}
    for place, language in enumerate(matrix.languages):
        found[language] = {
            "clean": {value: number(matrix.clean[place, v]) for v, value in enumerate(matrix.values)},
            "ablated": table(place, lambda at: number(matrix.rate[at])),
            "control": table(place, control),
            "interval": table(place, lambda at: [number(x) for x in matrix.interval[at]]),
            "p": table(place, lambda at: number(matrix.p[at])),
            "rank_p": table(place, lambda at: number(matrix.rank_p[at])),
            "margin": {
                "effect": table(place, lambda at: number(matrix.margin_effect[at])),
                "interval": table(place, lambda at: [number(x) for x in matrix.margin_interval[at]]),
                "p": table(place, lambda at: number(matrix.margin_p[at])),
            },
            "specific": specific_summary(matrix, place),
        }
    return found


def wordings_summary(question: Question, dilemmas: Sequence[Dilemma]) -> dict[str, list[dict[str, Any]]]:
    """{language: the wordings in which its dilemmas were asked}."""
    used: dict[str, list[dict[str, Any]]] = {}
    for language, wording in dict.fromkeys((dilemma.language, question.wording(dilemma)) for dilemma in dilemmas):
        used.setdefault(language, []).append({"prompt": wording.prompt, "answers": wording.answers})
    return used


def plain_words(matrix: SupportMatrix, methods: Mapping[str, Any], method: str) -> list[str]:
    """What was found, as sentences a reader can check against the tables."""
    said: list[str] = []
    for name, found in methods.items():
        sizes = list(found["n_neurons"].values())
        spread = f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
        line = f"{name} chose {sum(sizes)} neurons for {len(sizes)} values, {spread} a value"
        if found["average_precision"]:
            scores = list(found["average_precision"].values())
            line += (
                f"; {sum(found['n_true_found'].values())} of these are true neurons of their value, and its ranking recovers the "
                f"true neurons with mean average precision {sum(scores) / len(scores):.2f}"
            )
        said.append(line + ".")
    for place, language in enumerate(matrix.languages):
        said.append(_language_words(matrix, place, language, method))
        said.append(specific_words(matrix, place))
    said.append(_evidence(matrix))
    said += _asked_words(matrix)
    said += control_words(matrix)
    empty = [shown(a) for a, count in zip(matrix.ablated, matrix.n_neurons, strict=True) if not count]
    if empty:
        said.append(f"Not tested, because {method} chose no neurons: {', '.join(empty)}.")
    return said


def _evidence(matrix: SupportMatrix) -> str:
    """How many pieces of evidence the intervals and p-values rest on."""
    counts = [matrix.n_clusters(language, value) for language in matrix.languages for value in matrix.values]
    counts = [count for count in counts if count]
    few, many = min(counts), max(counts)
    line = (
        f"Intervals and p-values rest on {few if few == many else f'{few} to {many}'} independent "
        f"{'dilemma' if many == 1 else 'dilemmas'} a value and language (fillings of one frame count as one)"
    )
    if (least := 2 / 2**few) > 0.05:
        line += f"; with {few} no p-value can fall below {least:.2f}"
    return line + "."


def _asked_words(matrix: SupportMatrix) -> list[str]:
    """What is to be known of how the dilemmas were put."""
    said: list[str] = []
    if joined := matrix.meta.get("n_pairs_joined"):
        said.append(
            f"In {joined} of {matrix.meta['n_pairs']} pairs of options the tokenizer joins the prompt's end to an option; both options of "
            "such a pair are scored from the first token in which they differ."
        )
    if misfits := matrix.meta.get("n_misfits"):
        said.append(
            f"The options of {misfits} of {len(matrix.item_ids)} dilemmas are clauses of their own, but the wording before them begins a "
            "sentence; a wording for clauses (--wording clause, or one's own) would fit better."
        )
    return said


def _language_words(matrix: SupportMatrix, place: int, language: str, method: str) -> str:
    asked = [(matrix.values.index(value), a) for a, value in enumerate(matrix.ablated) if value in matrix.values]
    pairs = [at for at in asked if not matrix.effect[place, at[0], at[1]].isnan()]
    effect = 100 * matrix.effect[place]
    clean = 100 * matrix.clean[place]
    line = f"In {language}, support without any edit is {_range(clean[~clean.isnan()].tolist())}."
    if not pairs:
        return line + " No ablated value was also evaluated, so only leakage to other values can be read."
    own = [float(effect[v, a]) for v, a in pairs]
    others = [float(effect[v, a]) for a in range(len(matrix.ablated)) for v in range(len(matrix.values)) if (v, a) not in pairs]
    others = [x for x in others if not math.isnan(x)]
    significant = sum(float(matrix.p[place, v, a]) < 0.05 for v, a in pairs)
    line += (
        f" Ablating a value's own {method} neurons changes its support by {_range(own, True)} points; for {significant} of "
        f"{len(pairs)} values p < 0.05 after correction for all cells (which a merely damaged model may show, too). It changes the "
        f"margin by {_nats(matrix, place, pairs)} nats on average"
    )
    if others:
        line += f". It changes other values' support by {_sizes(others)}"
    if matrix.control_margins.shape[1]:
        controls = (100 * matrix.outside_effect[place]).flatten()
        line += f"; matched random neurons change any support by {_sizes(controls[~controls.isnan()].tolist())}"
    return line + "."


def _nats(matrix: SupportMatrix, place: int, pairs: Sequence[tuple[int, int]]) -> str:
    changes = [float(matrix.margin_effect[place, v, a]) for v, a in pairs]
    return f"{sum(changes) / len(changes):+.1f}"


def _sizes(changes: Sequence[float]) -> str:
    sizes = [abs(change) for change in changes]
    return f"{sum(sizes) / len(sizes):.1f} on average, {max(sizes):.0f} at most"


def _range(numbers: list[float], signed: bool = False) -> str:
    low, mean, high = min(numbers), sum(numbers) / len(numbers), max(numbers)
    form = "+.0f" if signed else ".0f"
    unit = "" if signed else "%"
    return f"{mean:{form}}{unit} on average ({low:{form}} to {high:{form}})"
