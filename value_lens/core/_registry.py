"""Registries: the named strategies of one kind, from the library, from plug-ins and from a user's own file."""

import importlib
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Generic, TypeVar

from ..errors import StrategyError, UnknownNameError, quoted
from ._parameters import Parameter, first_line, inputs_of, parameters_of

Strategy = TypeVar("Strategy", bound=Callable[..., Any])

REGISTRIES: "list[Registry[Any]]" = []


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A registered strategy, and what the rest of the library must know of it. Calling it calls `object`.

    Attributes:
        name: what it is called in configurations and in the terminal.
        object: the function or class itself.
        help: one line on what it does.
        source: the paper, equation or code that it follows; "" for none.
        origin: the module and the name of `object`, for errors.
    """

    name: str
    object: Callable[..., Any]
    help: str
    source: str = ""
    origin: str = field(default="", compare=False)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """What `object` returns for these arguments."""
        return self.object(*args, **options)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """{name: parameter} of the options of `object`: its parameters with a default."""
        return parameters_of(self.object)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what `object` cannot be called without, such as "stats"."""
        return inputs_of(self.object)


EntryKind = TypeVar("EntryKind", bound=Entry)


class Registry(Mapping[str, EntryKind], Generic[EntryKind]):
    """The strategies of one kind by name, in alphabetical order.

    Modules of the room in which a registry lives, and plug-ins of its entry-point group, are imported when a name is looked up that
    is not known yet, or when all names are asked for. An entry point names a module that registers, or the object to register.

    >>> colours = Registry("colour", Entry)
    >>> @colours.register("grey")
    ... def grey(*, level: float = 0.5) -> str:
    ...     "Between black and white."
    ...     return f"grey {level}"
    >>> colours["grey"](level=0.2), colours["grey"].help, colours["grey"].parameters["level"].default
    ('grey 0.2', 'Between black and white.', 0.5)
    """

    def __init__(self, kind: str, entry: type[EntryKind], *, room: str = "", group: str = "") -> None:
        """An empty registry.

        Args:
            kind: what its entries are, for errors: "method".
            entry: the class of its entries.
            room: the package whose modules register here, e.g. `__package__`.
            group: the entry-point group of plug-ins, e.g. "value_lens.methods".
        """
        self.kind, self.group = kind, group
        self._entry, self._room = entry, room
        self._entries: dict[str, EntryKind] = {}
        self._complete = self._completing = False
        REGISTRIES.append(self)

    def register(self, name: str, *, help: str = "", **facts: Any) -> Callable[[Strategy], Strategy]:
        """A decorator that registers a function or class and returns it as it is.

        Args:
            name: a new name; letters, digits and underscores.
            help: one line; the first of the docstring where none is given.
            facts: the other fields of this registry's entries, such as `source`.

        Raises:
            StrategyError: for a name that another object has, or that is not a name.
        """

        def decorate(strategy: Strategy) -> Strategy:
            origin = f"{getattr(strategy, '__module__', '?')}.{getattr(strategy, '__qualname__', repr(strategy))}"
            entry = self._entry(name=name, object=strategy, help=help or first_line(strategy), origin=origin, **facts)
            self._add(entry)
            return strategy

        return decorate

    def _add(self, entry: EntryKind) -> None:
        if not (isinstance(entry.name, str) and entry.name.isidentifier()):
            raise StrategyError(
                f"{quoted(entry.name)} is not a valid name of a {self.kind}; use letters, digits and underscores"
            )
        other = self._entries.get(entry.name)
        again = other is not None and other.origin == entry.origin and entry.origin.startswith("__main__.")  # a cell run again
        if other is not None and other.object is not entry.object and not again:
            raise StrategyError(
                f"two {self.kind}s have the name {entry.name!r}: {other.origin} and {entry.origin}; give one of them another name"
            )
        self._entries[entry.name] = entry

    def __getitem__(self, name: object) -> EntryKind:
        """The entry of a name.

        Raises:
            UnknownNameError: for a name that is not registered; it lists those that are.
        """
        if not isinstance(name, str) or name not in self._entries:
            self._fill()
        if not isinstance(name, str) or name not in self._entries:
            raise UnknownNameError(self.kind, name, sorted(self._entries))
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._fill()
        return len(self._entries)

    def __repr__(self) -> str:
        lines = [f"  {name}: {entry.help}" for name, entry in self.items()]
        return "\n".join([f"{len(self)} {self.kind}{'s' * (len(self) != 1)}", *lines])

    def _fill(self) -> None:
        """Import all that may register here, once."""
        if self._complete or self._completing:
            return
        self._completing = True  # a module of the room may look something up while it is imported
        try:
            if self._room:
                for module in pkgutil.iter_modules(importlib.import_module(self._room).__path__):
                    importlib.import_module(f"{self._room}.{module.name}")
            self._complete = True
            for point in metadata.entry_points(group=self.group) if self.group else ():
                self._add_plugin(point)
        finally:
            self._completing = False

    def _add_plugin(self, point: metadata.EntryPoint) -> None:
        """Load one entry point. One that fails is told in a warning: it must not take the others away."""
        before = dict(self._entries)
        try:
            strategy = point.load()
            if callable(strategy) and all(entry.object is not strategy for entry in self._entries.values()):
                self.register(point.name)(strategy)
        except Exception as error:
            self._entries = before
            warnings.warn(
                f"the {self.kind} {point.name!r} of a plug-in ({point.value}) could not be loaded: {type(error).__name__}: {error}",
                stacklevel=2,
            )


def entries_now() -> list[dict[str, Any]]:
    """The entries of all registries, for `put_back`."""
    for registry in REGISTRIES:
        registry._fill()  # else what is imported meanwhile would be lost
    return [dict(registry._entries) for registry in REGISTRIES]


def put_back(entries: Sequence[Mapping[str, Any]]) -> None:
    """Make the entries of all registries again what `entries_now` returned."""
    for registry, earlier in zip(REGISTRIES, entries, strict=False):
        registry._entries = dict(earlier)


def forget(module: str) -> None:
    """Remove what a module registered, before it is run again."""
    for registry in REGISTRIES:
        registry._entries = {k: entry for k, entry in registry._entries.items() if not entry.origin.startswith(f"{module}.")}
