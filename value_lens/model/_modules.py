"""One walk over a model's modules: structure, training flags, hooks."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import is_
from typing import Any

from torch import Tensor, nn

from ._items import MARK
from ._root import root_of


@dataclass(frozen=True)
class Modules:
    """Every module once, a bridge's and those of the model it wraps; the ones training; {id: module} hooked; and their weights.

    Without offloaded weights: each run leaves new empty ones in their place.
    """

    all: tuple[nn.Module, ...]
    weights: tuple[Tensor, ...]
    training: tuple[nn.Module, ...]
    hooked: dict[int, nn.Module]

    def has_structure_of(self, other: "Modules") -> bool:
        """Whether the two have the very same modules and weights."""
        return _are_same(self.all, other.all) and _are_same(self.weights, other.weights)

    def user_hooks(self) -> tuple[int, ...]:
        """The numbers of all forward hooks but the library's own; PyTorch gives every registration another."""
        return tuple(
            key
            for module in self.hooked.values()
            for hooks in (module._forward_hooks, module._forward_pre_hooks)
            for key, hook in hooks.items()
            if not getattr(hook, "__name__", "").startswith(MARK) and not records_outputs(hook)
        )


def walk(model: Any) -> Modules:
    """Without recursion: several times faster than `modules()`, and this stands before every run."""
    modules: dict[int, nn.Module] = {}
    weights: dict[int, Tensor] = {}
    training: list[nn.Module] = []
    hooked: dict[int, nn.Module] = {}
    pending = [root for root in (root_of(model), model) if isinstance(root, nn.Module)]
    while pending:
        module = pending.pop()
        if id(module) in modules:
            continue
        modules[id(module)] = module
        if module.training:
            training.append(module)
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks:
            hooked[id(module)] = module
        if module._parameters:
            loaded = (weight for weight in module._parameters.values() if weight is not None and not weight.is_meta)
            weights.update((id(weight), weight) for weight in loaded)
        pending.extend(part for part in module._modules.values() if part is not None)
    return Modules(tuple(modules.values()), tuple(weights.values()), tuple(training), hooked)


def records_outputs(hook: Any) -> bool:
    """Whether it is one of those by which transformers itself records outputs."""
    return getattr(hook, "__module__", "").startswith("transformers.")


def points(model: Any) -> Iterator[nn.Module]:
    """The hook points within a module."""
    return (part for part in model.modules() if hasattr(part, "fwd_hooks"))


def _are_same(first: tuple[Any, ...], second: tuple[Any, ...]) -> bool:
    return len(first) == len(second) and all(map(is_, first, second))
