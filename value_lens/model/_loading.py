"""Settings of loading a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from ..errors import DataError, ModelLoadError, UnknownNameError

ENGINES = ("bridge", "hooked")
DTYPES = ("float32", "bfloat16", "float16", "float64")
ONLY_BRIDGE = ("device_map", "n_devices", "max_memory", "revision", "trust_remote_code", "hf_model")


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How a model is loaded. All that only a bridge can do is left out of a HookedTransformer's options, and refused there.

    Args:
        engine: "bridge" for a `TransformerBridge`; "hooked" for a `HookedTransformer` (transformer-lens 3) with its weights as they
            are (no folding, so that neurons and weights are those of the original).
        device: Where the weights go: "cpu", "cuda", "cuda:1", "mps". Not used with one of the next three.
        dtype: "float32", "bfloat16", "float16", "float64", or the type of PyTorch that has this name.
        device_map: Where each part goes, as Hugging Face takes it: "auto", or {part: device}.
        n_devices: Split over so many CUDA devices.
        max_memory: {device: bytes, or a text such as "10GiB"}, for "auto".
        revision: Branch, tag or commit of a hub repository.
        trust_remote_code: Let the repository's own code run.
        hf_model: A Hugging Face model that is loaded already, such as a quantised one; it stays where it is, on `device`.

    Raises:
        ModelLoadError: An unknown engine, or a setting that the engine does not have.
        UnknownNameError: A `dtype` or `device` that is not there.
        DataError: `n_devices` is below 1.
    """

    engine: str = "bridge"
    device: str = "cpu"
    dtype: str | torch.dtype = "float32"
    device_map: str | Mapping[str, Any] | None = None
    n_devices: int | None = None
    max_memory: Mapping[Any, Any] | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    hf_model: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ModelLoadError(f"unknown engine {self.engine!r}; known: {', '.join(ENGINES)}")
        if str(self.dtype).removeprefix("torch.") not in DTYPES:
            raise UnknownNameError("dtype", str(self.dtype), DTYPES)
        if self.n_devices is not None and self.n_devices < 1:
            raise DataError(f"n_devices is {self.n_devices}; give at least 1")
        defaults = {setting.name: setting.default for setting in fields(self)}
        changed = [name for name in ONLY_BRIDGE if getattr(self, name) is not defaults[name]]
        if self.engine != "bridge" and changed:
            raise ModelLoadError(f"engine {self.engine!r} has no {', '.join(changed)}; use engine='bridge', or leave it out")
        if not self.is_dispatched:
            require_device(self.device)

    @property
    def torch_dtype(self) -> torch.dtype:
        return getattr(torch, str(self.dtype).removeprefix("torch."))

    @property
    def is_dispatched(self) -> bool:
        """Whether the parts of the model are spread over devices."""
        return any(setting is not None for setting in (self.device_map, self.n_devices, self.max_memory))


def require_device(name: str) -> None:
    """Raise `UnknownNameError` unless a number can be put on the device and read back."""
    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError):  # no such kind, not there, not compiled in, or without numbers ("meta")
        cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        mps = ["mps"] if torch.backends.mps.is_available() else []
        raise UnknownNameError("device", name, ["cpu", *cuda, *mps]) from None
