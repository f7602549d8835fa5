"""What does `value-lens run` do, and `value-lens demo`? The main job from a terminal, with its tables and words."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from .terminal import app, console, names, quiet_libraries, reporting

DEMO_ORGANISM = "selective-gelu"


def _execute(settings: dict[str, Any], out: Path) -> None:
    with reporting() as report:
        from .. import store  # slow imports come after the arguments are known to be good

        store.require_writable(out)
        quiet_libraries()
        from ..job import Job, run_job

        result = run_job(Job(**settings), out, report)
    _show(result)
    files = "summary.json, matrix.csv, stats.safetensors, neurons/, effects_*.png, layers.png"
    console.print(f"\nFiles: {out.resolve()}/{files}", markup=False)


def _show(result: Any) -> None:
    from ..report import shown

    matrix = result.matrix
    for place, language in enumerate(matrix.languages):
        table = Table(title=f"Support rate, {language}", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in ("value", "n", "clean", "ablated", "effect [95%]", "p", "others", "controls"):
            table.add_column(heading, justify="left" if heading == "value" else "right", no_wrap=True)
        for v, value in enumerate(matrix.values):
            table.add_row(escape(shown(value)), *_row(matrix, place, v, value))
        console.print(table)
    console.print(_LEGEND, style="dim", highlight=False, markup=False)
    console.print()
    for sentence in result.words:
        console.print(f"• {sentence}", highlight=False, markup=False)


_LEGEND = (
    "n: neurons of the value. clean: its support without an edit. ablated: with its own neurons zeroed. effect: the change in "
    "percentage points, with its bootstrap interval over frames. p: sign-flip p-value over frames, corrected for all cells. others: "
    "mean support while another value's neurons are zeroed. controls: lowest and highest support while matched random neurons are "
    "zeroed."
)


def _row(matrix: Any, place: int, v: int, value: str) -> list[str]:
    clean = float(matrix.clean[place, v])
    if value not in matrix.ablated:
        return ["-", _percent(clean), "-", "-", "-", "-", "-"]
    a = matrix.ablated.index(value)
    at = (place, v, a)
    others = [x for x in range(len(matrix.ablated)) if x != a and matrix.n_neurons[x]]
    low, high = (100 * float(x) for x in matrix.interval[at])
    interval = f"{low:+.0f}, {high:+.0f}" if low <= high else "-"  # NaN where there is no second frame to draw
    controls = matrix.control_rate[at]
    return [
        str(matrix.n_neurons[a]),
        _percent(clean),
        _percent(float(matrix.rate[at])),
        f"{100 * float(matrix.effect[at]):+.0f} [{interval}]" if matrix.n_neurons[a] else "-",
        f"{float(matrix.p[at]):.3f}" if matrix.n_neurons[a] else "-",
        _percent(float(matrix.rate[place, v, others].mean())) if others else "-",
        _span(float(controls.min()), float(controls.max())) if len(controls) else "-",
    ]


def _span(low: float, high: float) -> str:
    return f"{100 * low:.0f}-{_percent(high)}" if low < high else _percent(low)


def _percent(rate: float) -> str:
    return "-" if rate != rate else f"{100 * rate:.0f}%"


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of controls and intervals.")] = 0,
) -> None:
    """The whole job, offline, on a shipped organism and the packaged bank; under a minute on two cores."""
    from ..organisms import organism_folder

    settings = {
        "fillings": "held_out",
        "per_group": 24,  # each frame of the activation split in both its situations
        "per_value": 12,  # each frame of the evaluation split once
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
    texts: Annotated[
        str, typer.Option(help="Texts to count on: bank, a source (`value-lens sources`), a file, a hub name.")
    ] = "bank",
    dilemmas: Annotated[str, typer.Option(help="Dilemmas to test on: as for texts.")] = "bank",
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
    wording: Annotated[
        str | None,
        typer.Option(
            help="Words around a dilemma: verb, clause or cloze (continuation), or a JSON file by language, "
            '{"en": {"prompt": ..., "answers": ...}} (default: the data set\'s own, else letters or verb).'
        ),
    ] = None,
    too_long: Annotated[str, typer.Option(help="Texts beyond the context: refuse or cut.")] = "refuse",
    max_tokens: Annotated[int, typer.Option(help="Padded tokens per batch.")] = 2048,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Keep good rows of a source; write bad ones to a file beside it.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    dtype: Annotated[str, typer.Option(help="float32, bfloat16 or float16.")] = "float32",
    seed: Annotated[int, typer.Option(help="Seed of the bank, controls and intervals.")] = 0,
) -> None:
    """The same job on any model and data."""
    settings = {name: given for name, given in locals().items() if name != "out"}
    settings |= {"values": names(values), "languages": names(languages)}
    from ..organisms import organism_folder, organism_names

    if model in organism_names() and not Path(model).exists():
        settings["model"] = str(organism_folder(model))
    _execute(settings, out)
