"""The two sites of a neuron's activation, resolved against hooks and checked by width.

`post` is what multiplies W_out (`hook_post`). `gate` is act(hook_pre): on a gated MLP the published methods mean this one, and
`hook_post` is act(gate) * up, whose sign agrees with it about half the time. On an ungated MLP the two are the same tensor.
"""

from collections.abc import Callable, Mapping
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
ROUNDINGS = 100  # of the largest product, that hook_post may differ by from act(gate) * up

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


def resolve_site(runs: ModelRuns, site: str) -> NeuronSite:
    """The hooks of `site` in this model, proven by a two-token run to exist, to fire, and to be as wide as W_out has rows.

    Raises `SiteError` with the reason for an attention-only model, a mixture of experts, a missing hook, or a wrong width.
    """
    require_site(site)
    model = runs.model
    if getattr(model.cfg, "attn_only", False) or not runs.d_mlp:
        raise SiteError("the model has no MLP neurons (attention-only, or its configuration states no d_mlp)")
    _require_dense(runs)
    layers = range(runs.n_layers)
    gated = "blocks.0.mlp.hook_pre_linear" in model.hook_dict or bool(getattr(model.cfg, "gated_mlp", False))
    names = {
        kind: tuple(f"blocks.{layer}.mlp.{kind}" for layer in layers) for kind in ("hook_pre", "hook_post", "hook_pre_linear")
    }
    through_gate = gated and site == "gate"
    needed = [*names["hook_post"], *(names["hook_pre"] + names["hook_pre_linear"] if through_gate else ())]
    for name in needed:
        if name not in model.hook_dict:
            raise SiteError(
                f"the model has no hook {name!r}, which site {site!r} needs; it has {_siblings(model.hook_dict, name)}"
            )
    resolved = NeuronSite(
        name=site,
        gated=gated,
        read=names["hook_pre"] if through_gate else names["hook_post"],
        post=names["hook_post"],
        up=names["hook_pre_linear"] if through_gate else (),
        activation=_activation(model.cfg) if through_gate else None,
    )
    try:
        activations = _probe(runs, needed)
    except SiteError as error:
        runs.trials.record("neurons", "failed", str(error))
        raise
    runs.trials.record("neurons", "passed", f"{runs.n_layers} layers of {runs.d_mlp} at site {site!r}")
    if through_gate:
        _require_product(runs, resolved, activations)
    elif site == "gate":
        runs.trials.record("gate_product", "does not apply", "the MLP has no gate")
    return resolved


def _activation(cfg: Any) -> Callable[[Tensor], Tensor]:
    name = str(getattr(cfg, "act_fn", "") or "")
    if name not in ACTIVATIONS:
        raise SiteError(f"site 'gate' needs the activation function {name!r}; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def _require_dense(runs: ModelRuns) -> None:
    """One output weight a layer, equally wide in all: by the tensors, since a dense model's configuration may state experts."""
    widths = layer_widths(runs.adapter)
    sparse = [layer for layer, width in enumerate(widths) if width is None]
    n_experts = getattr(runs.model.cfg, "num_experts", None)
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


def _siblings(hook_names: Any, name: str) -> str:
    folder = name.rsplit(".", 1)[0]
    return ", ".join(sorted(str(hook) for hook in hook_names if str(hook).startswith(folder))) or f"no hooks under {folder}"


def _probe(runs: ModelRuns, names: list[str]) -> dict[str, Tensor]:
    """{hook: what it held in a run of two tokens}. Raises `SiteError` for a hook that does not fire or has another width."""
    activations: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[Tensor], None]:
        return lambda activation: activations.__setitem__(name, activation)

    tokens = torch.arange(2, device=runs.device)[None] % runs.n_embedded
    hooks = runs.hooks([(name, keep(name)) for name in names])
    try:
        hooks.run(lambda: runs.forward(tokens, torch.ones_like(tokens, dtype=torch.bool)), trial=True)  # no edit acts meanwhile
    except (RuntimeError, TypeError, ValueError) as error:
        raise SiteError(f"a two-token trial run of the model failed: {error}") from error
    for name in names:
        if name not in activations:
            raise SiteError(f"hook {name!r} exists but does not fire in a run, so its neurons cannot be read")
        if activations[name].shape[-1] != runs.d_mlp:
            raise SiteError(
                f"hook {name!r} is {activations[name].shape[-1]} wide, but the MLP has {runs.d_mlp} neurons: not one number a neuron "
                "(sparse mixture-of-experts layers do this)"
            )
    return activations


def _require_product(runs: ModelRuns, site: NeuronSite, activations: Mapping[str, Tensor]) -> None:
    """Raise `SiteError` unless act(hook_pre) * hook_pre_linear is what hook_post holds, but for rounding."""
    largest = 0.0
    for read, up, post in zip(site.read, site.up, site.post, strict=True):
        product = (site(activations[read]) * activations[up]).float()
        deviation = float((product - activations[post].float()).abs().max())
        rounding = ROUNDINGS * torch.finfo(activations[post].dtype).eps * max(float(product.abs().max()), 1e-30)
        largest = max(largest, deviation / rounding)
        if deviation > rounding:
            runs.trials.record("gate_product", "failed", f"at {post}", largest, 1.0)
            raise SiteError(
                f"act(hook_pre) * hook_pre_linear is not what hook_post holds ({post}, off by {deviation:.2g}): this model does something "
                "else between its gate and W_out, so site 'gate' is not act(gate); use site 'post'"
            )
    runs.trials.record("gate_product", "passed", "", largest, 1.0)
