"""The firing accumulator, and the accumulator of sums of hook_post: counts and sums per group."""

import copy
import hashlib
from collections.abc import Sequence

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from ..core import FiringStats, Group
from ..errors import DataError, MismatchError, NotFiniteError
from ..model import has_float64, to_float64
from ._accumulator import Accumulator, TextBatch

SCRATCH = 2**18  # numbers in the scratch tensor: a mebibyte of float32


def text_sums(
    activations: Float[Tensor, "batch pos neuron"],
    counted: Bool[Tensor, "batch pos"],
    moments: bool,
    dtype: torch.dtype = torch.float32,
    *,
    firing: bool = True,
) -> Float[Tensor, "moment batch neuron"]:
    """Sums over the counted tokens of each text: how often > 0 (with firing), the activations and their squares (with moments).

    Summed in `dtype` whatever the activations' own: in float32, counts are exact up to 16 million tokens a text. On a CPU some
    texts at a time go through one small scratch tensor, which stays in the cache: less than half the time of whole products.
    """
    n_texts, n_pos, n_neurons = activations.shape
    step = max(1, SCRATCH // (n_pos * n_neurons)) if activations.device.type == "cpu" else n_texts
    weight = rearrange(counted.to(dtype), "batch pos -> batch 1 pos")
    scratch = activations.new_empty((min(step, n_texts), n_pos, n_neurons), dtype=dtype)
    sums = activations.new_empty((firing + 2 * moments, n_texts, 1, n_neurons), dtype=dtype)
    for start in range(0, n_texts, step):
        rows = slice(start, start + step)
        some = activations[rows]
        room = scratch[: len(some)]
        if firing:
            torch.bmm(weight[rows], torch.gt(some, 0, out=room), out=sums[0, rows])
        if moments:
            wide = some if some.dtype == dtype else room.copy_(some)
            torch.bmm(weight[rows], wide, out=sums[-2, rows])
            torch.bmm(weight[rows], torch.mul(wide, wide, out=room), out=sums[-1, rows])
    return rearrange(sums, "moment batch 1 neuron -> moment batch neuron")


def block_of(text_id: str, n_blocks: int) -> int:
    """The text block of an id: a hash, so that it depends on nothing else."""
    return int.from_bytes(hashlib.sha256(text_id.encode()).digest()[:8], "big") % n_blocks


class _GroupSums(Accumulator):
    """Sums over counted tokens by cell = block * n_groups + group; float64, on the CPU where the device has none."""

    def __init__(
        self, groups: tuple[Group, ...], shape: tuple[int, int, int, int], n_blocks: int, device: "torch.device | str"
    ):
        self.groups, self.n_blocks = groups, n_blocks
        sums_device = device if has_float64(torch.device(device)) else "cpu"
        self.sums = torch.zeros(shape, dtype=torch.float64, device=sums_device)

    def begin(self, batch: TextBatch, groups: Sequence[Group]) -> None:
        """A new batch: the cell of each text and which tokens count."""
        cells = [self.cell(group, text_id) for group, text_id in zip(groups, batch.ids, strict=True)]
        self._cells, self._counted = torch.tensor(cells, device=batch.counted.device), batch.counted

    def cell(self, group: Group, text_id: str) -> int:
        block = block_of(text_id, self.n_blocks) if self.n_blocks else 0
        return block * len(self.groups) + self.groups.index(group)

    def _add(self, layer: int, activations: Tensor, *, moments: bool, firing: bool) -> None:
        sums = text_sums(activations, self._counted, moments, firing=firing)
        if not bool(torch.isfinite(sums if moments else activations).all()):
            _require_finite(activations, self._counted, layer)
            # Not finite on padding only, or squares too large for float32: zero the padding (0 * NaN is NaN), square in float64.
            cleaned = activations.masked_fill(~rearrange(self._counted, "batch pos -> batch pos 1"), 0)
            sums = text_sums(to_float64(cleaned), self._counted.to(self.sums.device), moments, torch.float64, firing=firing)
        self.sums[:, :, layer].index_add_(1, self._cells.to(self.sums.device), to_float64(sums))

    def _settings(self) -> tuple[object, ...]:
        return (type(self).__name__, self.groups, self.n_blocks, tuple(self.sums.shape))

    def __repr__(self) -> str:
        name, *settings = self._settings()
        return f"{name}({', '.join(map(str, settings))})"

    def merge(self, other: Accumulator) -> "_GroupSums":
        """Both together. Raises `MismatchError` for other groups, shapes or settings."""
        if not isinstance(other, _GroupSums) or self._settings() != other._settings():
            raise MismatchError(f"only accumulators with the same settings can be merged: {self!r}, {other!r}")
        merged = copy.copy(self)
        merged.sums = self.sums + other.sums.to(self.sums.device)
        return merged


class FiringAccumulator(_GroupSums):
    """How often each neuron fires in each group and, with moments, sums of activations and squares; `result` is `FiringStats`.

    Args:
        groups: what is counted apart.
        shape: (layers, neurons of a layer).
        site: the site of the activations.
        model: the fingerprint of the weights.
        n_blocks: also count by so many blocks of texts.
        moments: also sum activations and squares.
        is_post: whether these are the activations that multiply W_out, under whatever name of the site.
        device: where the activations are.
    """

    def __init__(
        self,
        groups: tuple[Group, ...],
        shape: tuple[int, int],
        *,
        site: str,
        model: str = "",
        n_blocks: int = 0,
        moments: bool = True,
        is_post: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        n_cells = len(groups) * max(1, n_blocks)
        # How often fired and, with moments, activations and squares; counts are exact in float64 up to 2^53 tokens.
        super().__init__(groups, (3 if moments else 1, n_cells, *shape), n_blocks, device)
        self.site, self.model, self.moments, self.is_post = site, model, moments, is_post
        self.reads = "site" if moments else "sign"
        self.n_texts = torch.zeros(n_cells, dtype=torch.int64, device=device)
        self.n_tokens = torch.zeros(n_cells, dtype=torch.int64, device=device)

    def begin(self, batch: TextBatch, groups: Sequence[Group]) -> None:
        """A new batch, whose texts and tokens are counted."""
        super().begin(batch, groups)
        self.n_texts.index_add_(0, self._cells, torch.ones_like(self._cells))
        self.n_tokens.index_add_(0, self._cells, batch.counted.sum(1))

    def update(self, layer: int, activations: Float[Tensor, "batch pos neuron"]) -> None:
        """Count one layer of the batch. Raises `NotFiniteError` with the place when a counted activation is NaN or infinite."""
        self._add(layer, activations, moments=self.moments, firing=True)

    def _settings(self) -> tuple[object, ...]:
        return (*super()._settings(), self.site, self.model, self.is_post)

    def merge(self, other: Accumulator) -> "FiringAccumulator":
        """Both together. Raises `MismatchError` for other groups, shapes or settings."""
        merged = super().merge(other)
        assert isinstance(merged, FiringAccumulator) and isinstance(other, FiringAccumulator)  # since the settings agree
        merged.n_texts = self.n_texts + other.n_texts.to(self.n_texts.device)
        merged.n_tokens = self.n_tokens + other.n_tokens.to(self.n_tokens.device)
        return merged

    def result(self) -> FiringStats:
        """Frozen statistics that share no memory with the accumulator. Raises `DataError` for a group without tokens."""
        stats = self.so_far()
        empty = [str(group) for group, count in zip(stats.groups, stats.n_tokens.tolist(), strict=True) if count == 0]
        if empty:
            raise DataError(f"no tokens were counted for {', '.join(empty)}")
        return stats

    def so_far(self) -> FiringStats:
        """As `result`, between two batches: a group may have no tokens yet."""
        split = lambda t: rearrange(t.cpu(), "(block group) ... -> block group ...", group=len(self.groups))  # noqa: E731
        fired, *moments = [split(sums) for sums in self.sums]
        n_tokens, fired = split(self.n_tokens), fired.to(torch.int64)
        total, total_sq = [sums.sum(0) for sums in moments] or (None, None)
        post_total, post_total_sq = None, None
        if self.is_post and self.site != "post" and total is not None and total_sq is not None:
            post_total, post_total_sq = total.clone(), total_sq.clone()
        return FiringStats(
            groups=self.groups,
            n_texts=split(self.n_texts).sum(0),
            n_tokens=n_tokens.sum(0),
            fired=fired.sum(0),
            total=total,
            total_sq=total_sq,
            site=self.site,
            model=self.model,
            block_n_tokens=n_tokens.clone() if self.n_blocks else None,
            block_fired=fired.clone() if self.n_blocks else None,
            post_total=post_total,
            post_total_sq=post_total_sq,
        )


class PostAccumulator(_GroupSums):
    """Sums of hook_post and of its squares in each group: how loud each neuron is, whatever the site. The result is both."""

    reads = "post"

    def __init__(self, groups: tuple[Group, ...], shape: tuple[int, int], *, device: torch.device | str = "cpu") -> None:
        super().__init__(groups, (2, len(groups), *shape), 0, device)

    def update(self, layer: int, activations: Float[Tensor, "batch pos neuron"]) -> None:
        """Sum one layer of the batch. Raises `NotFiniteError` with the place when a counted activation is NaN or infinite."""
        self._add(layer, activations, moments=True, firing=False)

    def result(self) -> Float64[Tensor, "moment group layer neuron"]:
        """Sums, and sums of squares."""
        return self.sums.cpu().clone()


def _require_finite(activations: Tensor, counted: Tensor, layer: int) -> None:
    bad = ~torch.isfinite(activations) & rearrange(counted, "batch pos -> batch pos 1")
    if bool(bad.any()):
        row, pos, neuron = torch.nonzero(bad)[0].tolist()
        number = float(activations[row, pos, neuron])
        raise NotFiniteError(
            f"activation {number} at layer {layer}, neuron {neuron}, text {row} of the batch, token {pos} "
            f"({int(bad.sum())} such in this batch); the weights or the dtype are at fault, e.g. float16 overflow"
        )
