"""Loading models: a Hub name or local folder, as a bridge or (transformer-lens 3) a HookedTransformer."""

import importlib.metadata
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch

from ..errors import ModelLoadError
from ._attachment import Attachment
from ._attachments import Setting

ENGINES = ("bridge", "hooked")
SHOWN = 3  # missing weights that an error message lists


def transformer_lens_version() -> str:
    return importlib.metadata.version("transformer-lens")


def load_model(name: str | Path, *, engine: str = "bridge", device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """A TransformerLens model from a hub name or a local folder with config, weights and tokenizer.

    "bridge" gives a `TransformerBridge`; "hooked" a `HookedTransformer` with its weights as they are (no folding, so that
    neurons and weights are those of the original). Raises `ModelLoadError` with the reason and the offline way, and for a
    checkpoint that lacks weights, with their names.
    """
    if engine not in ENGINES:
        raise ModelLoadError(f"unknown engine {engine!r}; known: {', '.join(ENGINES)}")
    try:
        return _whole_checkpoints().run(lambda: (_bridge if engine == "bridge" else _hooked)(str(name), device, dtype))
    except ModelLoadError:
        raise
    except Exception as error:  # the hub client, transformers and TransformerLens raise many types here
        raise ModelLoadError(
            f"cannot load {str(name)!r} as a {engine} model: {type(error).__name__}: {_one_line(error)}. Give a hub name, or a local "
            "folder with config.json, weights and tokenizer files (made by save_pretrained); offline only a folder, or a "
            "name already in the local cache, can be read"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _whole_checkpoints() -> Attachment:
    """While it is attached, Hugging Face's loader raises for a checkpoint that lacks weights, instead of making up random numbers for them.

    Both engines call that loader themselves, each with classes and options of its own, and drop what it reports: so the report is
    read where all of their ways meet. Tied weights are not in it; absent buffers are, but those are computed, not learnt.
    """
    from transformers import PreTrainedModel

    original = PreTrainedModel.__dict__["from_pretrained"]

    def from_pretrained(kind: Any, name: Any, *args: Any, output_loading_info: bool = False, **options: Any) -> Any:
        if not attachment.acts:
            return original.__func__(kind, name, *args, output_loading_info=output_loading_info, **options)
        model, report = original.__func__(kind, name, *args, output_loading_info=True, **options)
        learnt = {weight for weight, _ in model.named_parameters(remove_duplicate=False)}
        if missing := sorted(learnt & set(report["missing_keys"])):
            more = ", ..." if len(missing) > SHOWN else ""
            raise ModelLoadError(
                f"the checkpoint of {str(name)!r} lacks {len(missing)} of the {len(learnt)} weights of a {kind.__name__}: "
                f"{', '.join(missing[:SHOWN])}{more}; they would be random numbers. Download it again, or save the whole model "
                "(save_pretrained), with the config.json that belongs to it"
            )
        return (model, report) if output_loading_info else model

    attachment = Attachment(PreTrainedModel, [Setting(PreTrainedModel, "from_pretrained", classmethod(from_pretrained))])
    return attachment


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
    if not os.path.isdir(name):
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
    model.generation_config = source.generation_config  # which tokens end a turn
    return model.to(device)
