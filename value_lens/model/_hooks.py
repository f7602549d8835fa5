"""Reading and writing neurons: hook functions per layer over a resolved site."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ._items import HookFunction
from ._sites import NeuronSite

Reader = Callable[[int, Float[Tensor, "batch pos neuron"]], None]
Rewrite = Callable[[Float[Tensor, "batch pos neuron"]], Float[Tensor, "batch pos neuron"]]


def reading(site: NeuronSite, read: Reader, layers: "list[int] | range") -> dict[str, HookFunction]:
    """{hook name: function} that hands each layer's raw site tensor to `read(layer, tensor)`."""

    def reader(layer: int) -> HookFunction:
        def hook(activation: Tensor) -> None:
            read(layer, activation)

        return hook

    return {site.read[layer]: reader(layer) for layer in layers}


def writing(
    site: NeuronSite, rewrites: Mapping[int, tuple[Int[Tensor, "neuron"], Rewrite]]
) -> "list[tuple[str, HookFunction]]":
    """[(hook name, function)] that replaces chosen neurons' activations by `rewrite` of them, layer by layer.

    At the gate site of a gated MLP an edit a -> a' reaches the model as a' * up, written into hook_post.
    """
    functions: list[tuple[str, HookFunction]] = []
    for layer, (index, rewrite) in rewrites.items():
        functions += _through_gate(site, layer, index, rewrite) if site.up else [(site.post[layer], _write(index, rewrite))]
    return functions


def _write(index: Tensor, rewrite: Rewrite) -> HookFunction:
    def hook(activation: Tensor) -> Tensor:
        return activation.index_copy(-1, index, rewrite(activation[..., index]).to(activation.dtype))

    return hook


def _through_gate(site: NeuronSite, layer: int, index: Tensor, rewrite: Rewrite) -> "list[tuple[str, HookFunction]]":
    activations: dict[str, Tensor] = {}

    def keep(name: str) -> HookFunction:
        def hook(activation: Tensor) -> None:
            activations[name] = activation[..., index]

        return hook

    def hook_post(activation: Tensor) -> Tensor:
        edited = rewrite(site(activations.pop("gate"))) * activations.pop("up")
        return activation.index_copy(-1, index, edited.to(activation.dtype))

    return [(site.read[layer], keep("gate")), (site.up[layer], keep("up")), (site.post[layer], hook_post)]


def cutting(tensor: Float[Tensor, "batch pos neuron"], index: Int[Tensor, "neuron"]) -> Float[Tensor, "batch pos neuron"]:
    """Chosen neurons of a raw site tensor, copied out."""
    return torch.index_select(tensor, -1, index)
