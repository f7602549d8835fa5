"""What can be done from a terminal? `value-lens demo`, `value-lens run`, `value-lens values`."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ._version import __version__
from .errors import ValueLensError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Find the neurons that carry a human value, and test them.")
console = Console()
DEMO_ORGANISM = "selective-gelu"


@contextmanager
def _reporting() -> Iterator[Any]:
    """Progress bars while work goes on; errors of the library become one clear line and exit code 1, 130 for an interrupt."""
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, Any] = {}
    try:
        with Progress(*columns, console=console) as progress:

            def report(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = progress.add_task(stage, total=total)
                progress.update(tasks[stage], completed=done, total=total)

            yield report
    except ValueLensError as error:
        Console(stderr=True).print(f"[red]error:[/red] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        Console(stderr=True).print("[red]interrupted[/red]; files already written are whole")
        raise typer.Exit(130) from None


def _quiet_libraries() -> None:
    """The terminal belongs to the job: other libraries' progress bars and advice stay out of it."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore")
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def _execute(settings: dict[str, Any], out: Path) -> None:
    with _reporting() as report:
        from . import store  # slow imports come after the arguments are known to be good

        store.require_writable(out)
        _quiet_libraries()
        from .job import Job, run_job

        result = run_job(Job(**settings), out, report)
    _show(result)
    console.print(f"\nFiles: {out.resolve()}/summary.json, matrix.csv, stats.safetensors, neurons/, effects_*.png, layers.png")


def _show(result: Any) -> None:
    from .report import shown

    matrix = result.matrix
    for place, language in enumerate(matrix.languages):
        table = Table(title=f"Support rate, {language}", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in ("value", "n", "clean", "ablated", "effect [95%]", "p", "others", "controls"):
            table.add_column(heading, justify="left" if heading == "value" else "right", no_wrap=True)
        for v, value in enumerate(matrix.values):
            table.add_row(shown(value), *_row(matrix, place, v, value))
        console.print(table)
    console.print(_LEGEND, style="dim", highlight=False, markup=False)
    console.print()
    for sentence in result.words:
        console.print(f"• {sentence}", highlight=False, markup=False)


_LEGEND = (
    "n: neurons of the value. clean: its support without an edit. ablated: with its own neurons zeroed. effect: the change in "
    "percentage points, with its bootstrap interval. p: sign-flip p-value, corrected for all cells. others: mean support while "
    "another value's neurons are zeroed. controls: lowest and highest support while matched random neurons are zeroed."
)


def _row(matrix: Any, place: int, v: int, value: str) -> list[str]:
    clean = float(matrix.clean[place, v])
    if value not in matrix.ablated:
        return ["-", _percent(clean), "-", "-", "-", "-", "-"]
    a = matrix.ablated.index(value)
    at = (place, v, a)
    others = [x for x in range(len(matrix.ablated)) if x != a and matrix.n_neurons[x]]
    low, high = (100 * float(x) for x in matrix.interval[at])
    controls = matrix.control_rate[at]
    return [
        str(matrix.n_neurons[a]),
        _percent(clean),
        _percent(float(matrix.rate[at])),
        f"{100 * float(matrix.effect[at]):+.0f} [{low:+.0f}, {high:+.0f}]" if matrix.n_neurons[a] else "-",
        f"{float(matrix.p[at]):.3f}" if matrix.n_neurons[a] else "-",
        _percent(float(matrix.rate[place, v, others].mean())) if others else "-",
        _span(float(controls.min()), float(controls.max())) if len(controls) else "-",
    ]


def _span(low: float, high: float) -> str:
    return _percent(low) if low == high else f"{100 * low:.0f}-{_percent(high)}"


def _percent(rate: float) -> str:
    return "-" if rate != rate else f"{100 * rate:.0f}%"


def _names(given: str | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(name.strip() for name in given.split(",") if name.strip())


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of controls and intervals.")] = 0,
) -> None:
    """The whole job, offline, on a shipped organism and the packaged bank; under a minute on two cores."""
    from .organisms import organism_folder

    settings = {
        "fillings": "held_out",
        "per_group": 20,
        "per_value": 12,
        "n_neurons": 24,
        "controls": 1,
        "max_tokens": 4096,
        "seed": seed,
    }
    _execute({"model": str(organism_folder(DEMO_ORGANISM)), **settings}, out)


@app.command()
def run(
    model: Annotated[str, typer.Option(help="Hub name, local Hugging Face folder, or a shipped organism's name.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    engine: Annotated[str, typer.Option(help="bridge, or hooked (HookedTransformer, transformer-lens 3).")] = "bridge",
    texts: Annotated[str, typer.Option(help="Texts to count on: bank, a .jsonl path, or a hub data set.")] = "bank",
    dilemmas: Annotated[str, typer.Option(help="Dilemmas to test on: bank, a .jsonl path, or a hub data set.")] = "bank",
    values: Annotated[str | None, typer.Option(help="Values, separated by commas (default: all).")] = None,
    languages: Annotated[str | None, typer.Option(help="Languages, separated by commas (default: all).")] = None,
    fillings: Annotated[str, typer.Option(help="Slot fillings of the bank: all, training, held_out.")] = "all",
    per_group: Annotated[int, typer.Option(help="Texts per value, aspect and language.")] = 100,
    per_value: Annotated[int, typer.Option(help="Dilemmas per value and language.")] = 20,
    site: Annotated[str, typer.Option(help="post (what multiplies W_out) or gate (as in the papers).")] = "post",
    method: Annotated[str, typer.Option(help="Whose neurons are ablated: vape or opposition.")] = "vape",
    n_neurons: Annotated[int | None, typer.Option(help="Highest scores per value, instead of the published rule.")] = None,
    top: Annotated[float, typer.Option(help="VAPE: share of neurons of lowest entropy.")] = 0.01,
    filter: Annotated[float, typer.Option(help="VAPE: quantile a firing probability must exceed.")] = 0.95,
    bar: Annotated[float, typer.Option(help="VAPE: quantile that assigns a neuron to a value.")] = 0.95,
    threshold: Annotated[float, typer.Option(help="Opposition: least difference of firing probability.")] = 0.03,
    controls: Annotated[int, typer.Option(help="Matched random neuron sets per value.")] = 5,
    scoring: Annotated[str, typer.Option(help="label (A or B) or continuation (the option's words).")] = "label",
    too_long: Annotated[str, typer.Option(help="Texts beyond the context: refuse or cut.")] = "refuse",
    max_tokens: Annotated[int, typer.Option(help="Padded tokens per batch.")] = 2048,
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16.")] = "float32",
    seed: Annotated[int, typer.Option(help="Seed of the bank, controls and intervals.")] = 0,
) -> None:
    """The same job on any model and data."""
    settings = {name: given for name, given in locals().items() if name != "out"}
    settings |= {"values": _names(values), "languages": _names(languages)}
    from .organisms import organism_folder, organism_names

    if model in organism_names() and not Path(model).exists():
        settings["model"] = str(organism_folder(model))
    _execute(settings, out)


@app.command()
def values() -> None:
    """The value systems: names and definitions."""
    from .values import SYSTEMS

    for system in SYSTEMS.values():
        table = Table(title=system.name, title_justify="left")
        for heading in ("value", "中文", "definition"):
            table.add_column(heading)
        for value in system:
            table.add_row(value.name, value.label("zh"), value.definition)
        console.print(table)


@app.command()
def version() -> None:
    """The versions of value_lens and transformer-lens."""
    from .model.load import transformer_lens_version

    console.print(f"value_lens {__version__}, transformer-lens {transformer_lens_version()}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    app()
