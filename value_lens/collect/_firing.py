"""The firing accumulator: counts and sums per group, fed one layer of one batch at a time."""

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..core import FiringStats, Group, order_meta
from ..errors import DataError, NotFiniteError
from ..model import has_float64, to_float64

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


class FiringFold:
    """Mutable counts over known groups; `result` freezes them into `FiringStats`.

    Call `begin` once a batch, then `update` for each layer, and `update_post` too for sums of hook_post beside those of another
    site (is_post: these are the site's own, since it is hook_post by another name). The internal unit is a cell =
    block * n_groups + group. Kept in float64, on the CPU where the device has none.
    """

    def __init__(
        self,
        groups: tuple[Group, ...],
        *,
        n_layers: int,
        d_mlp: int,
        site: str,
        model: str = "",
        n_blocks: int = 0,
        moments: bool = True,
        post: bool = False,
        is_post: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self.groups, self.site, self.model, self.n_blocks, self.moments = groups, site, model, n_blocks, moments
        self.is_post = is_post
        n_cells = len(groups) * max(1, n_blocks)
        self.n_texts = torch.zeros(n_cells, dtype=torch.int64, device=device)
        self.n_tokens = torch.zeros(n_cells, dtype=torch.int64, device=device)
        kept = device if has_float64(torch.device(device)) else "cpu"
        # How often fired and, with moments, activations and squares; counts are exact in float64 up to 2^53 tokens.
        self.sums = torch.zeros((3 if moments else 1, n_cells, n_layers, d_mlp), dtype=torch.float64, device=kept)
        shape = (2, len(groups), n_layers, d_mlp)
        self.post_sums = torch.zeros(shape, dtype=torch.float64, device=kept) if post else None

    def cell(self, group: Group, text_id: str) -> int:
        block = block_of(text_id, self.n_blocks) if self.n_blocks else 0
        return block * len(self.groups) + self.groups.index(group)

    def begin(self, cells: Int[Tensor, "batch"], counted: Bool[Tensor, "batch pos"]) -> None:
        """A new batch: the cell of each text and which tokens count."""
        self._cells, self._counted = cells, counted
        self.n_texts.index_add_(0, cells, torch.ones_like(cells))
        self.n_tokens.index_add_(0, cells, counted.sum(1))

    def update(self, layer: int, activations: Float[Tensor, "batch pos neuron"]) -> None:
        """Count one layer of the batch. Raises `NotFiniteError` with the place when a counted activation is NaN or infinite."""
        self._add(self.sums, self._cells, layer, activations, firing=True)

    def update_post(self, layer: int, activations: Float[Tensor, "batch pos neuron"]) -> None:
        """Sum one layer's hook_post, by group, for how loud each neuron is. Raises as `update` does."""
        if self.post_sums is not None:
            self._add(self.post_sums, self._cells % len(self.groups), layer, activations, firing=False)

    def _add(self, sums: Tensor, cells: Tensor, layer: int, activations: Tensor, *, firing: bool) -> None:
        moments = self.moments or not firing
        found = text_sums(activations, self._counted, moments, firing=firing)
        if not bool(torch.isfinite(found if moments else activations).all()):
            _require_finite(activations, self._counted, layer)
            # Not finite on padding only, or squares too large for float32: zero the padding (0 * NaN is NaN), square in float64.
            cleaned = activations.masked_fill(~rearrange(self._counted, "batch pos -> batch pos 1"), 0)
            found = text_sums(to_float64(cleaned), self._counted.to(sums.device), moments, torch.float64, firing=firing)
        sums[:, :, layer].index_add_(1, cells.to(sums.device), to_float64(found))

    def result(self, meta: "dict[str, Any] | None" = None) -> FiringStats:
        """Frozen statistics that share no memory with the fold. Raises `DataError` for a group without tokens."""
        found = self.so_far(meta)
        empty = [str(group) for group, count in zip(found.groups, found.n_tokens.tolist(), strict=True) if count == 0]
        if empty:
            raise DataError(f"no tokens were counted for {', '.join(empty)}")
        return found

    def so_far(self, meta: "dict[str, Any] | None" = None) -> FiringStats:
        """As `result`, between two batches: a group may have no tokens yet."""
        split = lambda t: rearrange(t.cpu(), "(block group) ... -> block group ...", group=len(self.groups))  # noqa: E731
        fired, *moments = [split(kept) for kept in self.sums]
        n_tokens, fired = split(self.n_tokens), fired.to(torch.int64)
        total, total_sq = [kept.sum(0) for kept in moments] or (None, None)
        post_total, post_total_sq = (None, None) if self.post_sums is None else [kept.cpu().clone() for kept in self.post_sums]
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
            meta={**order_meta({group.value for group in self.groups}), **(meta or {})},
        )


def _require_finite(activations: Tensor, counted: Tensor, layer: int) -> None:
    bad = ~torch.isfinite(activations) & rearrange(counted, "batch pos -> batch pos 1")
    if bool(bad.any()):
        row, pos, neuron = torch.nonzero(bad)[0].tolist()
        found = float(activations[row, pos, neuron])
        raise NotFiniteError(
            f"activation {found} at layer {layer}, neuron {neuron}, text {row} of the batch, token {pos} "
            f"({int(bad.sum())} such in this batch); the weights or the dtype are at fault, e.g. float16 overflow"
        )


def batch_cells(fold: FiringFold, keys: Sequence[tuple[Group, str]], device: torch.device) -> Tensor:
    return torch.tensor([fold.cell(group, text_id) for group, text_id in keys], device=device)
