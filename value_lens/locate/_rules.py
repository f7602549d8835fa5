"""Selection rules, published ones and a plain top n: scores to one neuron set per value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from ..core import NeuronScores, NeuronSet
from ..errors import DataError, MismatchError
from ._registries import methods

ROUNDING = 1e-12  # a difference of two shares that is exactly at a threshold may be computed this far below it
Mask = Bool[Tensor, "value layer neuron"]


@dataclass(frozen=True)
class Rule:
    """A named way of choosing: `choose` maps scores to a mask; `method` names the only scores it applies to ("" for any)."""

    name: str
    choose: Callable[[NeuronScores], Mask]
    method: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def kth_value(flat: Float[Tensor, "neuron"], quantile: float) -> Tensor:
    """The quantile as the reference code takes it: the round(N * quantile)-th smallest of N numbers (Python's round)."""
    k = round(len(flat) * quantile)
    if not 1 <= k <= len(flat):
        raise DataError(f"quantile {quantile} of {len(flat)} numbers asks for the {k}th smallest; there is none")
    return torch.kthvalue(flat, k).values


def vape_rule(*, filter: float = 0.95, top: float = 0.01, bar: float = 0.95, ties: Literal["first", "topk"] = "first") -> Rule:
    """Selection as published for VAPE and LAPE.

    Keep neurons with some p_v above the `filter` quantile of all p; of all neurons take the round(N * top) of lowest entropy, those
    not kept counting as infinite; give each to every value with p_v above the `bar` quantile. A neuron may serve several values
    or none.

    Args:
        filter: quantile of all firing probabilities that some probability of a neuron must exceed.
        top: share of all neurons that are taken, those of lowest entropy.
        bar: quantile of all firing probabilities that a neuron's for a value must exceed to be given to it.
        ties: the order of equal entropies: "first" takes the lowest (layer, index), "topk" what torch.topk returns, as the reference.

    Returns:
        A rule for scores of VAPE.

    Raises:
        DataError: for a share that is not between 0 and 1.

    Source:
        ValueExploration (arXiv 2504.04994), LAPE (arXiv 2402.16438).
    """

    if not 0 <= top <= 1:
        raise DataError(f"top is {top}; give a share of neurons between 0 and 1")

    def choose(scores: NeuronScores) -> Mask:
        p, h = scores.parts["p"], scores.parts["entropy"].clone()
        flat = rearrange(p, "value layer neuron -> (layer neuron value)")
        h[~(p > kth_value(flat, filter)).any(0)] = torch.inf
        lowest = rearrange(h, "layer neuron -> (layer neuron)")
        n_taken = round(lowest.numel() * top)
        if ties == "topk":
            indices = lowest.topk(n_taken, largest=False).indices
        else:
            indices = torch.argsort(lowest, stable=True)[:n_taken]
        chosen = torch.zeros_like(lowest, dtype=torch.bool)
        chosen[indices] = True
        chosen = rearrange(chosen, "(layer neuron) -> layer neuron", layer=h.shape[0])
        return chosen & (p > kth_value(flat, bar))

    return Rule("vape", choose, "vape", {"filter": filter, "top": top, "bar": bar, "ties": ties})


def threshold_rule(threshold: float = 0.03, *, sign: Literal["+", "-"] = "+") -> Rule:
    """Neurons whose opposition reaches a threshold; 0.03 is what ValueLocate reports.

    Args:
        threshold: the least difference of firing probability, above 0.
        sign: "+" for neurons that fire for the value (d >= threshold), "-" for those that fire against it (d <= -threshold).

    Returns:
        A rule for scores of opposition.

    Raises:
        DataError: for a threshold that is not positive.

    Source:
        ValueLocate (arXiv 2505.17712).
    """
    if threshold <= 0:
        raise DataError(f"threshold {threshold} would take neurons without a difference; give a positive one")

    def choose(scores: NeuronScores) -> Mask:
        d = scores.scores if sign == "+" else -scores.scores
        return d >= threshold - ROUNDING

    return Rule("threshold", choose, "opposition", {"threshold": threshold, "sign": sign})


def npti_rule(*, threshold: float = 0.1, at_least: int = 2000, sign: Literal["+", "-"] = "+") -> Rule:
    """NPTI's rule: all neurons with d >= threshold, and at least so many a value, ties at the edge included.

    Args:
        threshold: the difference of firing probability from which on a neuron is always taken.
        at_least: how many neurons a value gets, whatever their difference.
        sign: "+" for neurons that fire for the value, "-" for those that fire against it.

    Returns:
        A rule for scores of opposition.

    Raises:
        DataError: for a number below 1, or a threshold that is not positive.

    Source:
        NPTI (arXiv 2410.12327).
    """
    if at_least < 1 or threshold <= 0:
        raise DataError(f"at_least must be at least 1 and threshold positive, got {at_least} and {threshold}")

    def choose(scores: NeuronScores) -> Mask:
        d = scores.scores if sign == "+" else -scores.scores
        flat = rearrange(d, "value layer neuron -> value (layer neuron)")
        edge = flat.topk(min(at_least, flat.shape[1]), dim=1).values[:, -1]
        return d >= edge.clamp_max(threshold)[:, None, None] - ROUNDING

    return Rule("npti", choose, "opposition", {"threshold": threshold, "at_least": at_least, "sign": sign})


def top_rule(n_neurons: int) -> Rule:
    """For each value its highest scores above 0; equal scores go to the lowest (layer, index).

    Args:
        n_neurons: how many neurons a value gets at most.

    Returns:
        A rule for scores of any method.

    Raises:
        DataError: for a number below 1.
    """
    if n_neurons < 1:
        raise DataError(f"n_neurons is {n_neurons}; give at least 1")

    def choose(scores: NeuronScores) -> Mask:
        flat = rearrange(scores.scores, "value layer neuron -> value (layer neuron)")
        best = torch.argsort(flat, dim=1, descending=True, stable=True)[:, :n_neurons]
        chosen = torch.zeros_like(flat, dtype=torch.bool).scatter_(1, best, True) & (flat > 0)
        return rearrange(chosen, "value (layer neuron) -> value layer neuron", layer=scores.n_layers)

    return Rule("top", choose, "", {"n_neurons": n_neurons})


def default_rule(method: str) -> Rule:
    """The rule that a method's publication selects by, with its published numbers.

    Args:
        method: the name of a registered method.

    Returns:
        Its rule.

    Raises:
        UnknownNameError: for a method that is not registered.
        DataError: for one that has no rule of its own.
    """
    if (rule := methods[method].rule) is None:
        raise DataError(f"method {method!r} has no default rule; give one, e.g. top_rule(100)")
    return rule()


def select(scores: NeuronScores, rule: Rule | None = None) -> dict[str, NeuronSet]:
    """The neurons of every value by a rule.

    Args:
        scores: a method's scores.
        rule: how neurons are chosen; by default as the method's publication does.

    Returns:
        {value: its neurons}; a set may be empty.

    Raises:
        MismatchError: when the rule belongs to another method.
        DataError: for bad quantiles, and without a rule for a method that has none of its own.
    """
    rule = rule or default_rule(scores.method)
    if rule.method not in ("", scores.method):
        raise MismatchError(f"rule {rule.name!r} applies to scores of {rule.method!r}, not of {scores.method!r}")
    chosen = rule.choose(scores)
    return {
        value: NeuronSet.from_mask(
            chosen[index],
            site=scores.site,
            model=scores.model,
            provenance={
                "value": value,
                "method": scores.method,
                "params": dict(scores.params),
                "rule": {"name": rule.name, **rule.params},
            },
        )
        for index, value in enumerate(scores.values)
    }
