"""`LensModel`: a model with its tokenizer, its batching and its sites; every room works on one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool, Int
from torch import Tensor

from ..errors import ModelLoadError, SiteError
from ._adapter import transformer_lens_version
from ._batching import Batching
from ._checks import Checks
from ._engines import adapter_of
from ._fingerprint import Fingerprint
from ._generation import end_tokens
from ._runs import ModelRuns
from ._sampling import Choose
from ._sites import SITES, NeuronSite, resolve_site


@dataclass(frozen=True)
class ModelInfo:
    """Which model a result came from. `fingerprint` is a hash of the weights, "" where they cannot be read (see `fingerprint`)."""

    name: str
    engine: str
    transformer_lens: str
    n_layers: int
    d_mlp: int
    fingerprint: str


class LensModel(ModelRuns):
    """A `HookedTransformer` or `TransformerBridge` with its tokenizer, and how its texts are batched.

    Args:
        model: The model. Nothing in it is changed; whatever is put on it for a run is taken off after it.
        tokenizer: Only where the model has none, or another one is to be used.
        batching: How texts share a run, unless a call says otherwise.

    Raises:
        ModelLoadError: Anything that is no TransformerLens model, and a model without a tokenizer.
    """

    def __init__(self, model: Any, tokenizer: Any = None, batching: Batching = Batching()) -> None:
        super().__init__(adapter_of(model))
        self.tokenizer: Any = tokenizer if tokenizer is not None else getattr(model, "tokenizer", None)
        if self.tokenizer is None:
            raise ModelLoadError("the model has no tokenizer; pass one, e.g. ValueLens(model, tokenizer=...)")
        self.batching = batching
        default = getattr(model.cfg, "default_prepend_bos", True)
        bos = self.tokenizer.bos_token_id
        self.prepends_bos = bool(default) and bos is not None and bos < self.n_embedded
        self._fingerprint = Fingerprint(model, lambda: self.adapter.name)
        self._sites: dict[str, NeuronSite] = {}

    def site(self, name: str) -> NeuronSite:
        """Where this model keeps its neurons' activations at a site; found and proven once (see `resolve_site`)."""
        if name not in self._sites:
            self._sites[name] = resolve_site(self, name)
        return self._sites[name]

    def generate(
        self,
        tokens: Int[Tensor, "batch pos"],
        mask: Bool[Tensor, "batch pos"],
        choose: Choose,
        n_new: int,
        ends: Sequence[int] | None = None,
    ) -> list[list[int]]:
        """New tokens of each row, at most `n_new`, without the end token; hooks and edits act. Rows are padded on the left.

        ends: tokens that end a text; without them the model's `end_tokens`.
        """
        ends = end_tokens(self.model, self.tokenizer) if ends is None else ends
        return self.adapter.generate(self, self.tokenizer, tokens, mask, choose, n_new, ends)

    @property
    def checks(self) -> Checks:
        """What trial runs have shown of this model so far; they are run when they are first needed."""
        return self.trials.checks

    def check(self) -> Checks:
        """Run every trial that has not been run yet, and say what all of them showed.

        Returns:
            `checks`. A check that failed is one of its rows, no error.
        """
        with suppress(SiteError):  # the check of padding says why
            self.forward(*self.trials.rows())
        for name in SITES:
            try:
                self.site(name)
            except SiteError as error:
                for kind in ("neurons", "gate_product") if name == "gate" else ("neurons",):
                    if getattr(self.checks, kind).status == "not run":
                        self.trials.record(kind, "failed", str(error))
        return self.checks

    @property
    def info(self) -> ModelInfo:
        """With the weights read again where a sample of them shows that they changed (see `Fingerprint`)."""
        return self._describe(self._fingerprint.current())

    def identify(self) -> ModelInfo:
        """As `info`, with all weights read again: once for each collect or experiment."""
        return self._describe(self._fingerprint.read())

    def _describe(self, fingerprint: str) -> ModelInfo:
        adapter = self.adapter
        return ModelInfo(adapter.name, adapter.engine, transformer_lens_version(), self.n_layers, self.d_mlp, fingerprint)


def as_lens_model(model: Any, tokenizer: Any = None) -> LensModel:
    """The `LensModel` that is given, as it is; or one of a TransformerLens model and, where that has none, a tokenizer."""
    return model if isinstance(model, LensModel) else LensModel(model, tokenizer)
