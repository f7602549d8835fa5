"""Runs of a TransformerLens model of either generation; the only place that runs a forward pass.

It never dispatches on the name a hook reports (the bridge reports aliases).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import SiteError
from ._adapter import Adapter
from ._autocast import run_without_autocast
from ._fast_path import Components, FastPath
from ._items import Evaluation, HookFunction, PointHook, PreHook
from ._lease import Attachment, Item, heal
from ._modules import Modules, walk
from ._trials import Trials
from ._width import mlp_width

T = TypeVar("T")


class _RunEnded(Exception):
    """Raised by a reading hook when nothing later in the forward pass is needed; caught by `ModelRuns.run_until`."""


class ModelRuns:
    """A model by its adapter, and the ways in which the library runs it."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.model = adapter.model
        self.n_layers, self.n_ctx, self.d_mlp = adapter.n_layers, adapter.n_ctx, mlp_width(adapter)
        self.trials = Trials(adapter)
        self._modules: Modules | None = None  # as the run before had them
        self._components = Components()

    @property
    def device(self) -> torch.device:
        """Where inputs go."""
        return self.adapter.device

    @property
    def n_embedded(self) -> int:
        """Rows of the embedding: token ids from here on cannot be run, whatever the tokenizer or the configuration states."""
        return self.adapter.n_embedded

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
        return self.run(lambda: self.adapter.logits(tokens, mask), mask)

    def run_until(
        self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"], readers: Mapping[str, HookFunction], last: str
    ) -> None:
        """Run the model with reading hooks and end the run right after the hook named `last`: no later layer, no unembedding."""

        def end(activation: Tensor) -> None:
            raise _RunEnded

        def forward() -> bool:
            try:
                self.model(tokens, **self.adapter.arguments(mask), return_type=None)
            except _RunEnded:
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

        logits = self.run(lambda: self.adapter.logits(tokens, mask), mask, [PreHook(self.model.unembed, cut)])
        if logits.shape[1] != tokens.shape[1] - first:
            raise SiteError(f"expected logits of {tokens.shape[1] - first} positions, got {logits.shape[1]}")
        return logits

    def run(self, function: Callable[[], T], mask: Bool[Tensor, "batch pos"], hooks: Sequence[Item] = ()) -> T:
        """`function()`, which runs the model on a batch with this mask: no dropout, no gradients, no autocast, `hooks` on the model, and
        what nobody hooked as Hugging Face's own (see `_fast_path`).

        Before the first run of a kind come small trial runs, whose results are the model's `checks`: whether Hugging Face's own agree,
        and whether the model heeds a mask. Raises `SiteError` for a padded batch where padding changes what is computed for the tokens
        beside it.
        """
        return run_without_autocast(self.device, lambda: self._run(function, mask, hooks))

    def _run(self, function: Callable[[], T], mask: Bool[Tensor, "batch pos"], hooks: Sequence[Item]) -> T:
        heal(self.model)
        modules = walk(self.model)
        if self._modules is None or not modules.has_structure_of(self._modules):
            self._components = self.adapter.components()
            self.trials.forget()
        self._modules = modules
        points = {id(hook.point) for hook in hooks if isinstance(hook, PointHook)}
        fast = self._components.fast_path(modules.hooked, points)
        if fast.key and not self.trials.fast_path_agrees(fast, modules):
            fast = FastPath()
        if not bool(mask.all()):
            self.trials.require_padding(fast, modules)
        return Attachment(self.model, [Evaluation(modules.training), *hooks, *fast.items()]).run(function)
