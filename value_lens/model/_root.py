"""The module that holds a model's weights."""

from typing import Any


def root_of(model: Any) -> Any:
    """The Hugging Face model that a bridge wraps, or the model itself."""
    return getattr(model, "original_model", model)
