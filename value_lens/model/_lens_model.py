"""`LensModel`: a model with its tokenizer, its batching and its sites; every room works on one."""

from dataclasses import dataclass
from typing import Any

from ..errors import ModelLoadError
from ._batching import Batching
from ._fingerprint import Fingerprint
from ._loading import transformer_lens_version
from ._runs import ModelRuns
from ._sites import NeuronSite, resolve_site


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
        super().__init__(model)
        self.tokenizer: Any = tokenizer if tokenizer is not None else getattr(model, "tokenizer", None)
        if self.tokenizer is None:
            raise ModelLoadError("the model has no tokenizer; pass one, e.g. ValueLens(model, tokenizer=...)")
        self.batching = batching
        default = getattr(model.cfg, "default_prepend_bos", True)
        bos = self.tokenizer.bos_token_id
        self.prepends_bos = bool(default) and bos is not None and bos < self.n_embedded
        self._fingerprint = Fingerprint(model, lambda: self._name)
        self._sites: dict[str, NeuronSite] = {}

    def site(self, name: str) -> NeuronSite:
        """Where this model keeps its neurons' activations at a site; found and proven once (see `resolve_site`)."""
        if name not in self._sites:
            self._sites[name] = resolve_site(self, name)
        return self._sites[name]

    @property
    def info(self) -> ModelInfo:
        """With the weights read again where a sample of them shows that they changed (see `Fingerprint`)."""
        return self._describe(self._fingerprint.current())

    def identify(self) -> ModelInfo:
        """As `info`, with all weights read again: once for each collect or experiment."""
        return self._describe(self._fingerprint.read())

    def _describe(self, fingerprint: str) -> ModelInfo:
        engine = "bridge" if self.is_bridge else "hooked"
        return ModelInfo(self._name, engine, transformer_lens_version(), self.n_layers, self.d_mlp, fingerprint)


def as_lens_model(model: Any, tokenizer: Any = None) -> LensModel:
    """The `LensModel` that is given, as it is; or one of a TransformerLens model and, where that has none, a tokenizer."""
    return model if isinstance(model, LensModel) else LensModel(model, tokenizer)
