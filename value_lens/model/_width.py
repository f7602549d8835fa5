"""The width of each MLP, by the rows of its output weight."""

from typing import Any

from jaxtyping import Float
from torch import Tensor


def output_weight(model: Any, layer: int) -> Float[Tensor, "neuron d_model"] | None:
    """W_out of one layer, a row a neuron; None where hook_post is not what it multiplies.

    So it is with a sparse mixture of experts: it has no such weight, or `hook_post` is another name of the whole MLP's output.
    An offloaded weight is loaded for a moment. Raises `NotImplementedError` for one that a bridge cannot read (quantised).
    """
    blocks = getattr(model, "blocks", ())
    mlp = getattr(blocks[layer], "mlp", None) if layer < len(blocks) else None
    weight = _read(mlp)
    if not isinstance(weight, Tensor) or weight.ndim != 2:
        return None
    return None if model.hook_dict.get(f"blocks.{layer}.mlp.hook_post") is getattr(mlp, "hook_out", model) else weight


def _read(mlp: Any) -> Any:
    original: Any = getattr(getattr(mlp, "out", None), "original_component", None)
    weight = getattr(original, "weight", None)
    if not (isinstance(weight, Tensor) and weight.is_meta):
        return getattr(mlp, "W_out", None)
    from accelerate.utils import align_module_device  # it has offloaded it

    with align_module_device(original):
        return getattr(mlp, "W_out", None)


def layer_widths(model: Any) -> list[int | None]:
    """The number of neurons of every layer; None where a layer has no output weight of its own."""
    return [_width(model, layer) for layer in range(int(model.cfg.n_layers))]


def _width(model: Any, layer: int) -> int | None:
    try:
        weight = output_weight(model, layer)
    except NotImplementedError:
        return int(getattr(model.cfg, "d_mlp", None) or 0) or None  # there is one, but only the configuration tells its size
    return None if weight is None else weight.shape[0]


def mlp_width(model: Any) -> int:
    """The number of neurons of the layers that have any, else what the configuration states; 0 where neither tells."""
    known = {width for width in layer_widths(model) if width is not None}
    return max(known) if known else int(getattr(model.cfg, "d_mlp", None) or 0)
