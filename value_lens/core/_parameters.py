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
    >>> found = parameters_of(rule)
    >>> found["top"].help, found["ties"].choices
    ('share of neurons that are taken, at most.', ('first', 'all'))
    """
    words = _helps(function)
    return {
        name: Parameter(
            name,
            given.default,
            Any if given.annotation is given.empty else given.annotation,
            words.get(name, ""),
            get_args(given.annotation) if get_origin(given.annotation) is Literal else (),
        )
        for name, given in _signature(function).parameters.items()
        if given.default is not given.empty
    }


def inputs_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the parameters without a default."""
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    given = _signature(function).parameters.values()
    return tuple(one.name for one in given if one.default is one.empty and one.kind not in stars)


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
    found: dict[str, list[str]] = {}
    lines = (inspect.getdoc(function) or "").split("\n")
    section = lines[lines.index("Args:") + 1 :] if "Args:" in lines else []
    name = ""
    for line in section:
        if line and not line.startswith(" "):  # the next section
            break
        begun = _ARGUMENT.match(line)
        if begun is not None:
            name = begun["name"]
        if name:
            found.setdefault(name, []).append(begun["help"] if begun is not None else line.strip())
    return {name: " ".join(filter(None, words)) for name, words in found.items()}
