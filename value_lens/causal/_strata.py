"""Strata of one set's neurons, from which its controls are drawn."""

import functools
import hashlib
import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from ..core import NeuronSet
from ..errors import NeuronError
from ._bins import POOL, Bins, merge_bins
from ._tilt import fit_odds


@dataclass(frozen=True)
class Strata:
    """The bins of a set's layers, merged with their neighbours until each holds at least `pool` times the set's members there.

    First whole rows are merged with rows next to them, then within such a band columns: of all ways to do so, that in which the
    members' strata are smallest on average. Where a layer has too few neurons for any, it is one stratum.

    **What the rank rests on.** A control has in every stratum as many neurons as the set, drawn one after the other with odds of
    loudness ** tilt, members of the set not excluded; the tilt is that with which controls are on average as loud as the set (in
    log loudness), held back towards 0 as much as a set of so few neurons leaves it uncertain (`fit_odds`). If the set is itself such
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
    def build(cls, neurons: NeuronSet, bins: Bins, *, pool: int = POOL, exclude: NeuronSet | None = None) -> "Strata":
        """exclude: neurons that no control may hold; they do not count as room."""
        inside = neurons.mask().flatten()
        allowed = torch.ones_like(inside) if exclude is None else inside | ~exclude.mask().flatten()
        room, member = allowed.nonzero().flatten(), inside.nonzero().flatten()
        stratum_of_bin = merge_bins(bins.count(room), bins.count(member), pool)
        with_members = torch.zeros(math.prod(bins.shape), dtype=torch.bool)
        with_members[stratum_of_bin[bins.bin[member]]] = True
        number = with_members.cumsum(0) - 1  # strata with members, counted from 0
        stratum_of_bin = number[stratum_of_bin].masked_fill(~with_members[stratum_of_bin], -1)
        order = room[stratum_of_bin[bins.bin[room]] >= 0]
        stratum, sort = stratum_of_bin[bins.bin[order]].sort(stable=True)
        order, members = order[sort], stratum_of_bin[bins.bin[member]]
        odds, chance = fit_odds(bins.log_loudness[order], stratum, inside[order])
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

    def mean(self, quantity: Float[Tensor, "layer neuron"]) -> float:
        """What a control's neurons have on average; NaN for an empty set."""
        total = (self.chance * quantity.flatten()[self.order].double()).sum()
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
        return self._draw_from(self.members, torch.zeros_like(self._member), self._generator(number, seed, "any"))

    def without_members(self, control: Int64[Tensor, "member"], number: int, seed: int) -> Int64[Tensor, "member"]:
        """The same with others of the same stratum for each member of the set: a draw of those outside it, with the same odds.

        `control` itself where it holds none.
        """
        shared = self._inside[control]
        if not bool(shared.any()):
            return control
        taken = self._member | torch.isin(self.order, control)
        stratum = self.members[torch.searchsorted(self._own, control[shared])]
        others = self._draw_from(stratum, taken, self._generator(number, seed, "outside"))
        return torch.cat([control[~shared], others])

    def control(self, drawn: Int64[Tensor, "member"], number: int, seed: int) -> NeuronSet:
        """A draw as a set that says where it is from."""
        d_mlp = self.neurons.d_mlp
        origin = {"matched_random": {"seed": seed, "number": number, "pool": self.pool}, "for": dict(self.neurons.provenance)}
        pairs = tuple(zip((drawn // d_mlp).tolist(), (drawn % d_mlp).tolist(), strict=True))
        return replace(self.neurons, neurons=pairs, provenance=origin)

    def _draw_from(self, strata: Tensor, taken: Bool[Tensor, "_"], generator: torch.Generator) -> Tensor:
        """One neuron of each of `strata`, all different: of `order`, without those taken, those whose exponential clocks ring first."""
        rings = torch.rand(len(self.order), generator=generator, dtype=torch.float64).log().neg() / self.odds
        late = (rings / (1 + rings)).clamp_max(1 - 1e-9)  # in the same order, and below 1
        late[taken] = 1 - 1e-10
        first = (self.stratum + late).argsort()
        position = torch.arange(len(first)) - (self.size.cumsum(0) - self.size)[self.stratum]
        return self.order[first[position < torch.bincount(strata, minlength=len(self.size))[self.stratum]]]

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
