"""Specific effects in `summary.json` and in sentences."""

import math
from collections.abc import Sequence
from typing import Any

from ..causal import ABLATIONS, LEAST_CONTROLS, LEAST_VALUES
from ..core import Cell, EffectMatrix
from ..plot import short
from ._numbers import number


def specific_summary(matrix: EffectMatrix, language: str) -> dict[str, Any]:
    """{effect, interval: {intervened: {value: nats}}, p, verdict, control (lowest, mean, highest): {value: of its own set}}."""
    cells = matrix.cells(language)
    own = {cell.evaluated: cell for cell in cells if cell.is_own}
    effect: dict[str, Any] = {name: {} for name in matrix.intervened}
    interval: dict[str, Any] = {name: {} for name in matrix.intervened}
    for cell in cells:
        effect[cell.intervened][cell.evaluated] = number(cell.specific)
        interval[cell.intervened][cell.evaluated] = [number(x) for x in cell.specific_interval]
    return {
        "effect": effect,
        "interval": interval,
        "p": {value: number(own[value].specific_p) if value in own else None for value in matrix.values},
        "verdict": {value: own[value].verdict if value in own else "not testable" for value in matrix.values},
        "control": {value: _spread(own[value].specific_controls) if value in own else None for value in matrix.values},
    }


def _spread(controls: Sequence[float]) -> list[Any] | None:
    """Lowest, mean and highest; null for none."""
    return [number(x) for x in (min(controls), sum(controls) / len(controls), max(controls))] if controls else None


def specific_words(matrix: EffectMatrix, language: str) -> str:
    """Which values' own neurons are specific in a language, which are not, and how large leakage to other values is."""
    cells = matrix.cells(language)
    own = {cell.evaluated: cell for cell in cells if cell.is_own}
    in_order = [own[value] for value in matrix.values if value in own]
    having = {
        verdict: [short(matrix.label(cell.evaluated)) for cell in in_order if cell.verdict == verdict]
        for verdict in ("specific", "not specific", "too few controls")
    }
    n_tested = sum(map(len, having.values()))
    if not n_tested:
        return (
            f"In {language}, specific effects are not testable: that takes {LEAST_VALUES} values that have neurons of their own and "
            "independent dilemmas, two for each that is tested. So damage to the model cannot be told from what is a value's own."
        )
    lowers = "lowers" if matrix.meta.get("edit", "zero") in ABLATIONS else "changes"
    beyond = (
        f"ablating them {lowers} its margin by more than so strong a set does that of so fragile a value (corrected p < 0.05)"
    )
    sentences: list[str] = []
    if names := having["specific"]:
        which = _names(names, n_tested)
        sentences.append(f"a value's own neurons are specific for {which}: {beyond}, and by more than any matched control.")
    if names := having["too few controls"]:
        n_controls = max(len(cell.specific_controls) for cell in in_order)
        sentences.append(
            f"a value's own neurons may be specific for {_names(names, n_tested)}: {beyond}, but nothing is called specific with "
            f"{n_controls} matched {'control' if n_controls == 1 else 'controls'}; give at least {LEAST_CONTROLS}."
        )
    if not sentences:
        sentences.append("no value's neurons are specific: whatever ablating them changes may be damage to the model.")
    elif names := having["not specific"]:
        sentences.append(f"not specific, so perhaps mere damage: {', '.join(names)}.")
    return " ".join(
        [f"In {language}, {sentences[0]}", *(line[0].upper() + line[1:] for line in sentences[1:]), *_leakage(matrix, cells)]
    )


def _names(names: Sequence[str], n_tested: int) -> str:
    which = "" if len(names) == n_tested and n_tested > 4 else f" ({', '.join(names)})"
    return f"{len(names)} of {n_tested} values{which}"


def _leakage(matrix: EffectMatrix, cells: Sequence[Cell]) -> list[str]:
    leaking = [cell for cell in cells if not cell.is_own and not math.isnan(cell.specific)]
    if not leaking:
        return []
    largest = max(leaking, key=lambda cell: (abs(cell.specific), cell.evaluated, cell.intervened))
    mean = sum(abs(cell.specific) for cell in leaking) / len(leaking)
    low, high = largest.specific_interval
    bounds = "" if math.isnan(low) else f" [{low:+.1f}, {high:+.1f}]"
    intervened, evaluated = short(matrix.label(largest.intervened)), short(matrix.label(largest.evaluated))
    return [
        f"Leakage, what a set does so to another value, is {mean:.1f} nats on average and {abs(largest.specific):.1f} at most "
        f"({intervened} neurons on {evaluated}: {largest.specific:+.1f}{bounds})."
    ]
