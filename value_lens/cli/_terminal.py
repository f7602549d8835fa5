"""The terminal application: errors and interrupts, options of commands, progress, silence of other libraries."""

import dataclasses
import inspect
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from ..errors import ValueLensError

INTERRUPTED = 130
Options = TypeVar("Options")
console = Console()

MakeCommand = Callable[[str, Sequence[str]], Any]
_BUILDERS: dict[str, MakeCommand] = {}


def build_when_used(name: str, make: MakeCommand) -> None:
    """Let a command be replaced, when it is used, by `make(name, arguments)`: its options depend on what is imported then."""
    _BUILDERS[name] = make


class _Commands(TyperGroup):
    """The commands. Errors of the library become one clear line and exit code 1, interrupts exit code 130."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ValueLensError as error:
            Console(stderr=True).print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            Console(stderr=True).print("[red]interrupted[/red]; files already written are whole")
            raise typer.Exit(INTERRUPTED) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name in _BUILDERS:
            command = _BUILDERS[name](name, rest)
        return name, command, rest


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    help="Find the neurons that carry a human value, and test them.",
)


def options_from(kind: type[Options]) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """A decorator: the fields of a dataclass, annotated as typer's parameters are, become the options of a command."""

    def decorate(command: Callable[[Options], None]) -> Callable[..., None]:
        return with_parameters(
            lambda **parsed: command(kind(**parsed)),
            str(command.__doc__),
            [
                inspect.Parameter(
                    option_field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if option_field.default is dataclasses.MISSING else option_field.default,
                    annotation=option_field.type,
                )
                for option_field in dataclasses.fields(kind)  # pyright: ignore[reportArgumentType]
            ],
            command.__name__,
        )

    return decorate


def with_parameters(
    call: Callable[..., None], help: str, parameters: Sequence[inspect.Parameter], name: str
) -> Callable[..., None]:
    """The function with the name, the help and the parameters that typer reads."""
    call.__name__, call.__doc__ = name, help
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return call


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """A function of (stage, steps done, steps in all) that shows progress while work goes on."""
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console) as progress:

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield report


def quiet_libraries() -> None:
    """Other libraries' progress bars and advice stay out of the terminal."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore")
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def count_from(text: str) -> int | str:
    """A number of records: a whole number, "all" or "default"."""
    if text in ("all", "default"):
        return text
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a whole number nor 'all'") from None


def names_from(text: str | None) -> tuple[str, ...] | None:
    """Names separated by commas; None where there is no text."""
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
