"""Weight fingerprints: a full hash, cached while a cheap sample of the weights stays the same."""

import hashlib
import math
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from ._modules import walk
from ._root import root_of

SAMPLE = 256  # numbers of a weight that are looked at on every entry
PIECE = 2**18  # numbers of a weight that are summed at one time
KINDS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # {bytes of a number: integers of as many}


class Fingerprint:
    """The fingerprint of a model, read again when its weights are seen to have changed.

    `current` looks at every weight's identity, its count of writes (which PyTorch keeps), and 256 of its numbers, evenly spread. So it
    sees a weight that was replaced, added, taken away, moved to another dtype, or written to in the usual ways, and what changes a
    whole weight in any way. It can miss a change of few numbers by ways that PyTorch does not count (through `.data` or NumPy, or
    under inference mode), and a change of what it does not look into: offloaded weights, and those of quantised layers that are no
    parameters. `read` misses none of these.
    """

    def __init__(self, model: Any, name: Callable[[], str]) -> None:
        self._model, self._name = model, name
        self._value = ""
        self._last_state: tuple[Any, dict[Any, Tensor]] | None = None
        self._has_warned = False

    def current(self) -> str:
        """The fingerprint, read again if a change is seen; "" where the weights cannot be read."""
        if self._last_state is None or not _is_same_state(self._last_state, _weight_state(self._model)):
            self.read()
        return self._value

    def read(self) -> str:
        """The fingerprint of all weights as they are, in a time that grows with their size; "" and a warning if they cannot be read."""
        self._last_state = _weight_state(self._model)
        try:
            self._value = fingerprint(self._model)
        except Exception as error:  # tensors of other libraries raise what they like
            self._value = ""
            if not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"the weights of {self._name()} cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]}), so its "
                    "fingerprint is unknown: whether results come from the same weights will not be checked",
                    stacklevel=4,
                )
        return self._value


def fingerprint(model: Any, samples: int = 4096) -> str:
    """16 hexadecimal digits of a SHA-256 over every weight's shape, an even sample of its values, and the sum of all their bits.

    Independent of parameter names and order, and of where the weights lie (another device, or offloaded), so that both bridge
    generations agree on one Hugging Face model. Processing the weights (folding layer norm, another dtype) changes it.
    """
    digests = set()
    for weight in weights(model):
        flat = weight.detach().flatten()
        step = max(1, flat.numel() // samples)
        sample = flat[::step][:samples]
        if not bool(sample.any()) and not bool(flat.any()):
            continue  # one bridge generation adds biases of zeros that the other lacks
        description = f"{tuple(weight.shape)} {_bits(flat)}".encode()
        digests.add(hashlib.sha256(description + sample.float().cpu().numpy().tobytes()).hexdigest())
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()[:16]


def _bits(flat: Tensor) -> int:
    """The sum of all numbers' bits as integers: exact in any order, changed by any change of one number."""
    integers = flat.contiguous().view(KINDS[flat.element_size()])
    pieces = (
        integers.split(PIECE) if flat.device.type == "cpu" else (integers,)
    )  # PyTorch widens what it sums: in the cache, ten times faster
    sums = [piece.sum(dtype=torch.int64) for piece in pieces]
    return int(torch.stack(sums).sum()) if sums else 0  # of 64 bits, modulo 2**64


def weights(model: Any) -> Iterator[Tensor]:
    """Every parameter once, an offloaded one as it was loaded; and what quantised layers keep instead of parameters.

    These are buffers, in a model that says it is quantised, and what a layer without parameters saves of itself.
    """
    root = root_of(model)
    quantised = bool(getattr(root, "is_quantized", False))
    yielded: set[int] = set()
    for module in root.modules():
        for name, weight in module._parameters.items():
            if weight is not None and id(weight) not in yielded:
                yielded.add(id(weight))
                yield _load_offloaded(module, name) if weight.is_meta else weight
        if quantised:
            names = [name for name in module._buffers if name not in module._non_persistent_buffers_set]
            yield from (module._buffers[name] for name in names if module._buffers[name] is not None)
        if not module._parameters and type(module)._save_to_state_dict is not nn.Module._save_to_state_dict:
            yield from _saved_tensors(module)


def _load_offloaded(module: nn.Module, name: str) -> Tensor:
    """An offloaded weight, from where accelerate keeps it."""
    hook: Any = getattr(module, "_hf_hook", None)
    for part in (hook, *getattr(hook, "hooks", ())):  # several may be joined in one
        weights_map = getattr(part, "weights_map", None)
        if weights_map is not None:
            return weights_map[name]
    raise RuntimeError(
        f"the weight {name!r} of a {type(module).__name__} is on the meta device, and nothing says where it is kept"
    )


def _saved_tensors(module: nn.Module) -> Iterator[Tensor]:
    state: dict[str, Any] = {}
    module._save_to_state_dict(state, "", keep_vars=False)
    pending = list(state.values())
    while pending:
        value = pending.pop()
        if isinstance(value, (tuple, list)):
            pending.extend(value)
        elif isinstance(value, Tensor) and value.is_quantized:
            yield value.int_repr()
            per_channel = value.qscheme() == torch.per_channel_affine
            yield value.q_per_channel_scales() if per_channel else torch.tensor([value.q_scale(), float(value.q_zero_point())])
        elif isinstance(value, Tensor):
            yield value


def _weight_state(model: Any) -> tuple[Any, dict[Any, Tensor]]:
    """What is compared on every entry: each weight's identity and count of writes, and samples, joined by device and dtype."""
    all_weights = walk(model).weights
    versions = tuple((id(weight), 0 if weight.is_inference() else weight._version) for weight in all_weights)
    groups: dict[Any, list[Tensor]] = {}
    with torch.no_grad():
        for weight in all_weights:
            if type(weight) in (Tensor, nn.Parameter) and not weight.is_complex():  # other kinds do as they like
                groups.setdefault((weight.device, weight.dtype), []).append(_sample(weight))
        return versions, {key: torch.cat(samples).view(KINDS[key[1].itemsize]) for key, samples in groups.items()}


def _sample(weight: Tensor) -> Tensor:
    n, step = weight.numel(), _step(tuple(weight.shape))
    if not weight.is_contiguous():
        return weight.flatten()[::step]
    return torch.as_strided(weight, (-(-n // step),), (step,), weight.storage_offset())


@lru_cache(maxsize=4096)
def _step(shape: tuple[int, ...]) -> int:
    """The stride of an even sample. It has no divisor in common with the width, or the sample would go down a few columns."""
    step = max(1, math.ceil(math.prod(shape) / SAMPLE))
    while len(shape) > 1 and math.gcd(step, max(1, shape[-1])) > 1:
        step += 1
    return step


def _is_same_state(first: tuple[Any, dict[Any, Tensor]], second: tuple[Any, dict[Any, Tensor]]) -> bool:
    if first[0] != second[0] or first[1].keys() != second[1].keys():
        return False
    return all(torch.equal(sample, second[1][key]) for key, sample in first[1].items())
