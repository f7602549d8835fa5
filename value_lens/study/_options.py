"""Options of a configuration, read from the metadata of its fields, and the checks of their values."""

import types
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin

from ..errors import DataError, UnknownNameError, ValueLensError, quoted

Count = int | Literal["default", "all"]  # "default": the bank's number, and all of any other source
Names = tuple[str, ...]


def option(
    default: Any = MISSING,
    *,
    help: str,
    name: str = "",
    choices: Callable[[], Collection[str]] | None = None,
    least: int | None = None,
    share: bool = False,
    show: str = "",
    repeated: bool = False,
) -> Any:
    """A field of a part of the configuration.

    Args:
        default: its value where none is given; without one it is required.
        help: one line, for the terminal and the configuration file.
        name: the terminal's name of it, where that is not the field's.
        choices: a function that returns the only values, or {value: its help}.
        least: the least number.
        share: whether it must be a share above 0 and not above 1.
        show: the default in words, where its value does not say enough.
        repeated: whether a list is given by repeating the terminal's option, instead of with commas.
    """
    metadata = {
        "help": help,
        "name": name,
        "choices": choices,
        "least": least,
        "share": share,
        "show": show,
        "repeated": repeated,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Option:
    """One setting: its place in the configuration, the name that terminal and errors use, and what its field says of it."""

    path: tuple[str, ...]
    name: str
    type: Any
    default: Any
    help: str
    choices: Callable[[], Collection[str]] | None
    least: int | None
    share: bool
    show: str
    repeated: bool

    @property
    def field(self) -> str:
        """Its place in a file: "locate.method"."""
        return ".".join(self.path)

    @property
    def base(self) -> Any:
        """Its type where it is not null: `Count`, `Names`, str, int, float or bool."""
        if self.type == Count:
            return Count
        return next(kind for kind in _alternatives(self.type) if kind is not type(None))

    @property
    def help_with_choices(self) -> str:
        """Its help, with that of its choices where they have one."""
        choices = {} if self.choices is None else self.choices()
        return " ".join([self.help, *(f"{name}: {choices[name]}" for name in choices if isinstance(choices, Mapping))])

    def normal(self, value: Any) -> Any:
        """The value as it is stored: lists as tuples, whole numbers as such with a point where the option has one."""
        if isinstance(value, list) and Names in _alternatives(self.type):
            return tuple(value)
        return float(value) if self.type is float and isinstance(value, int) and not isinstance(value, bool) else value

    def check(self, value: Any) -> None:
        """Raise `DataError` for a value of another type or out of range, `UnknownNameError` for one that is no choice."""
        if not any(_is_instance(value, kind) for kind in _alternatives(self.type)):
            raise DataError(f"{self.name}: expected {_words(self.type)}, got {quoted(value)}")
        if value is None:
            return
        if self.choices is not None and value not in self.choices():
            raise UnknownNameError(self.name, value, tuple(self.choices()))
        if self.type == Count and isinstance(value, int) and value < 1:
            raise DataError(f"{self.name} is {value}; give a count of at least 1, or 'all'")
        if self.least is not None and value < self.least:
            raise DataError(f"{self.name} is {value}; give a count of at least {self.least}")
        if self.share and not 0 < value <= 1:  # so written, it refuses NaN, too
            raise DataError(f"{self.name} is {value}; give a share above 0 and not above 1")

    def problem(self, value: Any) -> str:
        """What `check` says, or nothing."""
        try:
            self.check(value)
        except ValueLensError as error:
            return str(error)
        return ""


def options_of(part: type, path: tuple[str, ...] = ()) -> Iterator[Option]:
    """All options of a configuration and of its parts, in the order of their fields."""
    for one in fields(part):
        option_path = (*path, one.name)
        if isinstance(one.type, type) and is_dataclass(one.type):
            yield from options_of(one.type, option_path)
        else:
            metadata = dict(one.metadata)
            metadata["name"] = metadata["name"] or one.name
            yield Option(path=option_path, type=one.type, default=one.default, **metadata)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (types.UnionType, Union) else (kind,)


def _is_instance(value: Any, kind: Any) -> bool:
    if kind == Names:
        return isinstance(value, tuple) and all(isinstance(name, str) for name in value)
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    return type(value) is kind or (kind is type(None) and value is None)


_WORDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Names: "a list of texts",
    type(None): "null",
}


def _words(kind: Any) -> str:
    parts = [" or ".join(get_args(part)) if get_origin(part) is Literal else _WORDS[part] for part in _alternatives(kind)]
    return " or ".join(parts)
