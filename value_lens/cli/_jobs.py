"""Terminal commands `run` and `demo`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..causal import Controls
from ..data import DEFAULT
from ..study import COMPOSED
from ._tables import show
from ._terminal import app, console, counted, names, quiet_libraries, reporting

DEMO_ORGANISM = "selective-gelu"


def _execute(settings: dict[str, Any], out: Path) -> None:
    with reporting() as report:
        from ..core import _store as store

        store.require_writable(out)
        quiet_libraries()
        from ..study import Job, run_job

        result = run_job(Job(**settings), out, report)
    show(result.matrix, result.words)
    files = "summary.json, matrix.csv, stats.safetensors, neurons/, effects_*.png, layers.png"
    console.print(f"\nFiles: {out.resolve()}/{files}", markup=False)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of controls and intervals.")] = 0,
) -> None:
    """The whole job, offline, on a shipped organism and the packaged bank; about a minute on two cores."""
    from ..organisms import organism_folder

    settings = {
        "fillings": "held_out",
        "per_group": 24,  # each frame of the activation split in both its situations
        "per_value": 12,  # each frame of the evaluation split once
        "n_neurons": 24,
        "controls": 1,  # for the time; a verdict on what is specific takes 19
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
    per_group: Annotated[Any, counted("Texts per value, aspect and language.", COMPOSED["texts"])] = DEFAULT,
    per_value: Annotated[Any, counted("Dilemmas per value and language.", COMPOSED["dilemmas"])] = DEFAULT,
    site: Annotated[str, typer.Option(help="post (what multiplies W_out) or gate (as in the papers).")] = "post",
    method: Annotated[str, typer.Option(help="Whose neurons are ablated: vape or opposition.")] = "vape",
    n_neurons: Annotated[int | None, typer.Option(help="Highest scores per value, instead of the published rule.")] = None,
    top: Annotated[float, typer.Option(help="VAPE: share of neurons of lowest entropy.")] = 0.01,
    filter: Annotated[float, typer.Option(help="VAPE: quantile a firing probability must exceed.")] = 0.95,
    bar: Annotated[float, typer.Option(help="VAPE: quantile that assigns a neuron to a value.")] = 0.95,
    threshold: Annotated[float, typer.Option(help="Opposition: least difference of firing probability.")] = 0.03,
    controls: Annotated[int, typer.Option(help="Matched random neuron sets per value.")] = Controls().n,
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
