"""Value activation probability entropy (VAPE).

Source: ValueExploration (arXiv 2504.04994), after LAPE for languages (arXiv 2402.16438). With p_v the firing probability of a
neuron on texts of value v: q_v = p_v / sum_u p_u, H = - sum_v q_v ln q_v. Low H: few values make it fire.
"""

import math
from collections.abc import Sequence

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor

from ..core import FiringStats, NeuronScores
from ..errors import DataError
from ._registries import SEVERAL_VALUES, methods
from ._rules import vape_rule


def value_share(p: Float[Tensor, "value layer neuron"]) -> Float[Tensor, "value layer neuron"]:
    """q: each neuron's firing probabilities normalised over values; 0 for a neuron that never fires."""
    total = reduce(p, "value layer neuron -> 1 layer neuron", "sum")
    return torch.where(total > 0, p / total.where(total > 0, torch.ones_like(total)), torch.zeros_like(p))


def entropy(q: Float[Tensor, "value layer neuron"]) -> Float[Tensor, "layer neuron"]:
    """H in nats, with 0 ln 0 = 0; a neuron that never fires gets 0, as in the reference code, whose filter then drops it."""
    return -reduce(torch.special.xlogy(q, q), "value layer neuron -> layer neuron", "sum")


@methods.register(
    "vape",
    needs=SEVERAL_VALUES,
    rule=vape_rule,
    source="ValueExploration (arXiv 2504.04994)",
    help="Few values make the neuron fire: low entropy of its firing probability over values.",
)
def vape(
    stats: FiringStats,
    *,
    aspect: str | None = None,
    languages: Sequence[str] | None = None,
    dtype: torch.dtype = torch.float64,
) -> NeuronScores:
    """Specificity of every neuron to every value: q_v * (1 - H / ln V).

    1 means the neuron fires for v alone, 0 that it fires for all V values alike (or never). The published selection uses H and p
    (see `vape_rule`), which are kept in `parts`.

    Args:
        stats: firing statistics over at least two values.
        aspect: count texts of this aspect only, "+" or "-".
        languages: count texts of these languages only.
        dtype: of the computation; float32 repeats the reference code's rounding, and with it its ties.

    Returns:
        Scores [value layer neuron] from 0 to 1, with parts "p", "entropy" (nats) and "specificity".

    Raises:
        DataError: for fewer than two values, or a value without tokens.

    Source:
        ValueExploration (arXiv 2504.04994), after LAPE (arXiv 2402.16438).
    """
    if len(stats.values) < 2:
        raise DataError(f"VAPE compares values, but the statistics hold {len(stats.values)} ({', '.join(stats.values)})")
    tokens, fired = stats.pooled(aspect=aspect, languages=languages)
    p = fired.to(dtype) / tokens.to(dtype)[:, None, None]
    q = value_share(p)
    h = entropy(q)
    never = reduce(fired, "value layer neuron -> layer neuron", "sum") == 0
    specificity = (1 - h / math.log(len(stats.values))).masked_fill(never, 0).clamp_min(0)
    return NeuronScores(
        method="vape",
        values=stats.values,
        scores=(q * specificity).double(),
        site=stats.site,
        model=stats.model,
        params={"aspect": aspect, "languages": None if languages is None else list(languages), "dtype": str(dtype)},
        parts={"p": p, "entropy": h, "specificity": specificity},
    )
