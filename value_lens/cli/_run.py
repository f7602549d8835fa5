"""Terminal command `run`."""

from collections.abc import Mapping
from typing import Any

from ._study_command import study_command
from ._tables import show
from ._terminal import app, console, progress_bars, quiet_libraries

FILES = "summary.json, matrix.csv, stats.safetensors, neurons/, effects_*.png, layers.png"


@app.command()
def run() -> None:
    """Find a model's value neurons and test them, on any data; options are of the command line, or of a configuration file."""


def run_and_show(settings: Mapping[str, Any]) -> None:
    """Find a model's value neurons and test them, on any data; options are of the command line, or of a configuration file."""
    from ..study import Study, require_output, run_study

    quiet_libraries()
    study = Study.from_options(settings)
    out = require_output(study)
    with progress_bars() as report:
        result = run_study(study, on_progress=report)
    show(result.matrix, result.words)
    console.print(f"\nFiles: {out.resolve()}/{FILES}", markup=False)


study_command("run", run_and_show)
