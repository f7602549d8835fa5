"""The tables that `run` prints: support and margins of every value under its own ablation, with a legend."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ._terminal import console

SUPPORT = ("value", "n", "clean", "ablated", "effect [95%]", "p", "others", "controls")
MARGIN = ("value", "effect [95%]", "p", "specific [95%]", "p", "verdict")
VERDICTS = {"specific": "specific", "not specific": "no", "too few controls": "p only", "not testable": "-"}
_LEGEND = (
    "Support. n: neurons of the value. clean: its support without an edit. ablated: with its own neurons zeroed. effect: the change "
    "in percentage points, with its interval over frames: share gained less share lost, each by Korn and Graubard (1998), combined after "
    "Zou and Donner (2008). p: sign-flip p-value over frames, corrected for all cells. others: mean support while another value's neurons "
    "are zeroed. controls: lowest and highest support while matched random neurons are zeroed.",
    "Margin. effect: the mean change of margin in nats, with t interval over frames, and its sign-flip p-value. specific: what of it "
    "goes beyond the change that a set of that strength makes to a value of that fragility, with t interval; its p is corrected for the "
    "column in all languages. verdict: specific if negative with p < 0.05 and larger than all of at least 19 matched controls; p only: "
    "there are fewer controls.",
)


def show(matrix: Any, words: Sequence[str]) -> None:
    """Two tables a language, 80 columns wide."""
    for place, language in enumerate(matrix.languages):
        for title, headings, row in (("Support rate", SUPPORT, support_row), ("Margin in nats", MARGIN, margin_row)):
            console.print(_table(matrix, place, f"{title}, {language}", headings, row))
    for paragraph in _LEGEND:
        console.print(paragraph, style="dim", highlight=False, markup=False)
    console.print()
    for sentence in words:
        console.print(f"• {sentence}", highlight=False, markup=False)


def _table(matrix: Any, place: int, title: str, headings: Sequence[str], row: Any) -> Table:
    from ..plot import shown

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 0, 0, 0))
    for heading in headings:
        left = heading in ("value", "verdict")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    for v, value in enumerate(matrix.values):
        a = matrix.ablated.index(value) if value in matrix.ablated else None
        table.add_row(escape(shown(value)), *row(matrix, place, v, a))
    return table


def support_row(matrix: Any, place: int, v: int, a: int | None) -> list[str]:
    clean = _percent(float(matrix.clean[place, v]))
    if a is None:
        return ["-", clean, "-", "-", "-", "-", "-"]
    at = (place, v, a)
    others = [x for x in range(len(matrix.ablated)) if x != a and matrix.n_neurons[x]]
    controls = matrix.control_rate[at]
    return [
        str(matrix.n_neurons[a]),
        clean,
        _percent(float(matrix.rate[at])),
        _effect(100 * float(matrix.effect[at]), (100 * matrix.interval[at]).tolist(), 0),
        _p(float(matrix.p[at])),
        _percent(float(matrix.rate[place, v, others].mean())) if others else "-",
        _span(float(controls.min()), float(controls.max())) if len(controls) else "-",
    ]


def margin_row(matrix: Any, place: int, v: int, a: int | None) -> list[str]:
    if a is None:
        return ["-"] * 5
    at, found = (place, v, a), matrix.specific
    return [
        _effect(float(matrix.margin_effect[at]), matrix.margin_interval[at].tolist(), 1),
        _p(float(matrix.margin_p[at])),
        _effect(float(found.effect[at]), found.interval[at].tolist(), 1),
        _p(float(found.p[place, v])),
        VERDICTS[found.verdicts[place][v]],
    ]


def _effect(size: float, interval: Sequence[float], digits: int) -> str:
    if size != size:
        return "-"
    low, high = interval
    bounds = f"{low:+.{digits}f}, {high:+.{digits}f}" if low <= high else "-"  # NaN where there is no second frame
    return f"{size:+.{digits}f} [{bounds}]"


def _p(p: float) -> str:
    return "-" if p != p else f"{p:.3f}" if p >= 0.0005 else "<.001"


def _span(low: float, high: float) -> str:
    return f"{100 * low:.0f}-{_percent(high)}" if low < high else _percent(low)


def _percent(rate: float) -> str:
    return "-" if rate != rate else f"{100 * rate:.0f}%"
