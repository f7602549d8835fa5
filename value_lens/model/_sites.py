"""The two sites of a neuron's activation, resolved against hooks and checked by width.

`post` is what multiplies W_out (`hook_post`). `gate` is act(hook_pre): on a gated MLP the published methods mean this one, and
`hook_post` is act(gate) * up, whose sign agrees with it about half the time. On an ungated MLP the two are the same tensor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import SiteError, UnknownNameError
from ._runs import ModelRuns
from ._width import layer_widths

Site = Literal["post", "gate"]
SITES: tuple[str, ...] = get_args(Site)

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "gelu_fast": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "swish": functional.silu,
}


@dataclass(frozen=True)
class NeuronSite:
    """Where one model keeps its neurons. `read[l]` is the hook to read at layer l; `activation` turns it into the activation."""

    name: str
    gated: bool
    read: tuple[str, ...]
    post: tuple[str, ...]
    up: tuple[str, ...]
    activation: Callable[[Tensor], Tensor] | None

    def __call__(self, tensor: Tensor) -> Tensor:
        return tensor if self.activation is None else self.activation(tensor)


def require_site(site: str) -> str:
    if site not in SITES:
        raise UnknownNameError("site", site, SITES)
    return site


def resolve_site(view: ModelRuns, site: str) -> NeuronSite:
    """The hooks of `site` in this model, proven by a two-token run to exist, to fire, and to be as wide as W_out has rows.

    Raises `SiteError` with the reason for an attention-only model, a mixture of experts, a missing hook, or a wrong width.
    """
    require_site(site)
    cfg = view.model.cfg
    if getattr(cfg, "attn_only", False) or not view.d_mlp:
        raise SiteError("the model has no MLP neurons (attention-only, or its configuration states no d_mlp)")
    _require_dense(view)
    known = view.model.hook_dict
    layers = range(view.n_layers)
    gated = "blocks.0.mlp.hook_pre_linear" in known or bool(getattr(cfg, "gated_mlp", False))
    names = {
        kind: tuple(f"blocks.{layer}.mlp.{kind}" for layer in layers) for kind in ("hook_pre", "hook_post", "hook_pre_linear")
    }
    through_gate = gated and site == "gate"
    needed = [*names["hook_post"], *(names["hook_pre"] + names["hook_pre_linear"] if through_gate else ())]
    for name in needed:
        if name not in known:
            raise SiteError(f"the model has no hook {name!r}, which site {site!r} needs; it has {_like(known, name)}")
    activation = None
    if through_gate:
        if view.act_fn not in ACTIVATIONS:
            raise SiteError(f"site 'gate' needs the activation function {view.act_fn!r}; known: {', '.join(ACTIVATIONS)}")
        activation = ACTIVATIONS[view.act_fn]
    found = NeuronSite(
        name=site,
        gated=gated,
        read=names["hook_pre"] if through_gate else names["hook_post"],
        post=names["hook_post"],
        up=names["hook_pre_linear"] if through_gate else (),
        activation=activation,
    )
    _probe(view, found, needed)
    return found


def _require_dense(view: ModelRuns) -> None:
    """One output weight a layer, equally wide in all: by the tensors, since a dense model's configuration may state experts."""
    widths = layer_widths(view.model)
    sparse = [layer for layer, width in enumerate(widths) if width is None]
    n_experts = getattr(view.model.cfg, "num_experts", None)
    if sparse and (
        n_experts or len(sparse) < len(widths)
    ):  # all without a weight: an architecture not known here, tried by a run
        raise SiteError(
            f"the model is a mixture of {n_experts or 'several'} experts (in {len(sparse)} of its {len(widths)} layers): its "
            f"hook_post is the experts' mixed output (d_model wide), not neurons, so firing cannot be counted there"
        )
    if len({*widths} - {None}) > 1:
        raise SiteError(
            f"the layers of this model have MLPs of different widths ({', '.join(map(str, widths))}); neurons are counted only in "
            "models whose layers are equally wide"
        )


def _like(known: Any, name: str) -> str:
    folder = name.rsplit(".", 1)[0]
    return ", ".join(sorted(str(hook) for hook in known if str(hook).startswith(folder))) or f"no hooks under {folder}"


def _probe(view: ModelRuns, site: NeuronSite, names: list[str]) -> None:
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[Tensor], None]:
        return lambda activation: kept.__setitem__(name, activation)

    tokens = torch.arange(2, device=view.device)[None] % view.n_embedded
    hooks = view.hooks([(name, keep(name)) for name in names])
    try:
        hooks.run(lambda: view.forward(tokens, torch.ones_like(tokens, dtype=torch.bool)), alone=True)  # no edit acts meanwhile
    except (RuntimeError, TypeError, ValueError) as error:
        raise SiteError(f"a two-token trial run of the model failed: {error}") from error
    for name in names:
        if name not in kept:
            raise SiteError(f"hook {name!r} exists but does not fire in a run, so its neurons cannot be read")
        if kept[name].shape[-1] != view.d_mlp:
            raise SiteError(
                f"hook {name!r} is {kept[name].shape[-1]} wide, but the MLP has {view.d_mlp} neurons: not one number a neuron "
                "(sparse mixture-of-experts layers do this)"
            )
    for read, up, post in zip(site.read, site.up, site.post, strict=False):  # at the gate; elsewhere `up` is empty
        product = (site(kept[read]) * kept[up]).float()
        apart = float((product - kept[post].float()).abs().max())
        if apart > 100 * torch.finfo(kept[post].dtype).eps * max(float(product.abs().max()), 1e-30):
            raise SiteError(
                f"act(hook_pre) * hook_pre_linear is not what hook_post holds ({post}, off by {apart:.2g}): this model does something "
                "else between its gate and W_out, so site 'gate' is not act(gate); use site 'post'"
            )
