"""Terminal command `config`."""

from collections.abc import Mapping
from typing import Any

import typer

from ._demo import SETTINGS
from ._study_command import study_command
from ._terminal import app


@app.command()
def config() -> None:
    """Print the configuration of `run`, filled in, for `run --config`."""


def print_config(settings: Mapping[str, Any]) -> None:
    """Print the configuration of `run`, filled in, for `run --config`; without a model, with the demo's."""
    from ..study import Study, study_yaml

    typer.echo(study_yaml(Study.from_options({"model": SETTINGS["model"], **settings})), nl=False)


study_command("config", print_config)
