"""The fast path: attention and norms without hooks run as Hugging Face's own.

A bridge rebuilds attention step by step so that its scores and patterns can be hooked, and computes each norm twice. Neurons need
none of it: a component steps aside for one run when nothing in it is hooked and its weights are those of the original.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from ._attachment import Item
from ._attachments import Setting, StandIn
from ._parts import points, records_outputs

NORMS = ("ln1", "ln2", "ln1_post", "ln2_post")
SETTING = "_attn_implementation_internal"  # what a configuration keeps `_attn_implementation` in, its sub-configurations apart


@dataclass(frozen=True)
class Component:
    """A component of a bridge that could step aside, and the ids of the hook points within it."""

    part: Any
    points: frozenset[int]

    def is_free(self, hooked: Mapping[int, nn.Module], also: Collection[int]) -> bool:
        """Nothing is hooked in it, and no other forward stands in for it.

        PyTorch's own hooks count on the original module, which the bridge may not call; those of its parts act either way.
        """
        if "forward" in self.part.__dict__ or not self.points.isdisjoint(hooked) or not self.points.isdisjoint(also):
            return False
        original = self.part.original_component
        return id(original) not in hooked or not _has_foreign_hooks(original)


@dataclass(frozen=True)
class Components:
    """A bridge's norms and, where PyTorch's fused kernel can take their place, the attention of all its blocks.

    Good for as long as the bridge keeps its modules and weights.
    """

    norms: tuple[Component, ...] = ()
    attention: tuple[Component, ...] = ()

    def aside(self, hooked: Mapping[int, nn.Module], also: Collection[int] = ()) -> "Aside":
        """Those that can step aside now. hooked: {id: module}; also: ids of hook points about to be hooked."""
        norms = tuple(norm.part for norm in self.norms if norm.is_free(hooked, also))
        fused = all(attention.is_free(hooked, also) for attention in self.attention)  # all or none: one mask serves them all
        return Aside(norms, tuple(attention.part for attention in self.attention) if fused else ())


@dataclass(frozen=True)
class Aside:
    """Components that step aside for a run."""

    norms: tuple[Any, ...] = ()
    attention: tuple[Any, ...] = ()

    @property
    def key(self) -> tuple[int, ...]:
        return tuple(map(id, (*self.norms, *self.attention)))

    def items(self) -> list[Item]:
        """What makes them run as the original modules, attention by PyTorch's fused kernel."""
        configs = {id(part.original_component.config): part.original_component.config for part in self.attention}
        stand_ins = [StandIn(part, part.original_component) for part in (*self.norms, *self.attention)]
        return [*stand_ins, *(Setting(config, SETTING, "sdpa") for config in configs.values())]


def components(model: Any) -> Components:
    """Of a bridge; a HookedTransformer has none."""
    original, blocks = getattr(model, "original_model", None), list(getattr(model, "blocks", ()))
    if original is None:
        return Components()
    norms = [getattr(block, name) for block in blocks for name in NORMS if hasattr(block, name)]
    attention = [block.attn for block in blocks if hasattr(block, "attn")]
    can_fuse = len(attention) == len(blocks) and bool(getattr(original, "_supports_sdpa", False))
    fused = can_fuse and all(map(_is_fusible, attention))
    return Components(tuple(map(_component, filter(_wraps, norms))), tuple(map(_component, attention)) if fused else ())


def _component(part: Any) -> Component:
    return Component(part, frozenset(map(id, points(part))))


def _is_fusible(attention: Any) -> bool:
    """Fused attention has no soft cap, and knows its implementation from the module's own configuration."""
    original = attention.original_component
    return (
        _wraps(attention)
        and getattr(original, "attn_logit_softcapping", None) is None
        and SETTING in getattr(getattr(original, "config", None), "__dict__", ())
    )


def _wraps(component: Any) -> bool:
    """It has no weights of its own: those of joint projections are split copies."""
    original = component.original_component
    if original is None:
        return False
    return {id(weight) for weight in component.parameters()} == {id(weight) for weight in original.parameters()}


def _has_foreign_hooks(original: nn.Module) -> bool:
    """PyTorch hooks but for those by which transformers itself records outputs."""
    hooks = [*original._forward_hooks.values(), *original._forward_pre_hooks.values()]
    return not all(map(records_outputs, hooks))
