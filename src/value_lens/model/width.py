"""How wide is an MLP? The rows of each layer's output weight, which a configuration may state otherwise or not at all."""

from typing import Any

from jaxtyping import Float
from torch import Tensor


def output_weight(model: Any, layer: int) -> Float[Tensor, "neuron d_model"] | None:
    """W_out of one layer, a row a neuron; None where hook_post is not what it multiplies.

    So it is with a sparse mixture of experts: it has no such weight, or `hook_post` is another name of the whole MLP's output.
    """
    blocks = getattr(model, "blocks", ())
    mlp = getattr(blocks[layer], "mlp", None) if layer < len(blocks) else None
    weight = getattr(mlp, "W_out", None)
    if not isinstance(weight, Tensor) or weight.ndim != 2:
        return None
    return None if model.hook_dict.get(f"blocks.{layer}.mlp.hook_post") is getattr(mlp, "hook_out", model) else weight


def layer_widths(model: Any) -> list[int | None]:
    """The number of neurons of every layer; None where a layer has no output weight of its own."""
    weights = [output_weight(model, layer) for layer in range(int(model.cfg.n_layers))]
    return [None if weight is None else weight.shape[0] for weight in weights]


def mlp_width(model: Any) -> int:
    """The number of neurons of the layers that have any, else what the configuration states; 0 where neither tells."""
    known = {width for width in layer_widths(model) if width is not None}
    return max(known) if known else int(getattr(model.cfg, "d_mlp", None) or 0)
