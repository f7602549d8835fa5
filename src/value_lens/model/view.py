"""What does the library need to know and do with a TransformerLens model? One view of both generations.

This is the only place that runs a forward pass. It never dispatches on the name a hook reports (the bridge reports aliases).
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import ModelLoadError, SiteError
from .load import transformer_lens_version
from .native import aside, difference, native
from .width import mlp_width

HookFunction = Callable[[Tensor], Tensor | None]
PADDING = 10.0  # roundings; a mask that is not heeded changes thousands


class _Ended(Exception):
    """Raised by a reading hook when nothing later in the forward pass is needed; caught by `ModelView.run_until`."""


@dataclass(frozen=True)
class ModelInfo:
    """Which model a result came from. `fingerprint` is a hash of the weights (see `fingerprint`)."""

    name: str
    engine: str
    transformer_lens: str
    n_layers: int
    d_mlp: int
    fingerprint: str


class ModelView:
    """A `HookedTransformer` or `TransformerBridge` with the few operations that the rest of the library uses."""

    def __init__(self, model: Any, tokenizer: Any = None) -> None:
        if not hasattr(model, "hook_dict") or not hasattr(model, "cfg"):
            raise ModelLoadError(
                f"expected a TransformerLens model (HookedTransformer or TransformerBridge), got {type(model).__name__}; "
                "wrap it first, e.g. TransformerBridge.boot_transformers(name)"
            )
        self.model = model
        self.tokenizer: Any = tokenizer if tokenizer is not None else getattr(model, "tokenizer", None)
        if self.tokenizer is None:
            raise ModelLoadError("the model has no tokenizer; pass one, e.g. ValueLens(model, tokenizer=...)")
        self.is_bridge = hasattr(model, "original_model")
        cfg = model.cfg
        self.n_layers = int(cfg.n_layers)
        self.d_mlp = mlp_width(model)
        self.n_ctx = int(getattr(cfg, "n_ctx", None) or 0)
        self.act_fn = str(getattr(cfg, "act_fn", "") or "")
        default = getattr(cfg, "default_prepend_bos", True)
        bos = self.tokenizer.bos_token_id
        self.prepends_bos = bool(default) and bos is not None and bos < self.n_embedded
        self._info: tuple[Any, ModelInfo] | None = None
        self._tried: dict[tuple[int, ...], bool] = {}
        self._padding: float | None = None  # what padding does to log-probabilities, in roundings; None before it was tried

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def n_embedded(self) -> int:
        """Rows of the embedding: token ids from here on cannot be run, whatever the tokenizer or the configuration states."""
        weights = getattr(self.model, "W_E", None)
        return int(self.model.cfg.d_vocab if weights is None else weights.shape[0])

    @property
    def info(self) -> ModelInfo:
        """Made again when a weight was written to since."""
        written = tuple((id(p), 0 if p.is_inference() else p._version) for p in self.model.parameters())
        if self._info is None or self._info[0] != written:
            cfg = self.model.cfg
            name = str(getattr(cfg, "model_name", "") or type(self.model).__name__)
            name = Path(name).name if Path(name).is_dir() else name  # a folder is named by its last part
            engine = "bridge" if self.is_bridge else "hooked"
            mark = fingerprint(self.model)
            self._info = written, ModelInfo(name, engine, transformer_lens_version(), self.n_layers, self.d_mlp, mark)
        return self._info[1]

    @contextmanager
    def hooks(self, functions: "list[tuple[str, HookFunction]]") -> Iterator[None]:
        """Attach functions (activation -> new activation or None) to hooks; on any exit exactly these are removed.

        Raises `SiteError` for a name the model does not have: some bridges ignore those silently.
        """
        points = self.model.hook_dict
        for name, _ in functions:
            if name not in points:
                raise SiteError(f"the model has no hook {name!r}")
        with ExitStack() as stack:
            for name, function in functions:
                stack.enter_context(_attached(points[name], function))
            yield

    def forward(self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_vocab"]:
        """Logits; `mask` is True on real tokens, which may be padded on either side."""
        with self.running():
            return self._logits(tokens, mask)

    def run_until(
        self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"], readers: Mapping[str, HookFunction], last: str
    ) -> None:
        """Run the model with reading hooks and end the run right after the hook named `last`: no later layer, no unembedding."""

        def end(activation: Tensor) -> None:
            raise _Ended

        functions = [*readers.items(), (last, end)]
        with self.running(functions):
            try:
                self.model(tokens, **self._arguments(mask), return_type=None)
            except _Ended:
                return
        raise SiteError(f"the run ended without reaching hook {last!r}; the model does not run it")

    def logits_at(
        self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"], first: int
    ) -> Float[Tensor, "batch scored d_vocab"]:
        """Logits of positions `first` and later only: the residual stream is cut before the unembedding."""
        unembed = self.model.unembed

        def cut(module: torch.nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (arguments[0][:, first:], *arguments[1:])

        with self.running():
            handle = unembed.register_forward_pre_hook(cut)
            try:
                logits = self._logits(tokens, mask)
            finally:
                handle.remove()
        if logits.shape[1] != tokens.shape[1] - first:
            raise SiteError(f"expected logits of {tokens.shape[1] - first} positions, got {logits.shape[1]}")
        return logits

    def _logits(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.model(tokens, **self._arguments(mask), return_type="logits")

    @contextmanager
    def running(self, functions: "list[tuple[str, HookFunction]] | None" = None) -> Iterator[None]:
        """For a run, with hooks: no dropout, no gradients, and what nobody hooked as Hugging Face's own (see `native`)."""
        around = native if self.is_bridge and self._native_agrees() else nullcontext
        if self._padding is None and not any(point.fwd_hooks for point in self.model.hook_dict.values()):
            with evaluating(self.model), torch.no_grad(), around(self.model):
                self._padding = self._padding_changes()
        with evaluating(self.model), torch.no_grad(), self.hooks(functions or []), around(self.model):
            yield

    def _native_agrees(self) -> bool:
        """Whether both ways give the same on two rows of tokens, tried whenever another set of components can step aside.

        Warns when they differ by more than rounding: the bridge, whose hooks are read, then has its way.
        """
        key = aside(self.model).key
        if key not in self._tried:
            tokens, mask = self._trial()
            with evaluating(self.model), torch.no_grad():
                usual = self._logits(tokens, mask)[mask]
                try:
                    with native(self.model):
                        fast = self._logits(tokens, mask)[mask]
                except Exception:  # whatever the original does when it is called in the bridge's place
                    self._tried[key] = False
                    return False
            apart = difference(usual, fast)
            self._tried[key] = apart <= 1 or bool(fast.isfinite().all() and not usual.isfinite().all())
            if apart > 1 and usual.dtype in (torch.float32, torch.float64):
                warnings.warn(
                    f"the bridge's log-probabilities of {self.info.name} differ from those of the Hugging Face model it wraps by "
                    f"up to {float((usual.log_softmax(-1) - fast.log_softmax(-1)).abs().max()):.2g}; counts are of the bridge's",
                    stacklevel=2,
                )
        return self._tried[key]

    def _padding_changes(self) -> float:
        """How far a row's log-probabilities in a padded batch are from those of the row alone, on either side."""
        tokens, mask = self._trial()
        apart = []
        for rows, real in ((tokens, mask), (tokens.flip(1), mask.flip(1))):
            together = self._logits(rows, real)
            for row, kept in enumerate(real):
                alone = self._logits(rows[row : row + 1, kept], kept[None, kept])[0]
                apart.append(difference(alone, together[row, kept]))
        return max(apart)

    def _trial(self) -> tuple[Tensor, Tensor]:
        """Two rows of tokens, the second padded on the left."""
        n_pos = min(8, self.n_ctx or 8)
        tokens = (torch.arange(2 * n_pos, device=self.device) % self.n_embedded).view(2, n_pos)
        mask = torch.ones_like(tokens, dtype=torch.bool)
        mask[1, : n_pos // 3] = False
        return tokens, mask

    def _arguments(self, mask: Tensor) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self.is_bridge:
            arguments["use_cache"] = False
        if bool(mask.all()):
            return arguments
        if (self._padding or 0) > PADDING:
            raise SiteError(
                "padding changes what this model computes for the tokens beside it (TransformerLens's attention for this "
                "architecture is not causal under a mask), so texts cannot share a batch; pass max_tokens=1"
            )
        arguments["attention_mask"] = mask.long()
        if self.is_bridge and not bool(mask[:, 0].all()):
            arguments["position_ids"] = (mask.long().cumsum(-1) - 1).clamp_min(0)
        return arguments


@contextmanager
def _attached(point: Any, function: HookFunction) -> Iterator[None]:
    handles: list[Any] = []
    try:
        # Permanent, so that a `reset_hooks` within leaves it; it is removed by its handle.
        point.add_hook(lambda activation, hook: function(activation), is_permanent=True)
        handles.append(point.fwd_hooks[-1])
        yield
    finally:
        for handle in handles:
            handle.hook.remove()
            point.fwd_hooks = [kept for kept in point.fwd_hooks if kept is not handle]


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """No dropout during a run, in any part of the model; each part's training flag is put back."""
    training = [part for part in model.modules() if part.training]
    try:
        for part in training:
            part.training = False
        yield
    finally:
        for part in training:
            part.training = True


def fingerprint(model: Any, samples: int = 4096) -> str:
    """16 hexadecimal digits of a SHA-256 over every weight's shape, an even sample of its values, and the sum of all their bits.

    Independent of parameter names and order, so that both bridge generations agree on one Hugging Face model. Processing the
    weights (folding layer norm, another dtype) changes it.
    """
    marks = set()
    for parameter in model.parameters():
        flat = parameter.detach().flatten()
        if not bool(flat.any()):
            continue  # one bridge generation adds biases of zeros that the other lacks
        step = max(1, flat.numel() // samples)
        sample = flat[::step][:samples].float().cpu().numpy().tobytes()
        about = f"{tuple(parameter.shape)} {_bits(flat)}".encode()
        marks.add(hashlib.sha256(about + sample).hexdigest())
    return hashlib.sha256("".join(sorted(marks)).encode()).hexdigest()[:16]


def _bits(flat: Tensor) -> int:
    """The sum of all numbers' bits as integers: exact in any order, changed by any change of one number."""
    kinds = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return int(flat.contiguous().view(kinds[flat.element_size()]).sum(dtype=torch.int64))
