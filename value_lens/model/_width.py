"""The width of each MLP, by the rows of its output weight."""

from ._adapter import Adapter


def layer_widths(adapter: Adapter) -> list[int | None]:
    """The number of neurons of every layer; None where a layer has no output weight of its own."""
    return [_width(adapter, layer) for layer in range(adapter.n_layers)]


def _width(adapter: Adapter, layer: int) -> int | None:
    try:
        weight = adapter.output_weight(layer)
    except NotImplementedError:
        return int(getattr(adapter.model.cfg, "d_mlp", None) or 0) or None  # only the configuration tells its size
    return None if weight is None else weight.shape[0]


def mlp_width(adapter: Adapter) -> int:
    """The number of neurons of the layers that have any, else what the configuration states; 0 where neither tells."""
    widths = {width for width in layer_widths(adapter) if width is not None}
    return max(widths) if widths else int(getattr(adapter.model.cfg, "d_mlp", None) or 0)
