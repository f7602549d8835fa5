"""Runs of a TransformerLens model of either generation; the only place that runs a forward pass.

It never dispatches on the name a hook reports (the bridge reports aliases).
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import ModelLoadError, SiteError
from ._attachment import Attachment, Item, heal
from ._attachments import Evaluation, HookFunction, PointHook, PreHook
from ._autocast import without_autocast
from ._checks import PADDING, difference, padding_changes, trial_rows
from ._native import Aside, Components, components
from ._parts import Parts, walk
from ._width import mlp_width

T = TypeVar("T")


class _Ended(Exception):
    """Raised by a reading hook when nothing later in the forward pass is needed; caught by `ModelRuns.run_until`."""


class ModelRuns:
    """A `HookedTransformer` or `TransformerBridge`, and the ways in which the library runs it."""

    def __init__(self, model: Any) -> None:
        if not hasattr(model, "hook_dict") or not hasattr(model, "cfg"):
            raise ModelLoadError(
                f"expected a TransformerLens model (HookedTransformer or TransformerBridge), got {type(model).__name__}; "
                "wrap it first, e.g. TransformerBridge.boot_transformers(name)"
            )
        self.model = model
        self.is_bridge = hasattr(model, "original_model")
        cfg = model.cfg
        self.n_layers = int(cfg.n_layers)
        self.d_mlp = mlp_width(model)
        self.n_ctx = int(getattr(cfg, "n_ctx", None) or 0)
        self.act_fn = str(getattr(cfg, "act_fn", "") or "")
        self._parts: Parts | None = None  # as the run before had them
        self._components = Components()
        self._agreeing: dict[tuple[int, ...], bool] = {}  # {components aside: whether they agree with the bridge's own}
        self._padding: dict[tuple[Any, ...], float] = {}  # {components aside and hooks: what padding changes, in roundings}

    @property
    def _name(self) -> str:
        name = str(getattr(self.model.cfg, "model_name", "") or type(self.model).__name__)
        return Path(name).name if os.path.isdir(name) else name  # a folder is named by its last part

    @property
    def device(self) -> torch.device:
        """Where inputs go."""
        for weight in self.model.parameters():
            if not weight.is_meta:  # an offloaded one is nowhere until it is used
                return weight.device
        return torch.device("cpu")

    @property
    def n_embedded(self) -> int:
        """Rows of the embedding: token ids from here on cannot be run, whatever the tokenizer or the configuration states."""
        if self.is_bridge:
            return int(self.model.original_model.get_input_embeddings().weight.shape[0])  # also where it is offloaded
        weights = getattr(self.model, "W_E", None)
        return int(self.model.cfg.d_vocab if weights is None else weights.shape[0])

    def hooks(
        self, functions: Sequence[tuple[str, HookFunction]], *, value: Any = None, at_end: Callable[[], None] | None = None
    ) -> Attachment:
        """Attach functions (activation -> new activation or None) to hooks for a block; on any exit exactly these are removed.

        The block binds `value`; at_end is called after a block without an exception. Raises `SiteError` for a name the model does
        not have: some bridges ignore those silently.
        """
        return Attachment(self.model, self._point_hooks(functions), value=value, at_end=at_end)

    def _point_hooks(self, functions: Sequence[tuple[str, HookFunction]]) -> list[PointHook]:
        points = self.model.hook_dict if functions else {}
        for name, _ in functions:
            if name not in points:
                raise SiteError(f"the model has no hook {name!r}")
        return [PointHook(points[name], function) for name, function in functions]

    def forward(self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits; `mask` is True on real tokens, which may be padded on either side."""
        return self.run(lambda: self._logits(tokens, mask), mask)

    def run_until(
        self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"], readers: Mapping[str, HookFunction], last: str
    ) -> None:
        """Run the model with reading hooks and end the run right after the hook named `last`: no later layer, no unembedding."""

        def end(activation: Tensor) -> None:
            raise _Ended

        def forward() -> bool:
            try:
                self.model(tokens, **self._arguments(mask), return_type=None)
            except _Ended:
                return True
            return False

        if not self.run(forward, mask, self._point_hooks([*readers.items(), (last, end)])):
            raise SiteError(f"the run ended without reaching hook {last!r}; the model does not run it")

    def logits_at(
        self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"], first: int
    ) -> Float[Tensor, "batch scored d_vocab"]:
        """Logits of positions `first` and later only: the residual stream is cut before the unembedding."""

        def cut(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
            return (arguments[0][:, first:], *arguments[1:])

        logits = self.run(lambda: self._logits(tokens, mask), mask, [PreHook(self.model.unembed, cut)])
        if logits.shape[1] != tokens.shape[1] - first:
            raise SiteError(f"expected logits of {tokens.shape[1] - first} positions, got {logits.shape[1]}")
        return logits

    def _logits(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.model(tokens, **self._arguments(mask), return_type="logits")

    def _arguments(self, mask: Tensor) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self.is_bridge:
            arguments["use_cache"] = False
        if bool(mask.all()):
            return arguments
        arguments["attention_mask"] = mask.long()
        if self.is_bridge and not bool(mask[:, 0].all()):
            arguments["position_ids"] = (mask.long().cumsum(-1) - 1).clamp_min(0)
        return arguments

    def run(self, function: Callable[[], T], mask: Bool[Tensor, "batch pos"], hooks: Sequence[Item] = ()) -> T:
        """`function()`, which runs the model on a batch with this mask: no dropout, no gradients, no autocast, `hooks` on the model, and
        what nobody hooked as Hugging Face's own (see `native`).

        Before the first run of a kind come small trial runs: whether Hugging Face's own agree, and whether the model heeds a mask.
        Hooks of the user's own are part of the model in these, too; those of the library pause. Raises `SiteError` for a padded batch
        where padding changes what is computed for the tokens beside it.
        """
        return without_autocast(self.device, lambda: self._run(function, mask, hooks))

    def _run(self, function: Callable[[], T], mask: Bool[Tensor, "batch pos"], hooks: Sequence[Item]) -> T:
        heal(self.model)
        parts = walk(self.model)
        if self._parts is None or not parts.has_structure_of(self._parts):
            self._components = components(self.model)
            self._agreeing.clear()
            self._padding.clear()
        self._parts = parts
        points = {id(hook.point) for hook in hooks if isinstance(hook, PointHook)}
        aside = self._components.aside(parts.hooked, points)
        if aside.key and not self._agrees(aside, parts):
            aside = Aside()
        if not bool(mask.all()):
            self._require_heeded(aside, parts)
        return Attachment(self.model, [Evaluation(parts.training), *hooks, *aside.items()]).run(function)

    def _agrees(self, aside: Aside, parts: Parts) -> bool:
        """Whether these components give the same as the bridge's own, tried whenever it is another set of them.

        Warns when they differ by more than rounding: the bridge, whose hooks are read, then has its way.
        """
        if aside.key not in self._agreeing:
            try:
                usual, fast = self._trial(parts, Aside()), self._trial(parts, aside)
            except Exception:  # whatever the original does when it is called in the bridge's place
                self._agreeing[aside.key] = False
                return False
            apart = difference(usual, fast)
            self._agreeing[aside.key] = apart <= 1 or bool(fast.isfinite().all() and not usual.isfinite().all())
            if apart > 1 and usual.dtype in (torch.float32, torch.float64):
                warnings.warn(
                    f"the bridge's log-probabilities of {self._name} differ from those of the Hugging Face model it wraps by "
                    f"up to {float((usual.log_softmax(-1) - fast.log_softmax(-1)).abs().max()):.2g}; counts are of the bridge's",
                    stacklevel=3,
                )
        return self._agreeing[aside.key]

    def _trial(self, parts: Parts, aside: Aside) -> Float[Tensor, "pos d_vocab"]:
        tokens, mask = self._rows()
        attachment = Attachment(self.model, [Evaluation(parts.training), *aside.items()])
        return attachment.run(lambda: self._logits(tokens, mask)[mask], alone=True)

    def _require_heeded(self, aside: Aside, parts: Parts) -> None:
        """Raise `SiteError` if padding changes what the model computes, as it is now with its hooks."""
        key = (aside.key, parts.foreign_hooks())
        if key not in self._padding:
            attachment = Attachment(self.model, [Evaluation(parts.training), *aside.items()])
            try:
                self._padding[key] = attachment.run(lambda: padding_changes(self._logits, *self._rows()), alone=True)
            except Exception as error:  # whatever a hook of the user's own raises
                raise SiteError(
                    "whether padding changes what this model computes cannot be tried: a run of two short rows failed "
                    f"({type(error).__name__}: {error}); so texts cannot share a batch; pass batching=Batching(max_tokens=1)"
                ) from error
        if self._padding[key] > PADDING:
            raise SiteError(
                "padding changes what this model computes for the tokens beside it, as attention does that is not causal under a "
                "mask (TransformerLens's for some architectures), quantisation by the batch, or a hook that looks at more than one "
                "token; so texts cannot share a batch; pass batching=Batching(max_tokens=1)"
            )

    def _rows(self) -> tuple[Int[Tensor, "batch pos"], Bool[Tensor, "batch pos"]]:
        return trial_rows(self.n_embedded, self.n_ctx, self.device)
