"""Ablation to zero."""

import torch

from ._intervention import Activations, Context, Intervention, interventions, pointwise


@interventions.register("zero", source="ValueExploration (arXiv 2504.04994)")
def zero() -> Intervention:
    """Ablation to 0; the same logits at either site.

    Returns:
        The intervention.

    Source:
        The deactivation of ValueExploration (arXiv 2504.04994).
    """

    def change(activations: Activations, context: Context) -> Activations:
        return torch.zeros_like(activations)

    return pointwise("zero", change)
