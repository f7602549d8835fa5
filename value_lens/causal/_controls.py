"""Matched random neuron sets, drawn from strata of layer, loudness and firing rate.

Loudness is how much a neuron can move the residual stream: the size of its activations times the norm of its row of W_out.
"""

import functools
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import pad

from ..core import NeuronSet, require_same
from ..errors import MismatchError, NeuronError
from ._tilt import tilted

POOL = 5  # times as many neurons in a stratum as the set has there


@dataclass(frozen=True)
class Bins:
    """Bins of loudness (rows, the quietest first) crossed with bins of firing rate (columns, the rarest first), layer by layer.

    Fixed before any set is known. They are by rank, about `POOL` neurons a bin and four rows to a column, since the effect of a
    neuron grows with its loudness; the loudest 5, 10, 20, ... have rows of their own, since loudness has a heavy tail. Neurons
    alike in one, such as all that never fire, are in one row or column.
    """

    shape: tuple[int, int, int]  # layers, rows, columns
    of: Int64[Tensor, "flat"]  # the bin of each neuron, layer by layer
    log_loudness: Float64[Tensor, "flat"]  # 0 where loudness is not told

    @classmethod
    def by(cls, rate: Float[Tensor, "layer neuron"], loudness: Float[Tensor, "layer neuron"] | None = None) -> "Bins":
        """Without loudness there is one row."""
        n_layers, d_mlp = rate.shape
        if loudness is None:
            ends, n_columns = [], max(1, d_mlp // POOL)
            row, logs = torch.zeros(rate.shape, dtype=torch.int64), torch.zeros(rate.shape, dtype=torch.float64)
        else:
            loudness = loudness.double().cpu()
            quiet = loudness[loudness > 0].min() if bool((loudness > 0).any()) else torch.tensor(1.0)
            logs = loudness.clamp_min(quiet).log()
            n_columns = max(1, round((d_mlp / POOL) ** 0.5 / 2))
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
        return torch.bincount(self.of[neurons], minlength=math.prod(self.shape)).view(self.shape)


def _n_below(numbers: Float[Tensor, "layer neuron"]) -> Int64[Tensor, "layer neuron"]:
    """How many neurons of the layer have a lower number: a rank in which equals are equal."""
    return torch.searchsorted(numbers.sort(1).values, numbers.contiguous())


@dataclass(frozen=True)
class Strata:
    """The bins of a set's layers, merged with their neighbours until each holds at least `pool` times the set's members there.

    First whole rows are merged with rows next to them, then within such a band columns: of all ways to do so, that in which the
    members' strata are smallest on average. Where a layer has too few neurons for any, it is one stratum.

    **What the rank rests on.** A control has in every stratum as many neurons as the set, drawn one after the other with odds of
    loudness ** tilt, members of the set not excluded; the tilt is that with which controls are on average as loud as the set (in
    log loudness), held back towards 0 as much as a set of so few neurons leaves it uncertain (`tilted`). If the set is itself such
    a draw, set and controls are exchangeable: all orders of their effects are as likely, so P(rank / (controls + 1) <= p) <= p. So
    it is, but for the estimate of the tilt, where membership has to do with layer, rate and loudness alone: a set drawn at random
    (the tilt is near 0: draws are nearly uniform), or one chosen by a score that favours loud neurons, since members of a bin that
    had to be widened crowd at its loud end. Bins know rate and loudness alone; which of them merge depends on how many members
    they hold, which a control, drawn after it, does not repeat. How often sets without effect seem special, simulated:
    `simulations/control_ranks.py` in the repository.
    """

    neurons: NeuronSet
    pool: int
    allowed: Bool[Tensor, "flat"]
    members: Int64[Tensor, "member"]  # the stratum of each member
    order: Int64[Tensor, "_"]  # all neurons of strata that have members, as layer * d_mlp + index, stratum by stratum
    stratum: Int64[Tensor, "_"]  # of each of these
    odds: Float64[Tensor, "_"]  # of each of these, to be drawn before another of its stratum
    chance: Float64[Tensor, "_"]  # of each of these, to be in a control
    size: Int64[Tensor, "stratum"]

    @classmethod
    def of(cls, neurons: NeuronSet, bins: Bins, *, pool: int = POOL, exclude: NeuronSet | None = None) -> "Strata":
        """exclude: neurons that no control may hold; they do not count as room."""
        inside = neurons.mask().flatten()
        allowed = torch.ones_like(inside) if exclude is None else inside | ~exclude.mask().flatten()
        room, member = allowed.nonzero().flatten(), inside.nonzero().flatten()
        of_bin = _strata(bins.count(room), bins.count(member), pool)
        with_members = torch.zeros(math.prod(bins.shape), dtype=torch.bool)
        with_members[of_bin[bins.of[member]]] = True
        number = with_members.cumsum(0) - 1  # strata with members, counted from 0
        of_bin = number[of_bin].masked_fill(~with_members[of_bin], -1)
        order = room[of_bin[bins.of[room]] >= 0]
        stratum, sort = of_bin[bins.of[order]].sort(stable=True)
        order, members = order[sort], of_bin[bins.of[member]]
        odds, chance = tilted(bins.log_loudness[order], stratum, inside[order])
        return cls(neurons, pool, allowed, members, order, stratum, odds, chance, torch.bincount(stratum))

    @property
    def fairness(self) -> dict[str, float]:
        """Of the members, the share in strata with fewer than `pool` times as many neurons (`not_widened`), and the share that a
        control holds on average (`expected_overlap`).
        """
        count, n_members = torch.bincount(self.members, minlength=len(self.size)), max(1, len(self.members))
        crowded = count[self.pool * count > self.size]
        overlap = self.chance[self._member]
        return {"not_widened": float(crowded.sum()) / n_members, "expected_overlap": float(overlap.sum()) / n_members}

    def mean(self, of: Float[Tensor, "layer neuron"]) -> float:
        """What a control's neurons have on average; NaN for an empty set."""
        total = (self.chance * of.flatten()[self.order].double()).sum()
        return float(total / len(self.members)) if len(self.members) else math.nan

    def require_room(self) -> None:
        """Raise `NeuronError` where a layer has fewer neurons outside the set than inside, so that no control can be without it."""
        mask = self.neurons.mask()
        free = self.allowed.view_as(mask) & ~mask
        for layer, (inside, outside) in enumerate(zip(mask.sum(1).tolist(), free.sum(1).tolist(), strict=True)):
            if inside > outside:
                raise NeuronError(
                    f"layer {layer} has {outside} neurons outside the set, too few for a control of {inside}; use a smaller set"
                )

    def draw(self, number: int, seed: int) -> Int64[Tensor, "member"]:
        """Control `number`, as layer * d_mlp + index, which may hold members of the set: what its effect is ranked among.

        Needs `require_room`, without which there may be too few to draw.
        """
        return self._drawn(self.members, torch.zeros_like(self._member), self._generator(number, seed, "any"))

    def without_members(self, control: Int64[Tensor, "member"], number: int, seed: int) -> Int64[Tensor, "member"]:
        """The same with others of the same stratum for each member of the set: a draw of those outside it, with the same odds.

        `control` itself where it holds none.
        """
        shared = self._inside[control]
        if not bool(shared.any()):
            return control
        taken = self._member | torch.isin(self.order, control)
        stratum = self.members[torch.searchsorted(self._own, control[shared])]
        others = self._drawn(stratum, taken, self._generator(number, seed, "outside"))
        return torch.cat([control[~shared], others])

    def control(self, drawn: Int64[Tensor, "member"], number: int, seed: int) -> NeuronSet:
        """A draw as a set that says where it is from."""
        d_mlp = self.neurons.d_mlp
        origin = {"matched_random": {"seed": seed, "number": number, "pool": self.pool}, "for": dict(self.neurons.provenance)}
        pairs = tuple(zip((drawn // d_mlp).tolist(), (drawn % d_mlp).tolist(), strict=True))
        return replace(self.neurons, neurons=pairs, provenance=origin)

    def _drawn(self, strata: Tensor, taken: Bool[Tensor, "_"], generator: torch.Generator) -> Tensor:
        """One neuron of each of `strata`, all different: of `order`, without those taken, those whose exponential clocks ring first."""
        rings = torch.rand(len(self.order), generator=generator, dtype=torch.float64).log().neg() / self.odds
        late = (rings / (1 + rings)).clamp_max(1 - 1e-9)  # in the same order, and below 1
        late[taken] = 1 - 1e-10
        first = (self.stratum + late).argsort()
        place = torch.arange(len(first)) - (self.size.cumsum(0) - self.size)[self.stratum]
        return self.order[first[place < torch.bincount(strata, minlength=len(self.size))[self.stratum]]]

    def _generator(self, number: int, seed: int, kind: str) -> torch.Generator:
        key = hashlib.sha256(self._key + repr((seed, number, kind)).encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(key[:7], "big"))

    @functools.cached_property
    def _key(self) -> bytes:
        return hashlib.sha256(repr(self.neurons.neurons).encode()).digest()

    @functools.cached_property
    def _inside(self) -> Bool[Tensor, "flat"]:
        return self.neurons.mask().flatten()

    @functools.cached_property
    def _own(self) -> Int64[Tensor, "member"]:
        """The set's own neurons, as layer * d_mlp + index."""
        return self._inside.nonzero().flatten()

    @functools.cached_property
    def _member(self) -> Bool[Tensor, "_"]:
        """Which of `order` are the set's own."""
        return self._inside[self.order]


def _strata(
    room: Int64[Tensor, "layer row column"], members: Int64[Tensor, "layer row column"], pool: int
) -> Int64[Tensor, "bin"]:
    """The stratum of each bin: rows merged to bands, then columns within each band."""
    n_layers, n_rows, n_columns = room.shape
    band = _merged(room.sum(2), members.sum(2), pool) + n_rows * rearrange(torch.arange(n_layers), "layer -> layer 1")
    band = band.flatten()

    def by_band(kept: Tensor) -> Tensor:
        return torch.zeros_like(kept).view(-1, n_columns).index_add_(0, band, kept.reshape(-1, n_columns))

    size, count = by_band(room), by_band(members)
    used = count.sum(1) > 0  # nothing is drawn elsewhere
    column = torch.zeros_like(size)
    column[used] = _merged(size[used], count[used], pool)
    return (rearrange(band, "row -> row 1") * n_columns + column[band]).flatten()


def _merged(sizes: Int64[Tensor, "chain bin"], counts: Int64[Tensor, "chain bin"], pool: int) -> Int64[Tensor, "chain bin"]:
    """Which group of neighbours each bin of a chain joins, so that each group has size >= pool * count; all in one where none can.

    Of all such groupings that with the least sum of count * size (by dynamic programming; splitting a group never raises it), of
    several the one with the later neighbours, which are louder: a control is rather too loud than too quiet.
    """
    n_bins = sizes.shape[1]
    size, count = (pad(kept.cumsum(1), (1, 0)).double() for kept in (sizes, counts))
    best = torch.full(size.shape, torch.inf, dtype=torch.float64)
    best[:, 0] = 0
    came = torch.zeros(size.shape, dtype=torch.int64)
    for end in range(1, n_bins + 1):
        inside, members = size[:, end, None] - size[:, :end], count[:, end, None] - count[:, :end]
        cost = best[:, :end] + (members * inside).masked_fill(pool * members > inside, torch.inf)
        best[:, end], came[:, end] = cost.min(1)
    begins = torch.zeros(sizes.shape, dtype=torch.int64)
    chain, at = torch.arange(len(sizes)), torch.full((len(sizes),), n_bins)
    while bool(at.any()):
        at = came[chain, at]
        begins[chain, at] = 1
    return begins.cumsum(1) - 1


def matched_random(
    neurons: NeuronSet,
    rate: Float[Tensor, "layer neuron"],
    *,
    n_sets: int,
    seed: int,
    loudness: Float[Tensor, "_ _"] | None = None,
    exclude: NeuronSet | None = None,
    pool: int = POOL,
) -> list[NeuronSet]:
    """Random control sets: in each layer as many neurons, alike in firing rate and, where it is given, in loudness.

    Drawn from strata of rate and loudness, each at least `pool` times as large as what the set has there (see `Strata`). Members
    of `neurons` and `exclude` are never drawn. The draws depend on `seed` and the set alone. Raises `NeuronError` when a layer has
    too few others, `MismatchError` for rates of another shape.
    """
    for name, given in (("loudness", loudness), ("rate", rate)):
        if given is not None and tuple(given.shape) != (neurons.n_layers, neurons.d_mlp):
            raise MismatchError(f"{name} has shape {tuple(given.shape)}, the set needs ({neurons.n_layers}, {neurons.d_mlp})")
    if pool < 2:
        raise NeuronError(f"pool is {pool}; give at least 2, or the set itself may be all that can be drawn")
    if exclude is not None:
        require_same(neurons, exclude)
    strata = Strata.of(neurons, Bins.by(rate, loudness), pool=pool, exclude=exclude)
    strata.require_room()
    drawn = [strata.without_members(strata.draw(number, seed), number, seed) for number in range(n_sets)]
    return [strata.control(control, number, seed) for number, control in enumerate(drawn)]


def overlap(sets: Sequence[NeuronSet]) -> float:
    """The share of neurons that two of the sets have in common, on average over all pairs of equally large sets; NaN for one set."""
    pairs = list(combinations([set(neurons) for neurons in sets], 2))
    return sum(len(a & b) / len(a) for a, b in pairs) / len(pairs) if pairs else float("nan")
