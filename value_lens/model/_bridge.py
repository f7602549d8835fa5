"""The engine `TransformerBridge`: a Hugging Face model behind TransformerLens's names."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Bool, Int
from torch import Tensor

from ._adapter import Adapter, Runner
from ._fast_path import Components, components
from ._generation import generate_with_huggingface
from ._loading import Loading
from ._sampling import Choose


class Bridge(Adapter):
    """A `TransformerBridge` of either generation of TransformerLens."""

    engine = "bridge"

    @classmethod
    def matches(cls, model: Any) -> bool:
        return hasattr(model, "hook_dict") and hasattr(model, "original_model")

    @classmethod
    def load(cls, name: str, loading: Loading) -> Any:
        from transformer_lens.model_bridge import TransformerBridge

        return TransformerBridge.boot_transformers(
            name,
            device=None if loading.is_dispatched else loading.device,
            dtype=loading.torch_dtype,
            device_map=_plain(loading.device_map),
            n_devices=loading.n_devices,
            max_memory=_plain(loading.max_memory),
            revision=loading.revision,
            trust_remote_code=loading.trust_remote_code,
            hf_model=loading.hf_model,
        )

    @property
    def n_embedded(self) -> int:
        return int(self.model.original_model.get_input_embeddings().weight.shape[0])  # also where it is offloaded

    def arguments(self, mask: Bool[Tensor, "batch pos"]) -> dict[str, Any]:
        arguments: dict[str, Any] = {"use_cache": False}
        if bool(mask.all()):
            return arguments
        arguments["attention_mask"] = mask.long()
        if not bool(mask[:, 0].all()):
            arguments["position_ids"] = (mask.long().cumsum(-1) - 1).clamp_min(0)
        return arguments

    def components(self) -> Components:
        return components(self.model)

    def output_map(self, layer: int) -> Any:
        return self.model.blocks[layer].mlp.out.original_component

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
        """With the Hugging Face model and its cache; hooks act all the same."""
        original = self.model.original_model
        return runner.run(lambda: generate_with_huggingface(original, tokenizer, tokens, mask, choose, n_new, ends), mask)

    def _output_weight(self, mlp: Any) -> Any:
        original: Any = getattr(getattr(mlp, "out", None), "original_component", None)
        weight = getattr(original, "weight", None)
        if not (isinstance(weight, Tensor) and weight.is_meta):
            return getattr(mlp, "W_out", None)
        from accelerate.utils import align_module_device  # it has offloaded it

        with align_module_device(original):
            return getattr(mlp, "W_out", None)


def _plain(setting: Any) -> Any:
    """A mapping as the dictionary that transformers asks for."""
    return dict(setting) if isinstance(setting, Mapping) else setting
