"""Attaching items to a model for the length of a block, whatever interrupts it.

An interrupt may come between any two steps, those of cleaning up included. So nothing here counts on its own cleaning:
- what acts during a run (hooks, overridden forwards) asks at every call whether its block is still held, and does nothing if not;
- what must be switched for a run (training flags, settings) is written down before the first switch, and undone twice over;
- whatever is left all the same is undone when the library next enters the model (`heal`).
"""

import itertools
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from contextvars import ContextVar, copy_context
from types import MethodType
from typing import Any, Protocol, TypeVar, runtime_checkable

from ._root import root_of

T = TypeVar("T")

_NUMBERS = itertools.count()
_OPEN: "weakref.WeakKeyDictionary[Any, list[Lease]]" = weakref.WeakKeyDictionary()
_FIRST: ContextVar[int] = ContextVar(
    "number of the first attachment that acts: in a trial run, all older ones pause", default=0
)


@runtime_checkable
class Item(Protocol):
    """One thing to put on a model. `take` undoes it, also where `put` was not begun or not finished, and any number of times."""

    def put(self, lease: "Lease") -> None: ...
    def take(self) -> None: ...


def _no_holder() -> None:
    return None


class Lease:
    """Items on a model, in force while the block that they are there for is held."""

    def __init__(self, model: Any, items: Iterable[Item]) -> None:
        self.open = _leases(model)
        self.items = tuple(items)
        self.number = next(_NUMBERS)
        self.holder: Callable[[], Any] = _no_holder  # a weak reference to what lives as long as the block is held

    @property
    def acts(self) -> bool:
        """Held, and not pausing for a trial run."""
        return self.holder() is not None and self.number >= _FIRST.get()

    def put(self) -> None:
        self.open.append(self)
        for item in self.items:
            item.put(self)

    def undo(self) -> None:
        """Take every item off again. Interrupted, it can be repeated; done, it does nothing."""
        self.holder = _no_holder
        if self in self.open:
            for item in reversed(self.items):
                item.take()
            self.open.remove(self)


def _leases(model: Any) -> list[Lease]:
    """The open leases of a model; a bridge's are those of the model that it wraps."""
    return _OPEN.setdefault(root_of(model), [])


def heal(model: Any) -> None:
    """Undo what interrupted blocks have left on a model."""
    _heal(_leases(model))


def _heal(leases: list[Lease]) -> None:
    for lease in list(leases):
        if lease.holder() is None:
            lease.undo()


class _Exit:
    """The `__exit__` of an attachment: a new object for every block, and the sign that the block is still held.

    A with statement fetches it before it enters and drops it when it is left, or was never entered, by whatever way. The interpreter
    does so itself, with no step between at which an interrupt could come, and nobody else holds that object: as long as it lives, the
    block does. It is dropped also where an exception that is kept (as notebooks do) keeps every frame and variable alive.
    """

    def __get__(self, block: "Attachment | None", kind: Any) -> Any:
        if block is None:  # `contextlib.ExitStack` asks the class, and holds the attachment itself
            return kind._leave
        leave = MethodType(kind._leave, block)
        block._exit = weakref.ref(leave)
        return leave


class Attachment(AbstractContextManager[Any]):
    """A block with items on a model: `with` binds `value`, and calls at_end when it ended without an exception and all is undone."""

    def __init__(
        self, model: Any, items: Iterable[Item] = (), *, value: Any = None, at_end: Callable[[], None] | None = None
    ) -> None:
        self._lease = Lease(model, items)
        self._value, self._at_end = value, at_end
        self._exit: Callable[[], Any] = _no_holder

    @property
    def acts(self) -> bool:
        return self._lease.acts

    def __enter__(self) -> Any:
        if self._lease in self._lease.open:
            raise RuntimeError("this block is already entered")
        _heal(self._lease.open)
        self._lease.holder = weakref.ref(self._exit() or self)  # not by way of a variable: an exception may keep this frame
        try:
            self._lease.put()
        except BaseException:
            self._lease.undo()
            raise
        return self._value

    __exit__: Any = _Exit()

    def _leave(self, kind: Any, error: Any, trace: Any) -> None:
        self._lease.undo()
        if kind is None and self._at_end is not None:
            self._at_end()

    def run(self, function: Callable[[], T], *, trial: bool = False) -> T:
        """`function()` with the items on the model; trial: while all that was attached before does nothing."""
        try:
            with self:
                return copy_context().run(self._run_trial, function) if trial else function()
        finally:
            self._lease.undo()  # what an interrupt within the exit above has left

    def _run_trial(self, function: Callable[[], T]) -> T:
        _FIRST.set(self._lease.number)
        return function()
