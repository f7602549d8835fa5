"""Bins of loudness and firing rate, layer by layer, and their merging into strata.

Loudness is how much a neuron can move the residual stream: the size of its activations times the norm of its row of W_out.
"""

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import pad

POOL = 5  # times as many neurons in a stratum as the set has there


@dataclass(frozen=True)
class Bins:
    """Bins of loudness (rows, the quietest first) crossed with bins of firing rate (columns, the rarest first), layer by layer.

    Fixed before any set is known. They are by rank, about `POOL` neurons a bin and four rows to a column, since the effect of a
    neuron grows with its loudness; the loudest 5, 10, 20, ... have rows of their own, since loudness has a heavy tail. Neurons
    alike in one, such as all that never fire, are in one row or column.
    """

    shape: tuple[int, int, int]  # layers, rows, columns
    bin: Int64[Tensor, "flat"]  # the number of the bin of each neuron, layer by layer
    log_loudness: Float64[Tensor, "flat"]  # 0 where loudness is not told

    @classmethod
    def build(
        cls, rate: Float[Tensor, "layer neuron"], loudness: Float[Tensor, "layer neuron"] | None = None, *, by_rate: bool = True
    ) -> "Bins":
        """The bins of all neurons. Without loudness there is one row, and unless `by_rate` one column."""
        n_layers, d_mlp = rate.shape
        if loudness is None:
            ends, n_columns = [], max(1, d_mlp // POOL) if by_rate else 1
            row, logs = torch.zeros(rate.shape, dtype=torch.int64), torch.zeros(rate.shape, dtype=torch.float64)
        else:
            loudness = loudness.double().cpu()
            quiet = loudness[loudness > 0].min() if bool((loudness > 0).any()) else torch.tensor(1.0)
            logs = loudness.clamp_min(quiet).log()
            n_columns = max(1, round((d_mlp / POOL) ** 0.5 / 2)) if by_rate else 1
            n_rows = max(1, d_mlp // (POOL * n_columns))
            ends = [POOL * 2**k for k in range(d_mlp.bit_length()) if POOL * 2**k < d_mlp / n_rows]  # among the loudest
            ends += [d_mlp * k // n_rows for k in range(1, n_rows)]
            row = len(ends) - torch.bucketize(_n_below(-loudness), torch.tensor(ends, dtype=torch.int64), right=True)
        column = _n_below(rate.cpu()) * n_columns // d_mlp
        layer = rearrange(torch.arange(n_layers), "layer -> layer 1")
        shape = (n_layers, len(ends) + 1, n_columns)
        return cls(shape, ((layer * shape[1] + row) * n_columns + column).flatten(), logs.flatten())

    def count(self, neurons: Int64[Tensor, "_"]) -> Int64[Tensor, "layer row column"]:
        """How many of `neurons` (as layer * d_mlp + index) each bin holds."""
        return torch.bincount(self.bin[neurons], minlength=math.prod(self.shape)).view(self.shape)


def _n_below(numbers: Float[Tensor, "layer neuron"]) -> Int64[Tensor, "layer neuron"]:
    """How many neurons of the layer have a lower number: a rank in which equals are equal."""
    return torch.searchsorted(numbers.sort(1).values, numbers.contiguous())


def merge_bins(
    room: Int64[Tensor, "layer row column"], members: Int64[Tensor, "layer row column"], pool: int
) -> Int64[Tensor, "bin"]:
    """The stratum of each bin: rows merged to bands, then columns within each band."""
    n_layers, n_rows, n_columns = room.shape
    band = _join_neighbours(room.sum(2), members.sum(2), pool) + n_rows * rearrange(torch.arange(n_layers), "layer -> layer 1")
    band = band.flatten()

    def by_band(by_bin: Tensor) -> Tensor:
        return torch.zeros_like(by_bin).view(-1, n_columns).index_add_(0, band, by_bin.reshape(-1, n_columns))

    size, count = by_band(room), by_band(members)
    used = count.sum(1) > 0  # nothing is drawn elsewhere
    column = torch.zeros_like(size)
    column[used] = _join_neighbours(size[used], count[used], pool)
    return (rearrange(band, "row -> row 1") * n_columns + column[band]).flatten()


def _join_neighbours(
    sizes: Int64[Tensor, "chain bin"], counts: Int64[Tensor, "chain bin"], pool: int
) -> Int64[Tensor, "chain bin"]:
    """The group of neighbours that each bin of a chain joins, so that each group has size >= pool * count; all in one where none can.

    Of all such groupings that with the least sum of count * size (by dynamic programming; splitting a group never raises it), of
    several the one with the later neighbours, which are louder: a control is rather too loud than too quiet.
    """
    n_bins = sizes.shape[1]
    size, count = (pad(numbers.cumsum(1), (1, 0)).double() for numbers in (sizes, counts))
    best = torch.full(size.shape, torch.inf, dtype=torch.float64)
    best[:, 0] = 0
    previous = torch.zeros(size.shape, dtype=torch.int64)
    for end in range(1, n_bins + 1):
        inside, members = size[:, end, None] - size[:, :end], count[:, end, None] - count[:, :end]
        cost = best[:, :end] + (members * inside).masked_fill(pool * members > inside, torch.inf)
        best[:, end], previous[:, end] = cost.min(1)
    starts = torch.zeros(sizes.shape, dtype=torch.int64)
    chain, ends = torch.arange(len(sizes)), torch.full((len(sizes),), n_bins)
    while bool(ends.any()):
        ends = previous[chain, ends]
        starts[chain, ends] = 1
    return starts.cumsum(1) - 1
