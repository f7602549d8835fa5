"""Items that an attachment puts on a model: hooks, overridden forwards, settings, evaluation mode."""

import itertools
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from ._lease import Lease

HookFunction = Callable[[Tensor], Tensor | None]

MARK = "value_lens hook"  # TransformerLens names the function that it registers after the hook: so ours are known again
_NUMBERS = itertools.count()
_ABSENT = object()


class PointHook:
    """A function (activation -> new activation or None) on a hook point.

    Permanent, so that a `reset_hooks` within the block leaves it.
    """

    def __init__(self, point: Any, function: HookFunction) -> None:
        self.point, self._function = point, function
        self._lease: Lease | None = None
        self._name = f"{MARK} {next(_NUMBERS)}"

    def __repr__(self) -> str:
        return self._name

    def __call__(self, activation: Tensor, hook: Any) -> Tensor | None:
        return self._function(activation) if self._lease is not None and self._lease.acts else None

    def put(self, lease: Lease) -> None:
        self._lease = lease
        self.point.add_hook(self, is_permanent=True)

    def take(self) -> None:
        # By name: an interrupt inside `add_hook` can leave PyTorch's half without TransformerLens's.
        hooks = self.point._forward_hooks
        own_keys = {key for key, hook in hooks.items() if getattr(hook, "__name__", "") == self._name}
        self.point.fwd_hooks = [handle for handle in self.point.fwd_hooks if handle.hook.id not in own_keys]
        for key in own_keys:
            hooks.pop(key, None)


class PreHook:
    """A function on a module's positional arguments, before its forward."""

    def __init__(self, module: nn.Module, function: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
        self._module, self._function = module, function
        self._lease: Lease | None = None

    def __call__(self, module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return self._function(arguments) if self._lease is not None and self._lease.acts else None

    def put(self, lease: Lease) -> None:
        self._lease = lease
        self._module.register_forward_pre_hook(self)

    def take(self) -> None:
        hooks = self._module._forward_pre_hooks
        for key in [key for key, hook in hooks.items() if hook is self]:
            hooks.pop(key, None)


class ForwardOverride:
    """Another forward for a module, in its `__dict__`, since a bridge passes what is set on it to the module it wraps."""

    def __init__(self, module: nn.Module, forward: Callable[..., Any]) -> None:
        self._module, self._forward = module, forward
        self._lease: Lease | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._lease is not None and self._lease.acts:
            return self._forward(*args, **kwargs)
        return type(self._module).forward(self._module, *args, **kwargs)

    def put(self, lease: Lease) -> None:
        self._lease = lease
        self._module.__dict__["forward"] = self

    def take(self) -> None:
        if self._module.__dict__.get("forward") is self:
            self._module.__dict__.pop("forward", None)


class Setting:
    """Another value of an attribute that an object or class has itself; a value that somebody else has set since is left."""

    def __init__(self, owner: Any, name: str, value: Any) -> None:
        self._owner, self._name, self._value = owner, name, value
        self._original = vars(owner).get(name, _ABSENT)

    def put(self, lease: Lease) -> None:
        setattr(self._owner, self._name, self._value)

    def take(self) -> None:
        if vars(self._owner).get(self._name, _ABSENT) is not self._value:
            return
        if self._original is _ABSENT:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._original)


class Evaluation:
    """No dropout and no gradients: the modules that are training are not, and each one's flag is put back."""

    def __init__(self, training: Sequence[nn.Module]) -> None:
        self._training = tuple(training)
        self._gradients, self._thread = torch.is_grad_enabled(), get_ident()

    def put(self, lease: Lease) -> None:
        for module in self._training:
            module.training = False
        torch.set_grad_enabled(False)

    def take(self) -> None:
        if self._gradients and self._thread == get_ident():  # PyTorch keeps it for each thread
            torch.set_grad_enabled(True)
        for module in self._training:
            module.training = True
