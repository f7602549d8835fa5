"""Choosing the next token, greedy or sampled, independent of the rest of the batch."""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import NotFiniteError

Choose = Callable[[Float[Tensor, "batch d_vocab"], int], Int[Tensor, "batch"]]  # logits and the step -> the next tokens


def chooser(
    seeds: Sequence[int], temperature: float, banned_at_first: Sequence[int] = (), known: Collection[int] | None = None
) -> Callable[[Tensor, int], Tensor]:
    """Greedy at temperature 0; above it a sample by Gumbel noise, drawn for each row and step from that row's own seed.

    banned_at_first: tokens that cannot be the first of a continuation. known: the tokens that can be chosen at all, None for any:
    many models have more rows of logits than their tokenizer has tokens.
    """

    @lru_cache(maxsize=2)
    def banned(n_logits: int, first: bool) -> Tensor:
        row = torch.zeros(n_logits, dtype=torch.bool)
        if known is not None:
            row[:] = True
            row[[token for token in known if token < n_logits]] = False
        if first:
            row[[token for token in banned_at_first if token < n_logits]] = True
        return row

    def choose(logits: Tensor, step: int) -> Tensor:
        logits = logits.float().cpu()
        if bool(logits.isnan().any()):
            raise NotFiniteError(
                f"the logits of step {step} are NaN, so no token can be chosen; the weights or the dtype are at fault"
            )
        logits = logits.masked_fill(banned(logits.shape[-1], step == 0), -torch.inf)
        if temperature > 0:
            logits = logits / temperature + torch.stack([_gumbel(seed, step, logits.shape[-1]) for seed in seeds])
        return logits.argmax(-1)

    return choose


def _gumbel(seed: int, step: int, n: int) -> Tensor:
    uniform = torch.rand(n, generator=torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63))
    return -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
