"""The tables that `run` prints: support and margins of every value under its own ablation, with a legend."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ..errors import shortened
from ._terminal import console

SUPPORT = ("value", "n", "clean", "ablated", "effect [95%]", "p", "others", "controls")
MARGIN = ("value", "effect [95%]", "p", "specific [95%]", "p", "verdict")
VERDICTS = {"specific": "specific", "not specific": "no", "too few controls": "p only", "not testable": "-"}
LONGEST = 24  # letters of a label
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
    for language in matrix.languages:
        for title, headings, row in (("Support rate", SUPPORT, support_row), ("Margin in nats", MARGIN, margin_row)):
            console.print(_table(matrix.cells(language), f"{title}, {language}", headings, row))
    for paragraph in _LEGEND:
        console.print(paragraph, style="dim", highlight=False, markup=False)
    console.print()
    for sentence in words:
        console.print(f"• {sentence}", highlight=False, markup=False)


def _table(cells: Sequence[Any], title: str, headings: Sequence[str], row: Callable[[Sequence[Any]], list[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 0, 0, 0))
    for heading in headings:
        is_text = heading in ("value", "verdict")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
    by_value: dict[str, list[Any]] = {}
    for cell in cells:
        by_value.setdefault(cell.evaluated, []).append(cell)
    for cells_of_value in by_value.values():
        table.add_row(escape(shortened(cells_of_value[0].evaluated_label, LONGEST)), *row(cells_of_value))
    return table


def support_row(cells: Sequence[Any]) -> list[str]:
    """Support of one value: clean, and under its own neurons, those of others and controls."""
    clean = _percent(cells[0].clean)
    own = next((cell for cell in cells if cell.is_own), None)
    if own is None:
        return ["-", clean, "-", "-", "-", "-", "-"]
    others = [cell.rate for cell in cells if not cell.is_own and cell.n_neurons]
    low, high = (100 * bound for bound in own.interval)
    return [
        str(own.n_neurons),
        clean,
        _percent(own.rate),
        _effect(100 * own.effect, (low, high), 0),
        _p(own.p),
        _percent(sum(others) / len(others)) if others else "-",
        _span(min(own.control_rates), max(own.control_rates)) if own.control_rates else "-",
    ]


def margin_row(cells: Sequence[Any]) -> list[str]:
    """Margin of one value under its own neurons, what of it is specific, and the verdict."""
    own = next((cell for cell in cells if cell.is_own), None)
    if own is None:
        return ["-"] * 5
    return [
        _effect(own.margin_effect, own.margin_interval, 1),
        _p(own.margin_p),
        _effect(own.specific, own.specific_interval, 1),
        _p(own.specific_p),
        VERDICTS[own.verdict],
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
