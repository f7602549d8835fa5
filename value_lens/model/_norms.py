"""The norm of each neuron's output weights, for any architecture."""

from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from ..errors import SiteError
from ._lens_model import LensModel
from ._precision import to_float64

CHUNK = 256  # neurons whose rows are read at one time
AGREEMENT = 50  # roundings of the weights' type that a row read from the weight and one read by running may differ by


def output_norms(lens: LensModel) -> Float64[Tensor, "layer neuron"]:
    """The L2 norm of each neuron's row of W_out, on the CPU: how far the MLP's output moves when the neuron moves by 1.

    Read from the weight where that holds plain numbers and a trial agrees; else (weights offloaded, quantised, or laid out in an
    unknown way) by running W_out alone on one neuron at a time. Raises `SiteError` where neither can be done.
    """
    return torch.stack([_layer_norms(lens, layer) for layer in range(lens.n_layers)])


def _layer_norms(lens: LensModel, layer: int) -> Float64[Tensor, "neuron"]:
    try:
        out = lens.adapter.output_map(layer)
        if out is None:  # W_out is a parameter and used as it is
            return _row_norms(lens.model.blocks[layer].mlp.W_out.detach())
        weight = _readable_weight(lens, layer)
        with torch.no_grad():
            probes = torch.tensor([0, lens.d_mlp // 2, lens.d_mlp - 1])
            probe_norms = _row_norms(_rows_by_running(lens, out, probes))
            if weight is not None:
                norms = _row_norms(weight)
                rounding = AGREEMENT * torch.finfo(weight.dtype).eps * float(probe_norms.max())
                if float((norms[probes] - probe_norms).abs().max()) <= rounding:
                    return norms
            return torch.cat(
                [_row_norms(_rows_by_running(lens, out, neurons)) for neurons in torch.arange(lens.d_mlp).split(CHUNK)]
            )
    except (AttributeError, RuntimeError, NotImplementedError, ValueError) as error:
        raise SiteError(
            f"the rows of W_out of layer {layer} cannot be read, so controls cannot be matched in loudness ({error}); load the "
            "model whole and in a plain dtype, or do without controls (controls=0)"
        ) from error


def _readable_weight(lens: LensModel, layer: int) -> Float[Tensor, "neuron d_model"] | None:
    """The weight, a neuron a row; None where it is elsewhere or no plain numbers."""
    try:
        weight = lens.adapter.output_weight(layer)
    except (RuntimeError, NotImplementedError):  # a bridge that will not hand out an offloaded or quantised weight
        return None
    plain = weight is not None and not weight.is_meta and weight.dtype.is_floating_point and len(weight) == lens.d_mlp
    return weight.detach() if weight is not None and plain else None


def _rows_by_running(lens: LensModel, out: Any, neurons: Tensor) -> Float[Tensor, "neuron d_model"]:
    """What `out` gives for one neuron at 1 and all others at 0, less what it gives for none."""
    if any(weight.is_meta for weight in out.parameters()) and getattr(out, "_hf_hook", None) is None:
        raise RuntimeError("its weights are on the meta device, and nothing loads them")  # PyTorch may give any numbers
    weights = [weight for weight in out.parameters() if weight.dtype.is_floating_point]
    dtype = weights[0].dtype if weights else torch.float32
    device = weights[0].device if weights and not weights[0].is_meta else lens.device
    one = torch.zeros(len(neurons) + 1, lens.d_mlp, dtype=dtype, device=device)
    one[torch.arange(len(neurons)) + 1, neurons] = 1
    outputs = out(one[None])[0]
    return outputs[1:] - outputs[:1]


def _row_norms(rows: Float[Tensor, "neuron d_model"]) -> Float64[Tensor, "neuron"]:
    return to_float64(torch.linalg.vector_norm(rows.float(), dim=-1)).cpu()
