"""How does a bridge run fast where nobody looks? Attention and norms without hooks run as Hugging Face's own.

A bridge rebuilds attention step by step so that its scores and patterns can be hooked, and computes each norm twice. Neurons need
none of it: a component steps aside for one run when nothing in it is hooked and its weights are those of the original.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

NORMS = ("ln1", "ln2", "ln1_post", "ln2_post")
AGREEMENT = 1000  # roundings that log-probabilities may differ by, of the logits' spread; bfloat16 is held to a tenth of it


@dataclass(frozen=True)
class Aside:
    """Which of a bridge's components can step aside now, and the configurations that name their attention's implementation."""

    components: tuple[Any, ...]
    configs: tuple[Any, ...]

    @property
    def key(self) -> tuple[int, ...]:
        return tuple(map(id, self.components))


def aside(bridge: Any) -> Aside:
    """The norms that are free, and attention, in all blocks or in none, since one mask serves them all."""
    blocks = list(getattr(bridge, "blocks", ()))
    attention = [block.attn for block in blocks if hasattr(block, "attn")]
    fused = len(attention) == len(blocks) > 0 and _can_fuse(bridge.original_model) and all(map(_fusible, attention))
    norms = [getattr(block, name) for block in blocks for name in NORMS if hasattr(block, name)]
    configs = {id(part.original_component.config): part.original_component.config for part in attention} if fused else {}
    return Aside((*filter(_free, norms), *(attention if fused else ())), tuple(configs.values()))


@contextmanager
def native(bridge: Any) -> Iterator[None]:
    """Within it what `aside` finds runs as the original modules, attention by PyTorch's fused kernel. After it all is as before."""
    chosen = aside(bridge)
    before = [config._attn_implementation for config in chosen.configs]
    try:
        for component in chosen.components:  # in __dict__, since a bridge passes what is set on it to the module it wraps
            component.__dict__["forward"] = component.original_component
        for config in chosen.configs:
            config._attn_implementation = "sdpa"
        yield
    finally:
        for config, implementation in zip(chosen.configs, before, strict=True):
            config._attn_implementation = implementation
        for component in chosen.components:
            component.__dict__.pop("forward", None)


def difference(first: Float[Tensor, "*pos d_vocab"], second: Float[Tensor, "*pos d_vocab"]) -> float:
    """The largest difference of log-probabilities, in units of what rounding may do; at most 1 for two runs of one model."""
    rounding = min(AGREEMENT * torch.finfo(first.dtype).eps, 0.1) * float(first.float().std(-1).max())
    return float((first.float().log_softmax(-1) - second.float().log_softmax(-1)).abs().max()) / max(rounding, 1e-30)


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
    """Nothing hooked in it, and no weights of its own: those of joint projections are split copies.

    PyTorch's own hooks count on the original module, which the bridge may not call; those of its parts act either way.
    """
    original = component.original_component
    if original is None or "forward" in component.__dict__ or _has_foreign_hooks(original):
        return False
    if {id(weight) for weight in component.parameters()} != {id(weight) for weight in original.parameters()}:
        return False
    return not any(_is_hooked(part) for part in component.modules())


def _is_hooked(part: nn.Module) -> bool:
    """A hook point with a function."""
    hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)
    return hasattr(part, "fwd_hooks") and any(hooks)


def _has_foreign_hooks(original: nn.Module) -> bool:
    """PyTorch hooks but for those by which transformers itself records outputs."""
    hooks = [*original._forward_hooks.values(), *original._forward_pre_hooks.values()]
    return any(not getattr(hook, "__module__", "").startswith("transformers.") for hook in hooks)
