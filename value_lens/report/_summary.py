"""The content of `summary.json`, and the same in sentences."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core import Cell, Dilemma, EffectMatrix, NeuronScores, NeuronSet, average_precision, highest, lowest
from ..measure import Question
from ..plot import short
from ._controls import control_words
from ._numbers import Number, not_nan, number
from ._specific import specific_summary, specific_words


def method_summary(scores: NeuronScores, sets: Mapping[str, NeuronSet], true: Mapping[str, NeuronSet] | None) -> dict[str, Any]:
    """One method's parameters, set sizes and, where the true neurons are known, the average precision of its ranking."""
    rule = next(iter(sets.values())).provenance["rule"]
    summary: dict[str, Any] = {
        "params": {**scores.params, "rule": rule},
        "n_neurons": {value: len(neurons) for value, neurons in sets.items()},
        "average_precision": None,
    }
    if true is not None:
        shared = [value for value in scores.values if value in true]
        summary["average_precision"] = {
            value: number(average_precision(scores.for_value(value), true[value])) for value in shared
        }
        summary["n_true_found"] = {value: len(set(sets[value]) & set(true[value])) for value in shared}
    return summary


def support_summary(matrix: EffectMatrix) -> dict[str, Any]:
    """{language: {clean, ablated, control, interval, p, rank_p, margin, specific}}, ablated value first, evaluated value second.

    control: lowest, mean and highest support under matched random neurons, the mean without neurons of the set itself. interval
    and p are of the effect on support; margin: effect, interval and p in nats; specific: see `specific_summary`.
    """

    return {language: _language_summary(matrix, language) for language in matrix.languages}


def _language_summary(matrix: EffectMatrix, language: str) -> dict[str, Any]:
    cells = matrix.cells(language)

    def table(content: Callable[[Cell], Any]) -> dict[str, dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for cell in cells:
            rows.setdefault(cell.intervened, {})[cell.evaluated] = content(cell)
        return rows

    def control(cell: Cell) -> list[Number] | None:
        rates = cell.control_rates
        return [number(x) for x in (lowest(rates), cell.control_mean, highest(rates))] if rates else None

    return {
        "clean": {cell.evaluated: number(cell.clean) for cell in cells},
        "ablated": table(lambda cell: number(cell.rate)),
        "control": table(control),
        "interval": table(lambda cell: [number(x) for x in cell.interval]),
        "p": table(lambda cell: number(cell.p)),
        "rank_p": table(lambda cell: number(cell.rank_p)),
        "margin": {
            "effect": table(lambda cell: number(cell.margin_effect)),
            "interval": table(lambda cell: [number(x) for x in cell.margin_interval]),
            "p": table(lambda cell: number(cell.margin_p)),
        },
        "specific": specific_summary(matrix, language),
    }


def wordings_summary(question: Question, dilemmas: Sequence[Dilemma]) -> dict[str, list[dict[str, Any]]]:
    """{language: the wordings in which its dilemmas were asked}."""
    used: dict[str, list[dict[str, Any]]] = {}
    for language, wording in dict.fromkeys((dilemma.language, question.wording(dilemma)) for dilemma in dilemmas):
        used.setdefault(language, []).append({"prompt": wording.prompt, "answers": wording.answers})
    return used


def plain_words(matrix: EffectMatrix, methods: Mapping[str, Any], method: str) -> list[str]:
    """What was found, as sentences a reader can check against the tables."""
    sentences: list[str] = []
    for name, summary in methods.items():
        sizes = list(summary["n_neurons"].values())
        spread = f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
        line = f"{name} chose {sum(sizes)} neurons for {len(sizes)} values, {spread} a value"
        if summary["average_precision"]:
            scores = list(summary["average_precision"].values())
            line += (
                f"; {sum(summary['n_true_found'].values())} of these are true neurons of their value, and its ranking recovers the "
                f"true neurons with mean average precision {sum(scores) / len(scores):.2f}"
            )
        sentences.append(line + ".")
    for language in matrix.languages:
        sentences.append(_language_words(matrix, language, method))
        sentences.append(specific_words(matrix, language))
    sentences.append(_evidence(matrix))
    sentences += _task_words(matrix)
    sentences += control_words(matrix)
    sizes_of = zip(matrix.intervened, matrix.n_neurons, strict=True)
    empty = [short(matrix.label(value)) for value, count in sizes_of if not count]
    if empty:
        sentences.append(f"Not tested, because {method} chose no neurons: {', '.join(empty)}.")
    return sentences


def _evidence(matrix: EffectMatrix) -> str:
    """How many pieces of evidence the intervals and p-values rest on."""
    counts = [cell.n_clusters for cell in matrix.cells()]
    counts = [count for count in counts if count]
    few, many = min(counts), max(counts)
    line = (
        f"Intervals and p-values rest on {few if few == many else f'{few} to {many}'} independent "
        f"{'dilemma' if many == 1 else 'dilemmas'} a value and language (fillings of one frame count as one)"
    )
    if (least := 2 / 2**few) > 0.05:
        line += f"; with {few} no p-value can fall below {least:.2f}"
    return line + "."


def _task_words(matrix: EffectMatrix) -> list[str]:
    """What is to be known of how the dilemmas were put."""
    sentences: list[str] = []
    if n_joined := matrix.meta.get("n_pairs_joined"):
        sentences.append(
            f"In {n_joined} of {matrix.meta['n_pairs']} pairs of options the tokenizer joins the prompt's end to an option; both options "
            "of such a pair are scored from the first token in which they differ."
        )
    if n_misfits := matrix.meta.get("n_misfits"):
        sentences.append(
            f"The options of {n_misfits} of {len(matrix.scores.item_ids)} dilemmas are clauses of their own, but the wording before "
            "them begins a sentence; a wording for clauses (--wording clause, or one's own) would fit better."
        )
    return sentences


def _language_words(matrix: EffectMatrix, language: str, method: str) -> str:
    cells = matrix.cells(language)
    clean = not_nan([100 * rate for rate in {cell.evaluated: cell.clean for cell in cells}.values()])
    line = f"In {language}, support without any edit is {_range(clean)}."
    own = [cell for cell in cells if cell.is_own and not math.isnan(cell.effect)]
    if not own:
        return line + " No ablated value was also evaluated, so only leakage to other values can be read."
    others = not_nan([100 * cell.effect for cell in cells if not cell.is_own])
    significant = sum(cell.p < 0.05 for cell in own)
    nats = sum(cell.margin_effect for cell in own) / len(own)
    line += (
        f" Ablating a value's own {method} neurons changes its support by {_range([100 * cell.effect for cell in own], True)} points; "
        f"for {significant} of {len(own)} values p < 0.05 after correction for all cells (which a merely damaged model may show, too). "
        f"It changes the margin by {nats:+.1f} nats on average"
    )
    if others:
        line += f". It changes other values' support by {_sizes(others)}"
    if matrix.n_controls:
        line += f"; matched random neurons change any support by {_sizes([100 * x for cell in cells for x in cell.outside_effects])}"
    return line + "."


def _sizes(changes: Sequence[float]) -> str:
    sizes = [abs(change) for change in changes]
    return f"{sum(sizes) / len(sizes):.1f} on average, {max(sizes):.0f} at most"


def _range(numbers: list[float], signed: bool = False) -> str:
    low, mean, high = min(numbers), sum(numbers) / len(numbers), max(numbers)
    form = "+.0f" if signed else ".0f"
    unit = "" if signed else "%"
    return f"{mean:{form}}{unit} on average ({low:{form}} to {high:{form}})"
