"""Terminal command `values`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ._terminal import app, console


@app.command()
def values(
    system: Annotated[Path | None, typer.Option(help="A value system of your own, YAML or JSON, to check and show.")] = None,
) -> None:
    """The value systems: names and definitions."""
    from ..systems import SYSTEMS, load_system

    for value_system in SYSTEMS.values() if system is None else [load_system(system)]:
        table = Table(title=escape(value_system.name), title_justify="left")
        for heading in ("value", "labels", "definition"):
            table.add_column(heading)
        for value in value_system:
            table.add_row(*map(escape, (value.name, ", ".join(value.labels.values()), value.definition)))
        console.print(table)
