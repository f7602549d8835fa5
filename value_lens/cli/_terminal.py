"""Progress, one-line errors and silence of other libraries in the terminal."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..errors import ValueLensError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Find the neurons that carry a human value, and test them.")
console = Console()


@contextmanager
def reporting() -> Iterator[Any]:
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
        Console(stderr=True).print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        Console(stderr=True).print("[red]interrupted[/red]; files already written are whole")
        raise typer.Exit(130) from None


def quiet_libraries() -> None:
    """The terminal belongs to the job: other libraries' progress bars and advice stay out of it."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore")
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def counted(what: str, from_bank: int) -> Any:
    """The option for a number of records of each group."""
    default = f"{from_bank} of the bank, all of another source"
    return typer.Option(parser=_count, metavar="N|all", show_default=default, help=what)


def _count(given: str) -> "int | str | None":
    """What a number of records is given as: a count, "all" (None), or, where nothing is given, "default"."""
    if given in ("all", "default"):
        return None if given == "all" else given
    try:
        return int(given)
    except ValueError:
        raise typer.BadParameter(f"{given!r} is neither a whole number nor 'all'") from None


def names(given: str | None) -> tuple[str, ...] | None:
    """Names separated by commas; None where nothing is given."""
    return None if given is None else tuple(name.strip() for name in given.split(",") if name.strip())
