"""The parameters of a function, described from its signature and docstring, for options and tables."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

_ARGUMENT = re.compile(r" {1,4}(?P<name>\w+): (?P<help>.*)")


@dataclass(frozen=True)
class Parameter:
    """One option of a function.

    Attributes:
        name: as in the signature.
        default: its value where none is given.
        type: its annotation; `Any` where it has none.
        help: its words in the docstring's "Args:"; "" where it has none.
        choices: the values of a `Literal`; () where any is allowed.
    """

    name: str
    default: Any
    type: Any
    help: str = ""
    choices: tuple[Any, ...] = ()


def parameters_of(function: Callable[..., Any]) -> Mapping[str, Parameter]:
    """{name: parameter} of all parameters with a default.

    >>> def rule(*, top: float = 0.01, ties: Literal["first", "all"] = "first"):
    ...     '''Choose.
    ...
    ...     Args:
    ...         top: share of neurons that are taken,
    ...             at most.
    ...     '''
    >>> options = parameters_of(rule)
    >>> options["top"].help, options["ties"].choices
    ('share of neurons that are taken, at most.', ('first', 'all'))
    """
    helps = _helps(function)
    return {
        name: Parameter(
            name,
            parameter.default,
            Any if parameter.annotation is parameter.empty else parameter.annotation,
            helps.get(name, ""),
            get_args(parameter.annotation) if get_origin(parameter.annotation) is Literal else (),
        )
        for name, parameter in _signature(function).parameters.items()
        if parameter.default is not parameter.empty
    }


def inputs_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the parameters without a default."""
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = _signature(function).parameters.values()
    return tuple(
        parameter.name for parameter in parameters if parameter.default is parameter.empty and parameter.kind not in stars
    )


def first_line(function: Callable[..., Any]) -> str:
    """The first line of the docstring; "" without one."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)  # a user's file may postpone its annotations
    except NameError:
        return inspect.signature(function)


def _helps(function: Callable[..., Any]) -> dict[str, str]:
    """{name: help} from the section "Args:"; a line that is indented further continues the one before."""
    helps: dict[str, list[str]] = {}
    lines = (inspect.getdoc(function) or "").split("\n")
    section = lines[lines.index("Args:") + 1 :] if "Args:" in lines else []
    name = ""
    for line in section:
        if line and not line.startswith(" "):  # the next section
            break
        argument = _ARGUMENT.match(line)
        if argument is not None:
            name = argument["name"]
        if name:
            helps.setdefault(name, []).append(argument["help"] if argument is not None else line.strip())
    return {name: " ".join(filter(None, words)) for name, words in helps.items()}
