"""Specific effects in `summary.json` and in sentences."""

import math
from collections.abc import Sequence
from typing import Any

from ..causal import ABLATIONS, LEAST_CONTROLS, LEAST_VALUES, SupportMatrix
from ..plot import shown
from ._numbers import number


def specific_summary(matrix: SupportMatrix, place: int) -> dict[str, Any]:
    """{effect, interval: {ablated: {value: nats}}, p, verdict, control (lowest, mean, highest): {value: of its own set}}."""
    found = matrix.specific
    controls = found.controls[place]
    known = {value: controls[v][~controls[v].isnan()] for v, value in enumerate(matrix.values)}

    def table(cell: Any) -> dict[str, dict[str, Any]]:
        cells = [(value, v) for v, value in enumerate(matrix.values)]
        return {ablated: {value: cell((place, v, a)) for value, v in cells} for a, ablated in enumerate(matrix.ablated)}

    return {
        "effect": table(lambda at: number(found.effect[at])),
        "interval": table(lambda at: [number(x) for x in found.interval[at]]),
        "p": {value: number(found.p[place, v]) for v, value in enumerate(matrix.values)},
        "verdict": dict(zip(matrix.values, found.verdicts[place], strict=True)),
        "control": {
            value: [number(x) for x in (some.min(), some.mean(), some.max())] if len(some) else None
            for value, some in known.items()
        },
    }


def specific_words(matrix: SupportMatrix, place: int) -> str:
    """Which values' own neurons are specific in a language, which are not, and how large leakage to other values is."""
    language, verdicts = matrix.languages[place], matrix.specific.verdicts[place]
    having = {
        verdict: [shown(value) for value, given in zip(matrix.values, verdicts, strict=True) if given == verdict]
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
    said: list[str] = []
    if names := having["specific"]:
        which = _names(names, n_tested)
        said.append(f"a value's own neurons are specific for {which}: {beyond}, and by more than any matched control.")
    if names := having["too few controls"]:
        n_controls = int((~matrix.specific.controls[place].isnan()).sum(-1).max()) if matrix.control_margins.shape[1] else 0
        said.append(
            f"a value's own neurons may be specific for {_names(names, n_tested)}: {beyond}, but nothing is called specific with "
            f"{n_controls} matched {'control' if n_controls == 1 else 'controls'}; give at least {LEAST_CONTROLS}."
        )
    if not said:
        said.append("no value's neurons are specific: whatever ablating them changes may be damage to the model.")
    elif names := having["not specific"]:
        said.append(f"not specific, so perhaps mere damage: {', '.join(names)}.")
    return " ".join([f"In {language}, {said[0]}", *(line[0].upper() + line[1:] for line in said[1:]), *_leakage(matrix, place)])


def _names(names: Sequence[str], n_tested: int) -> str:
    which = "" if len(names) == n_tested and n_tested > 4 else f" ({', '.join(names)})"
    return f"{len(names)} of {n_tested} values{which}"


def _leakage(matrix: SupportMatrix, place: int) -> list[str]:
    effect, interval = matrix.specific.effect[place], matrix.specific.interval[place]
    cells = [
        (abs(size), value, ablated, size, interval[v, a].tolist())
        for v, value in enumerate(matrix.values)
        for a, ablated in enumerate(matrix.ablated)
        if value != ablated and not math.isnan(size := float(effect[v, a]))
    ]
    if not cells:
        return []
    _, value, ablated, size, (low, high) = max(cells)
    mean = sum(cell[0] for cell in cells) / len(cells)
    bounds = "" if math.isnan(low) else f" [{low:+.1f}, {high:+.1f}]"
    return [
        f"Leakage, what a set does so to another value, is {mean:.1f} nats on average and {abs(size):.1f} at most ({shown(ablated)} "
        f"neurons on {shown(value)}: {size:+.1f}{bounds})."
    ]
