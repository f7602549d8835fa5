"""Terminal commands whose options are the fields of the study's configuration."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._terminal import build_when_used, count_from, names_from, with_parameters

if TYPE_CHECKING:
    from ..study import Option

Action = Callable[[dict[str, Any]], None]
CONFIG = "A configuration file, YAML or JSON (see `value-lens config`); options given here win over it."


def study_command(name: str, action: Action) -> None:
    """Make a registered command one that takes a study's options, and calls `action({option: setting})` with those that are set.

    The options are made when the command is used, so that the list of commands needs no heavy library.
    """
    build_when_used(name, lambda name, arguments: _command(name, arguments, action))


def _command(name: str, arguments: Sequence[str], action: Action) -> Any:
    from ..study import Names, load_used, options_in, study_options

    load_used(_use_paths(arguments))  # first: the options tell of their strategies
    options = study_options()
    lists = {option.name for option in options if option.base == Names and not option.repeated}

    def call(**parsed: Any) -> None:
        config = parsed.pop("config")
        set_options = {name: setting for name, setting in parsed.items() if setting not in (None, [], ())}
        settings = {} if config is None else options_in(config)
        action(settings | {name: names_from(set_options[name]) if name in lists else set_options[name] for name in set_options})

    parameters = [_parameter("config", Path, typer.Option(help=CONFIG)), *map(_option_parameter, options)]
    command_app = typer.Typer(add_completion=False)
    command_app.command(name)(with_parameters(call, str(action.__doc__), parameters, name))
    return typer.main.get_command(command_app)


def _use_paths(arguments: Sequence[str]) -> Iterator[str]:
    """The files of `--use`, wherever it stands, also beside `--help`."""
    for index, argument in enumerate(arguments):
        if argument == "--use" and index + 1 < len(arguments):
            yield arguments[index + 1]
        elif argument.startswith("--use="):
            yield argument.removeprefix("--use=")


def _parameter(name: str, kind: Any, option: Any) -> inspect.Parameter:
    """A parameter that is None where its option is not on the command line."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


def _option_parameter(option: "Option") -> inspect.Parameter:
    from ..study import Count, Names

    flag = f"--{option.name.replace('_', '-')}"
    panel = option.path[0].capitalize() if len(option.path) > 1 else None
    common: dict[str, Any] = {"help": _help(option), "show_default": False, "rich_help_panel": panel}
    if option.base == Count:
        return _parameter(option.name, Any, typer.Option(flag, parser=count_from, metavar="N|all", **common))
    if option.base == Names and not option.repeated:
        return _parameter(option.name, str, typer.Option(flag, metavar="NAME,NAME,...", **common))
    if option.repeated:
        return _parameter(option.name, list[str], typer.Option(flag, metavar="FILE", **common))
    return _parameter(option.name, option.base, typer.Option(flag, **common))


def _help(option: "Option") -> str:
    """The help with the default, which typer cannot tell: its own default means that the option is not on the command line."""
    unset = any(option.default is empty for empty in (None, False, MISSING)) or option.default == ()
    default = option.show or ("" if unset else str(option.default))
    return f"{option.help_with_choices.removesuffix('.')} (default: {default})." if default else option.help_with_choices
