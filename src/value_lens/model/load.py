"""How is a model loaded? A hub name or a local Hugging Face folder, as a bridge or (transformer-lens 3) as a HookedTransformer."""

import importlib.metadata
import json
import tempfile
from pathlib import Path
from typing import Any

import torch

from ..errors import ModelLoadError

ENGINES = ("bridge", "hooked")


def transformer_lens_version() -> str:
    return importlib.metadata.version("transformer-lens")


def load_model(name: str | Path, *, engine: str = "bridge", device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """A TransformerLens model from a hub name or a local folder with config, weights and tokenizer.

    "bridge" gives a `TransformerBridge`; "hooked" a `HookedTransformer` with its weights as they are (no folding, so that
    neurons and weights are those of the original). Raises `ModelLoadError` with the reason and the offline way.
    """
    if engine not in ENGINES:
        raise ModelLoadError(f"unknown engine {engine!r}; known: {', '.join(ENGINES)}")
    try:
        return (_bridge if engine == "bridge" else _hooked)(str(name), device, dtype)
    except ModelLoadError:
        raise
    except Exception as error:  # the hub client, transformers and TransformerLens raise many types here
        raise ModelLoadError(
            f"cannot load {str(name)!r} as a {engine} model: {type(error).__name__}: {error}. Give a hub name, or a local "
            "folder with config.json, weights and tokenizer files (made by save_pretrained); offline only a folder, or a "
            "name already in the local cache, can be read"
        ) from error


def _bridge(name: str, device: str, dtype: torch.dtype) -> Any:
    from transformer_lens.model_bridge import TransformerBridge

    return TransformerBridge.boot_transformers(name, device=device, dtype=dtype)


def _hooked(name: str, device: str, dtype: torch.dtype) -> Any:
    try:
        import transformer_lens

        kind: Any = transformer_lens.HookedTransformer
    except (ImportError, AttributeError):
        raise ModelLoadError(
            f"transformer-lens {transformer_lens_version()} has no HookedTransformer; install 'transformer-lens<4' "
            "or use engine='bridge'"
        ) from None
    if not Path(name).is_dir():
        return kind.from_pretrained_no_processing(name, device=device, dtype=dtype)
    return _hooked_from_folder(kind, Path(name), device, dtype)


def _hooked_from_folder(kind: Any, folder: Path, device: str, dtype: torch.dtype) -> Any:
    """Convert a local folder: TransformerLens 3 can, but its own entry point only takes names it knows."""
    import transformer_lens
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loading: Any = transformer_lens.loading_from_pretrained
    source = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    described = source.config.to_dict()
    described.setdefault("n_ctx", described.get("n_positions"))  # GPT-2 folders saved by recent transformers lack it
    with tempfile.TemporaryDirectory() as neutral:
        # The converter guesses the architecture from words in the path ("llama", "gemma"): give it a path without any.
        (Path(neutral) / "config.json").write_text(json.dumps(described), encoding="utf-8")
        cfg = loading.get_pretrained_model_config(neutral, device=device, dtype=dtype)
        cfg.d_mlp = described.get("n_inner") or cfg.d_mlp  # the converter assumes 4 * d_model for GPT-2
        weights = loading.get_pretrained_state_dict(neutral, cfg, source, dtype=dtype)
    cfg.model_name = folder.name
    model = kind(cfg, AutoTokenizer.from_pretrained(folder), move_to_device=False)
    model.load_and_process_state_dict(
        weights, fold_ln=False, center_writing_weights=False, center_unembed=False, fold_value_biases=False
    )
    return model.to(device)
