"""How is something put on a model for a while? Noted before it is done, and in force no longer than its block, whatever interrupts.

An interrupt may come between any two steps, those of cleaning up included. So nothing here counts on its own cleaning:
- what acts during a run (hooks, forwards that stand in) asks at every call whether its block is still held, and does nothing if not;
- what must be switched for a run (training flags, settings) is written down before the first switch, and undone twice over;
- whatever is left all the same is undone when the library next enters the model (`heal`).
"""

import itertools
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar, copy_context
from threading import get_ident
from types import MethodType
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

HookFunction = Callable[[Tensor], Tensor | None]
T = TypeVar("T")

MARK = "value_lens hook"  # TransformerLens names the function that it registers after the hook: so ours are known again
_NUMBERS = itertools.count()
_ABSENT = object()
_OPEN: "weakref.WeakKeyDictionary[Any, list[Attachment]]" = weakref.WeakKeyDictionary()
_FIRST: ContextVar[int] = ContextVar(
    "number of the first attachment that acts: in a trial run, all older ones pause", default=0
)


@runtime_checkable
class Item(Protocol):
    """One thing to put on a model. `take` undoes it, also where `put` was not begun or not finished, and any number of times."""

    def put(self, owner: "Attachment") -> None: ...
    def take(self) -> None: ...


def _nobody() -> None:
    return None


class _Exit:
    """The `__exit__` of an attachment: a new object for every block, and the sign that the block is still held.

    A with statement fetches it before it enters and drops it when it is left, or was never entered, by whatever way. The interpreter
    does so itself, with no step between at which an interrupt could come, and nobody else holds that object: as long as it lives, the
    block does. It is dropped also where an exception that is kept (as notebooks do) keeps every frame and variable alive.
    """

    def __get__(self, owner: "Attachment | None", kind: Any) -> Any:
        if owner is None:  # `contextlib.ExitStack` asks the class, and holds the attachment itself
            return kind._leave
        leave = MethodType(kind._leave, owner)
        owner._exit = weakref.ref(leave)
        return leave


class Attachment(AbstractContextManager[Any]):
    """Items on a model, in force while a with statement holds this; `value` is what the statement binds.

    at_end: called after a block that ended without an exception, when all is undone.
    """

    def __init__(
        self, model: Any, items: Iterable[Item] = (), *, value: Any = None, at_end: Callable[[], None] | None = None
    ) -> None:
        self._open = _attachments(model)
        self._items = tuple(items)
        self._value, self._at_end = value, at_end
        self._number = next(_NUMBERS)
        self._exit: Callable[[], Any] = _nobody
        self._holder: Callable[[], Any] = _nobody

    @property
    def held(self) -> bool:
        return self._holder() is not None

    @property
    def acts(self) -> bool:
        """Held, and not pausing for a trial run."""
        return self._holder() is not None and self._number >= _FIRST.get()

    def __enter__(self) -> Any:
        if self in self._open:
            raise RuntimeError("this block is already entered")
        _heal(self._open)
        self._holder = weakref.ref(self._exit() or self)  # not by way of a variable: an exception may keep this frame
        try:
            self._open.append(self)
            for item in self._items:
                item.put(self)
        except BaseException:
            self.undo()
            raise
        return self._value

    __exit__: Any = _Exit()

    def _leave(self, kind: Any, error: Any, trace: Any) -> None:
        self.undo()
        if kind is None and self._at_end is not None:
            self._at_end()

    def undo(self) -> None:
        """Take every item off again. Interrupted, it can be repeated; done, it does nothing."""
        self._holder = _nobody
        if self in self._open:
            for item in reversed(self._items):
                item.take()
            self._open.remove(self)

    def run(self, function: Callable[[], T], *, alone: bool = False) -> T:
        """`function()` with the items on the model; alone: while all that was attached before does nothing."""
        try:
            with self:
                return copy_context().run(self._run_alone, function) if alone else function()
        finally:
            self.undo()  # what an interrupt within the exit above has left

    def _run_alone(self, function: Callable[[], T]) -> T:
        _FIRST.set(self._number)
        return function()


