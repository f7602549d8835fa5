"""Terminal command `demo`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ._run import run_and_show
from ._terminal import app

SETTINGS: dict[str, Any] = {
    "model": "selective-gelu",
    "fillings": "held_out",
    "per_group": 24,  # each frame of the activation split in both its situations
    "per_value": 12,  # each frame of the evaluation split once
    "n_neurons": 24,
    "controls": 1,  # for the time; a verdict on what is specific takes 19
    "max_tokens": 4096,
}


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of controls and intervals.")] = 0,
) -> None:
    """The whole job, offline, on a shipped organism and the packaged bank; about a minute on two cores."""
    run_and_show({**SETTINGS, "out": str(out), "seed": seed})
