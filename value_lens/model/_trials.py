"""Trial runs: fast path against the bridge's own, and a padded row against the row alone."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..errors import SiteError
from ._adapter import Adapter
from ._checks import Check, Checks, Status
from ._fast_path import FastPath
from ._items import Evaluation
from ._lease import Attachment
from ._modules import Modules

Logits = Callable[[Tensor, Tensor], Tensor]  # of tokens and their mask

ROUNDINGS = 1000  # that log-probabilities may differ by, of the logits' spread; bfloat16 is held to a tenth of it
PADDING = 10.0  # in units of `difference`; a mask that is not heeded changes thousands


def difference(first: Float[Tensor, "*pos d_vocab"], second: Float[Tensor, "*pos d_vocab"]) -> float:
    """The largest difference of log-probabilities, in units of what rounding may do; at most 1 for two runs of one model."""
    rounding = min(ROUNDINGS * torch.finfo(first.dtype).eps, 0.1) * float(first.float().std(-1).max())
    return float((first.float().log_softmax(-1) - second.float().log_softmax(-1)).abs().max()) / max(rounding, 1e-30)


def trial_rows(d_vocab: int, n_ctx: int, device: torch.device) -> tuple[Int[Tensor, "batch pos"], Bool[Tensor, "batch pos"]]:
    """Two rows of tokens and their mask, the second padded on the left."""
    n_pos = min(8, n_ctx or 8)
    tokens = torch.stack([torch.arange(n_pos), torch.arange(n_pos, 2 * n_pos)]).to(device) % d_vocab
    mask = torch.ones_like(tokens, dtype=torch.bool)
    mask[1, : n_pos // 3] = False
    return tokens, mask


def padding_changes(logits: Logits, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"]) -> float:
    """The largest `difference` of a row in a padded batch from the row alone, on either side."""
    differences = []
    for rows, masks in ((tokens, mask), (tokens.flip(1), mask.flip(1))):
        batch_logits = logits(rows, masks)
        for row, real in enumerate(masks):
            row_logits = logits(rows[row : row + 1, real], real[None, real])[0]
            differences.append(difference(row_logits, batch_logits[row, real]))
    return max(differences)


class Trials:
    """Trial runs of one model. Each is run when it is first needed, and again for other hooks, modules or weights.

    Hooks of the user's own are part of the model in these; what the library has put on it pauses meanwhile.
    """

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._fast_paths: dict[tuple[int, ...], Check] = {}  # by the components that are bypassed
        self._padding: dict[tuple[Any, ...], Check] = {}  # by these and the hooks on the model
        self.checks = Checks(model=adapter.name, engine=adapter.engine)

    def record(
        self, name: str, status: Status, detail: str = "", difference: float | None = None, allowed: float | None = None
    ) -> Check:
        """Put the result of a trial among the model's checks."""
        previous: Check = getattr(self.checks, name)
        check = Check(question=previous.question, status=status, difference=difference, allowed=allowed, detail=detail)
        self._set_check(name, check)
        return check

    def _set_check(self, name: str, check: Check) -> None:
        if getattr(self.checks, name) is not check:
            self.checks = replace(self.checks, **{name: check})

    def forget(self) -> None:
        """The model has other modules or weights: what was shown of it before does not count."""
        self._fast_paths.clear()
        self._padding.clear()
        unknown = Checks(model=self._adapter.name, engine=self._adapter.engine)
        self.checks = replace(self.checks, fast_path=unknown.fast_path, padding=unknown.padding)

    def fast_path_agrees(self, fast: FastPath, modules: Modules) -> bool:
        """Whether bypassing these components gives the same as the bridge's own.

        Warns when they differ by more than rounding: the bridge, whose hooks are read, is then run as it is.
        """
        if fast.key not in self._fast_paths:
            self._fast_paths[fast.key] = self._try_fast_path(fast, modules)
        check = self._fast_paths[fast.key]
        self._set_check("fast_path", check)
        return check.status == "passed"

    def _try_fast_path(self, fast: FastPath, modules: Modules) -> Check:
        try:
            bridge_logits, original_logits = self._trial(modules, FastPath()), self._trial(modules, fast)
        except Exception as error:  # whatever the original does when it is called in the bridge's place
            return self.record(
                "fast_path", "failed", detail=f"it raises {type(error).__name__}: {error}; the bridge's own are used"
            )
        differs = difference(bridge_logits, original_logits)
        agrees = differs <= 1 or bool(original_logits.isfinite().all() and not bridge_logits.isfinite().all())
        if differs > 1 and bridge_logits.dtype in (torch.float32, torch.float64):
            warnings.warn(
                f"the bridge's log-probabilities of {self._adapter.name} differ from those of the Hugging Face model it wraps by "
                f"up to {float((bridge_logits.log_softmax(-1) - original_logits.log_softmax(-1)).abs().max()):.2g}; "
                "counts are of the bridge's",
                stacklevel=5,
            )
        parts = f"{len(fast.norms)} norms and {len(fast.attention)} attention layers are bypassed"
        detail = parts if agrees else "the bridge's own are used"
        return self.record("fast_path", "passed" if agrees else "failed", detail, differs, 1.0)

    def _trial(self, modules: Modules, fast: FastPath) -> Float[Tensor, "pos d_vocab"]:
        tokens, mask = self.rows()
        attachment = Attachment(self._adapter.model, [Evaluation(modules.training), *fast.items()])
        return attachment.run(lambda: self._adapter.logits(tokens, mask)[mask], trial=True)

    def require_padding(self, fast: FastPath, modules: Modules) -> None:
        """Raise `SiteError` if padding changes what the model computes, as it is now with its hooks."""
        hooks = modules.user_hooks()
        key = (fast.key, hooks)
        if key not in self._padding:
            self._padding[key] = self._try_padding(fast, modules, len(hooks))
        check = self._padding[key]
        self._set_check("padding", check)
        if check.status == "failed":
            raise SiteError(
                "padding changes what this model computes for the tokens beside it, as attention does that is not causal under a "
                "mask (TransformerLens's for some architectures), quantisation by the batch, or a hook that looks at more than one "
                "token; so texts cannot share a batch; pass batching=Batching(max_tokens=1)"
            )

    def _try_padding(self, fast: FastPath, modules: Modules, n_hooks: int) -> Check:
        attachment = Attachment(self._adapter.model, [Evaluation(modules.training), *fast.items()])
        try:
            differs = attachment.run(lambda: padding_changes(self._adapter.logits, *self.rows()), trial=True)
        except Exception as error:  # whatever a hook of the user's own raises
            reason = f"a run of two short rows failed ({type(error).__name__}: {error})"
            self.record("padding", "failed", detail=reason)
            raise SiteError(
                f"whether padding changes what this model computes cannot be tried: {reason}; so texts cannot share a batch; "
                "pass batching=Batching(max_tokens=1)"
            ) from error
        status: Status = "failed" if differs > PADDING else "passed"
        detail = f"with {n_hooks} forward hooks on it that are not the library's" if n_hooks else ""
        return self.record("padding", status, detail, differs, PADDING)

    def rows(self) -> tuple[Int[Tensor, "batch pos"], Bool[Tensor, "batch pos"]]:
        return trial_rows(self._adapter.n_embedded, self._adapter.n_ctx, self._adapter.device)
