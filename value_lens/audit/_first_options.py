"""Balance of the bank's frames: how often a frame's first option is the aligned one."""

from collections.abc import Sequence

from ..core import Dilemma
from ._origins import by_value_of, is_of_bank


def first_option_shares(dilemmas: Sequence[Dilemma]) -> dict[str, float]:
    """By value, the share of the bank's dilemmas in their frame's first situation, which their ids tell; others are left out."""
    shares: dict[str, float] = {}
    for value, members in by_value_of(dilemmas).items():
        situations = [d.id.split("/")[1] for d in members if is_of_bank(d)]
        if situations:
            shares[value] = situations.count("0") / len(situations)
    return shares
