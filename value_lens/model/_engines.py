"""The engines: which adapter a model has, and loading a model by one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelLoadError
from ._adapter import Adapter
from ._bridge import Bridge
from ._hooked import Hooked
from ._loading import Loading
from ._patches import whole_checkpoints

ADAPTERS: Mapping[str, type[Adapter]] = {adapter.engine: adapter for adapter in (Bridge, Hooked)}  # the first that matches


def adapter_of(model: Any) -> Adapter:
    """The adapter of a model. Raises `ModelLoadError` for anything that is no TransformerLens model."""
    for adapter in ADAPTERS.values():
        if adapter.matches(model):
            return adapter(model)
    raise ModelLoadError(
        f"expected a TransformerLens model (HookedTransformer or TransformerBridge), got {type(model).__name__}; "
        "wrap it first, e.g. TransformerBridge.boot_transformers(name)"
    )


def load_model(name: str | Path, loading: Loading = Loading()) -> Any:
    """A TransformerLens model from a hub name or a local folder with config, weights and tokenizer.

    Args:
        name: A hub name, or a folder made by `save_pretrained`.
        loading: Engine, device, dtype and what else can be chosen; see `Loading`.

    Returns:
        A `TransformerBridge`, or a `HookedTransformer` with engine "hooked", in evaluation mode, to be given to `ValueLens`.

    Raises:
        ModelLoadError: What cannot be loaded, with the reason and the offline way; a checkpoint that lacks weights, with their names.
    """
    try:
        return whole_checkpoints().run(lambda: ADAPTERS[loading.engine].load(str(name), loading))
    except ModelLoadError:
        raise
    except Exception as error:  # the hub client, transformers and TransformerLens raise many types here
        raise ModelLoadError(
            f"cannot load {str(name)!r} as a {loading.engine} model: {type(error).__name__}: {_one_line(error)}. Give a hub name, or a "
            "local folder with config.json, weights and tokenizer files (made by save_pretrained); offline only a folder, or a "
            "name already in the local cache, can be read"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
