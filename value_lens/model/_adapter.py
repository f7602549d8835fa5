"""The interface between the library and an engine; each engine implements it in a file of its own."""

import importlib.metadata
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._fast_path import Components
from ._lease import Item
from ._loading import Loading
from ._sampling import Choose

T = TypeVar("T")


def transformer_lens_version() -> str:
    return importlib.metadata.version("transformer-lens")


@runtime_checkable
class Runner(Protocol):
    """What generation needs of `ModelRuns`: a run on a batch with a mask, and the logits of its last positions."""

    def run(self, function: Callable[[], T], mask: Bool[Tensor, "batch pos"], hooks: Sequence[Item] = ()) -> T: ...

    def logits_at(
        self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"], first: int
    ) -> Float[Tensor, "batch scored d_vocab"]: ...


class Adapter(ABC):
    """One model of one engine. The names of its hooks are those of TransformerLens in all."""

    engine: ClassVar[str]

    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    @abstractmethod
    def matches(cls, model: Any) -> bool:
        """Whether the model is one of this engine."""

    @classmethod
    @abstractmethod
    def load(cls, name: str, loading: Loading) -> Any:
        """The model of a hub name or folder; whatever the libraries below raise comes through."""

    @property
    @abstractmethod
    def n_embedded(self) -> int:
        """Rows of the embedding."""

    @abstractmethod
    def arguments(self, mask: Bool[Tensor, "batch pos"]) -> dict[str, Any]:
        """What the model's forward needs besides tokens: `mask` is True on real tokens, which may be padded on either side."""

    @abstractmethod
    def components(self) -> Components:
        """What can be bypassed in a run where nothing hooks it."""

    @abstractmethod
    def output_map(self, layer: int) -> Any:
        """The module that `hook_post` of a layer is given to; None where it is multiplied by `W_out` as it is."""

    @abstractmethod
    def generate(
        self,
        runner: Runner,
        tokenizer: Any,
        tokens: Int[Tensor, "batch pos"],
        mask: Bool[Tensor, "batch pos"],
        choose: Choose,
        n_new: int,
        ends: Sequence[int],
    ) -> list[list[int]]:
        """New tokens of each row, at most `n_new`, without the end token. Rows are padded on the left."""

    @abstractmethod
    def _output_weight(self, mlp: Any) -> Any:
        """W_out of an MLP as the engine hands it out, loaded where it is offloaded; None where it has none."""

    @property
    def name(self) -> str:
        name = str(getattr(self.model.cfg, "model_name", "") or type(self.model).__name__)
        return Path(name).name if os.path.isdir(name) else name  # a folder is named by its last part

    @property
    def n_layers(self) -> int:
        return int(self.model.cfg.n_layers)

    @property
    def n_ctx(self) -> int:
        """Tokens of the context; 0 where it is not stated."""
        return int(getattr(self.model.cfg, "n_ctx", None) or 0)

    @property
    def device(self) -> torch.device:
        """Where inputs go."""
        for weight in self.model.parameters():
            if not weight.is_meta:  # an offloaded one is nowhere until it is used
                return weight.device
        return torch.device("cpu")

    def logits(self, tokens: Int[Tensor, "batch pos"], mask: Bool[Tensor, "batch pos"]) -> Float[Tensor, "batch _ d_vocab"]:
        return self.model(tokens, **self.arguments(mask), return_type="logits")

    def output_weight(self, layer: int) -> Float[Tensor, "neuron d_model"] | None:
        """W_out of one layer, a row a neuron; None where hook_post is not what it multiplies.

        So it is with a sparse mixture of experts: it has no such weight, or `hook_post` is another name of the whole MLP's output.
        An offloaded weight is loaded for a moment. Raises `NotImplementedError` for one that a bridge cannot read (quantised).
        """
        blocks = getattr(self.model, "blocks", ())
        mlp = getattr(blocks[layer], "mlp", None) if layer < len(blocks) else None
        weight = self._output_weight(mlp)
        if not isinstance(weight, Tensor) or weight.ndim != 2:
            return None
        hook_post = self.model.hook_dict.get(f"blocks.{layer}.mlp.hook_post")
        return None if hook_post is getattr(mlp, "hook_out", self.model) else weight
