"""How does a bridge run fast where nobody looks? Attention and norms without hooks run as Hugging Face's own.

A bridge rebuilds attention step by step so that its scores and patterns can be hooked, and computes each norm twice. Neurons need
none of it: a component steps aside for one run when nothing in it is hooked and its weights are those of the original.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

NORMS = ("ln1", "ln2", "ln1_post", "ln2_post")
AGREEMENT = 1000  # roundings that logits may differ by, of the largest one; bfloat16 is held to a tenth


@contextmanager
def native(bridge: Any) -> Iterator[None]:
    """Within it the bridge's unhooked attention and norms run as the original modules, attention by PyTorch's fused kernel.

    Attention steps aside in all blocks or in none, since one mask serves them all. On any exit everything is as before.
    """
    blocks = list(getattr(bridge, "blocks", ()))
    attention = [block.attn for block in blocks if hasattr(block, "attn")]
    fused = len(attention) == len(blocks) > 0 and _can_fuse(bridge.original_model) and all(map(_fusible, attention))
    norms = [getattr(block, name) for block in blocks for name in NORMS if hasattr(block, name)]
    aside = [component for component in norms if _free(component)] + (attention if fused else [])
    configs = {id(part.original_component.config): part.original_component.config for part in attention} if fused else {}
    before = [(config, config._attn_implementation) for config in configs.values()]
    try:
        for component in aside:  # in __dict__, since a bridge passes what is set on it to the module it wraps
            component.__dict__["forward"] = component.original_component
        for config, _ in before:
            config._attn_implementation = "sdpa"
        yield
    finally:
        for config, implementation in before:
            config._attn_implementation = implementation
        for component in aside:
            component.__dict__.pop("forward", None)


def agrees(usual: Tensor, fast: Tensor) -> bool:
    """Whether logits of a trial run are the same but for rounding."""
    tolerance = min(AGREEMENT * torch.finfo(usual.dtype).eps, 0.1) * float(usual.abs().max())
    return float((usual - fast).abs().max()) <= tolerance


def _can_fuse(model: Any) -> bool:
    return bool(getattr(model, "_supports_sdpa", False))


def _fusible(attention: Any) -> bool:
    """Fused attention has no soft cap, and knows its implementation from the module's own configuration."""
    original = attention.original_component
    return (
        _free(attention)
        and getattr(original, "attn_logit_softcapping", None) is None
        and hasattr(getattr(original, "config", None), "_attn_implementation")
    )


def _free(component: Any) -> bool:
    """Nothing hooked in it, and no weights of its own: those of joint projections are split copies."""
    original = component.original_component
    if original is None or "forward" in component.__dict__:
        return False
    if {id(weight) for weight in component.parameters()} != {id(weight) for weight in original.parameters()}:
        return False
    return not any(_is_hooked(part) for part in component.modules())


def _is_hooked(part: nn.Module) -> bool:
    """A hook point with a function; a wrapped module's own PyTorch hooks act either way."""
    hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)
    return hasattr(part, "fwd_hooks") and any(hooks)
