"""Trial runs: fast path against the bridge's own, and a padded row against the row alone."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Logits = Callable[[Tensor, Tensor], Tensor]  # of tokens and their mask

ROUNDINGS = 1000  # that log-probabilities may differ by, of the logits' spread; bfloat16 is held to a tenth of it
PADDING = 10.0  # in units of `difference`; a mask that is not heeded changes thousands


def difference(first: Float[Tensor, "*pos d_vocab"], second: Float[Tensor, "*pos d_vocab"]) -> float:
    """The largest difference of log-probabilities, in units of what rounding may do; at most 1 for two runs of one model."""
    rounding = min(ROUNDINGS * torch.finfo(first.dtype).eps, 0.1) * float(first.float().std(-1).max())
    return float((first.float().log_softmax(-1) - second.float().log_softmax(-1)).abs().max()) / max(rounding, 1e-30)


def trial_rows(d_vocab: int, n_ctx: int, device: torch.device) -> tuple[Int[Tensor, "batch pos"], Bool[Tensor, "batch pos"]]:
    """Two rows of tokens and their mask, the second padded on the left."""
    n_pos = min(8, n_ctx or 8)
    tokens = torch.stack([torch.arange(n_pos), torch.arange(n_pos, 2 * n_pos)]).to(device) % d_vocab
    mask = torch.ones_like(tokens, dtype=torch.bool)
    mask[1, : n_pos // 3] = False
    return tokens, mask


def padding_changes(logits: Logits, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"]) -> float:
    """The largest `difference` of a row in a padded batch from the row alone, on either side."""
    apart = []
    for rows, real in ((tokens, mask), (tokens.flip(1), mask.flip(1))):
        together = logits(rows, real)
        for row, kept in enumerate(real):
            alone = logits(rows[row : row + 1, kept], kept[None, kept])[0]
            apart.append(difference(alone, together[row, kept]))
    return max(apart)
