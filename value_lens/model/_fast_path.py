"""The fast path of a bridge: attention and norms without hooks run as Hugging Face's own.

A bridge rebuilds attention step by step so that its scores and patterns can be hooked, and computes each norm twice. Neurons need
none of it: a component is bypassed for one run when nothing in it is hooked and its weights are those of the original.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from ._lease import Item
from ._modules import points, records_outputs
from ._patches import ATTENTION_SETTING, own_forwards

NORMS = ("ln1", "ln2", "ln1_post", "ln2_post")


@dataclass(frozen=True)
class Component:
    """A component of a bridge that can be bypassed, and the ids of the hook points within it."""

    part: Any
    points: frozenset[int]

    def is_free(self, hooked: Mapping[int, nn.Module], extra_points: Collection[int]) -> bool:
        """Nothing is hooked in it, and nothing else overrides its forward.

        PyTorch's own hooks count on the original module, which the bridge may not call; those of its parts act either way.
        """
        if "forward" in self.part.__dict__ or not self.points.isdisjoint(hooked) or not self.points.isdisjoint(extra_points):
            return False
        original = self.part.original_component
        return id(original) not in hooked or not _has_user_hooks(original)


@dataclass(frozen=True)
class Components:
    """A bridge's norms and, where PyTorch's fused kernel can take their place, the attention of all its blocks.

    Good for as long as the bridge keeps its modules and weights.
    """

    norms: tuple[Component, ...] = ()
    attention: tuple[Component, ...] = ()

    def fast_path(self, hooked: Mapping[int, nn.Module], extra_points: Collection[int] = ()) -> "FastPath":
        """Those that can be bypassed now. hooked: {id: module}; also: ids of hook points about to be hooked."""
        norms = tuple(norm.part for norm in self.norms if norm.is_free(hooked, extra_points))
        fused = all(
            attention.is_free(hooked, extra_points) for attention in self.attention
        )  # all or none: one mask serves them all
        return FastPath(norms, tuple(attention.part for attention in self.attention) if fused else ())


@dataclass(frozen=True)
class FastPath:
    """Components that are bypassed in a run."""

    norms: tuple[Any, ...] = ()
    attention: tuple[Any, ...] = ()

    @property
    def key(self) -> tuple[int, ...]:
        return tuple(map(id, (*self.norms, *self.attention)))

    def items(self) -> list[Item]:
        """What makes them run as the original modules, attention by PyTorch's fused kernel."""
        return own_forwards(self.norms, self.attention)


def components(bridge: Any) -> Components:
    """The components of a bridge that can be bypassed where nothing hooks them."""
    original, blocks = bridge.original_model, list(getattr(bridge, "blocks", ()))
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
        and ATTENTION_SETTING in getattr(getattr(original, "config", None), "__dict__", ())
    )


def _wraps(component: Any) -> bool:
    """It has no weights of its own: those of joint projections are split copies."""
    original = component.original_component
    if original is None:
        return False
    return {id(weight) for weight in component.parameters()} == {id(weight) for weight in original.parameters()}


def _has_user_hooks(original: nn.Module) -> bool:
    """PyTorch hooks but for those by which transformers itself records outputs."""
    hooks = [*original._forward_hooks.values(), *original._forward_pre_hooks.values()]
    return not all(map(records_outputs, hooks))