def _attachments(model: Any) -> "list[Attachment]":
    """The open attachments of a model; a bridge's are those of the model that it wraps."""
    return _OPEN.setdefault(getattr(model, "original_model", model), [])


def heal(model: Any) -> None:
    """Undo what interrupted blocks have left on a model."""
    _heal(_attachments(model))


def _heal(attachments: "list[Attachment]") -> None:
    for attachment in list(attachments):
        if not attachment.held:
            attachment.undo()


class PointHook:
    """A function (activation -> new activation or None) on a hook point.

    Permanent, so that a `reset_hooks` within the block leaves it.
    """

    def __init__(self, point: Any, function: HookFunction) -> None:
        self.point, self._function = point, function
        self._owner: Attachment | None = None
        self._name = f"{MARK} {next(_NUMBERS)}"

    def __repr__(self) -> str:
        return self._name

    def __call__(self, activation: Tensor, hook: Any) -> Tensor | None:
        return self._function(activation) if self._owner is not None and self._owner.acts else None

    def put(self, owner: Attachment) -> None:
        self._owner = owner
        self.point.add_hook(self, is_permanent=True)

    def take(self) -> None:
        # By name: an interrupt inside `add_hook` can leave PyTorch's half without TransformerLens's.
        hooks = self.point._forward_hooks
        mine = {key for key, hook in hooks.items() if getattr(hook, "__name__", "") == self._name}
        self.point.fwd_hooks = [handle for handle in self.point.fwd_hooks if handle.hook.id not in mine]
        for key in mine:
            hooks.pop(key, None)


class PreHook:
    """A function on a module's positional arguments, before its forward."""

    def __init__(self, module: nn.Module, function: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
        self._module, self._function = module, function
        self._owner: Attachment | None = None

    def __call__(self, module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return self._function(arguments) if self._owner is not None and self._owner.acts else None

    def put(self, owner: Attachment) -> None:
        self._owner = owner
        self._module.register_forward_pre_hook(self)

    def take(self) -> None:
        hooks = self._module._forward_pre_hooks
        for key in [key for key, hook in hooks.items() if hook is self]:
            hooks.pop(key, None)


class StandIn:
    """Another forward for a module, in its `__dict__`, since a bridge passes what is set on it to the module it wraps."""

    def __init__(self, module: nn.Module, forward: Callable[..., Any]) -> None:
        self._module, self._forward = module, forward
        self._owner: Attachment | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._owner is not None and self._owner.acts:
            return self._forward(*args, **kwargs)
        return type(self._module).forward(self._module, *args, **kwargs)

    def put(self, owner: Attachment) -> None:
        self._owner = owner
        self._module.__dict__["forward"] = self

    def take(self) -> None:
        if self._module.__dict__.get("forward") is self:
            self._module.__dict__.pop("forward", None)


class Setting:
    """Another value of an attribute that an object or class has itself; a value that somebody else has set since is left."""

    def __init__(self, owner: Any, name: str, value: Any) -> None:
        self._on, self._name, self._value = owner, name, value
        self._before = vars(owner).get(name, _ABSENT)

    def put(self, owner: Attachment) -> None:
        setattr(self._on, self._name, self._value)

    def take(self) -> None:
        if vars(self._on).get(self._name, _ABSENT) is not self._value:
            return
        if self._before is _ABSENT:
            delattr(self._on, self._name)
        else:
            setattr(self._on, self._name, self._before)


class Evaluation:
    """No dropout and no gradients: the modules that are training are not, and each one's flag is put back."""

    def __init__(self, training: Sequence[nn.Module]) -> None:
        self._training = tuple(training)
        self._gradients, self._thread = torch.is_grad_enabled(), get_ident()

    def put(self, owner: Attachment) -> None:
        for module in self._training:
            module.training = False
        torch.set_grad_enabled(False)

    def take(self) -> None:
        if self._thread == get_ident():  # PyTorch keeps it for each thread
            torch.set_grad_enabled(self._gradients)
        for module in self._training:
            module.training = True
