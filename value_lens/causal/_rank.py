"""The rank of an effect among the effects of its controls; ties count against it."""

import torch
from einops import rearrange, reduce
from jaxtyping import Float, Float64
from torch import Tensor


def rank_among(effect: Float[Tensor, "*cell"], controls: Float[Tensor, "*cell control"]) -> Float64[Tensor, "*cell"]:
    """1 + how many controls' effects are at least as large, whatever their sign; NaN where one is unknown or there are none.

    Where the effect is one draw of what the controls are drawn from, rank / (controls + 1) is at most p with probability p or
    less: all orders of exchangeable draws are as likely, and ties count against the effect (Phipson and Smyth, 2010).
    """
    larger = reduce((controls.abs() >= rearrange(effect.abs(), "... -> ... 1")).double(), "... control -> ...", "sum")
    unknown = torch.isnan(effect) | torch.isnan(controls).any(-1)
    return (1 + larger).masked_fill(unknown if controls.shape[-1] else torch.ones_like(unknown), torch.nan)
