"""The engine `HookedTransformer`: TransformerLens's own implementation, in its third generation only."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ..errors import ModelLoadError
from ._adapter import Adapter, Runner, transformer_lens_version
from ._fast_path import Components
from ._loading import Loading
from ._sampling import Choose


class Hooked(Adapter):
    """A `HookedTransformer`, its weights as they are (no folding, so that neurons and weights are those of the original)."""

    engine = "hooked"

    @classmethod
    def matches(cls, model: Any) -> bool:
        return hasattr(model, "hook_dict") and hasattr(model, "cfg")

    @classmethod
    def load(cls, name: str, loading: Loading) -> Any:
        try:
            import transformer_lens

            kind: Any = transformer_lens.HookedTransformer
        except (ImportError, AttributeError):
            raise ModelLoadError(
                f"transformer-lens {transformer_lens_version()} has no HookedTransformer; install 'transformer-lens<4' "
                "or use engine='bridge'"
            ) from None
        if not os.path.isdir(name):
            return kind.from_pretrained_no_processing(name, device=loading.device, dtype=loading.torch_dtype)
        return _from_folder(kind, Path(name), loading.device, loading.torch_dtype)

    @property
    def n_embedded(self) -> int:
        weights = getattr(self.model, "W_E", None)
        return int(self.model.cfg.d_vocab if weights is None else weights.shape[0])

    def arguments(self, mask: Bool[Tensor, "batch pos"]) -> dict[str, Any]:
        return {} if bool(mask.all()) else {"attention_mask": mask.long()}

    def components(self) -> Components:
        return Components()

    def output_map(self, layer: int) -> Any:
        return None

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
        """The whole text is run at every step."""
        rows: list[list[int]] = [[] for _ in tokens]
        unfinished = torch.ones(len(tokens), dtype=torch.bool)
        for step in range(n_new):
            next_tokens = choose(runner.logits_at(tokens, mask, tokens.shape[1] - 1)[:, -1], step)
            for row in unfinished.nonzero().flatten().tolist():
                if int(next_tokens[row]) in ends:
                    unfinished[row] = False
                else:
                    rows[row].append(int(next_tokens[row]))
            if not bool(unfinished.any()):
                break
            tokens = torch.cat([tokens, next_tokens[:, None].to(tokens.device)], dim=1)
            mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        return rows

    def _output_weight(self, mlp: Any) -> Any:
        return getattr(mlp, "W_out", None)


def _from_folder(kind: Any, folder: Path, device: str, dtype: torch.dtype) -> Any:
    """Convert a local folder: TransformerLens 3 can, but its own entry point only takes names it knows."""
    import transformer_lens
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loading: Any = transformer_lens.loading_from_pretrained
    source = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    config = source.config.to_dict()
    config.setdefault("n_ctx", config.get("n_positions"))  # GPT-2 folders saved by recent transformers lack it
    with tempfile.TemporaryDirectory() as neutral_folder:
        # The converter guesses the architecture from words in the path ("llama", "gemma"): give it a path without any.
        (Path(neutral_folder) / "config.json").write_text(json.dumps(config), encoding="utf-8")
        cfg = loading.get_pretrained_model_config(neutral_folder, device=device, dtype=dtype)
        cfg.d_mlp = config.get("n_inner") or cfg.d_mlp  # the converter assumes 4 * d_model for GPT-2
        weights = loading.get_pretrained_state_dict(neutral_folder, cfg, source, dtype=dtype)
    cfg.model_name = folder.name
    model = kind(cfg, AutoTokenizer.from_pretrained(folder), move_to_device=False)
    model.load_and_process_state_dict(
        weights, fold_ln=False, center_writing_weights=False, center_unembed=False, fold_value_biases=False
    )
    model.generation_config = source.generation_config  # which tokens end a turn
    return model.to(device)
