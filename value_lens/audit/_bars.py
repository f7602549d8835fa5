"""Bars that a sound corpus keeps, and which of them an audit misses."""

from collections.abc import Iterable
from dataclasses import dataclass

from ._giveaway import Giveaway
from ._language_audit import Audit


@dataclass(frozen=True)
class Bars:
    """What a sound corpus keeps: at most these shares and differences.

    Args:
        duplicates: Share of exact and near duplicates among texts, or among dilemmas.
        giveaway: Accuracy of the option-only baseline where it is surely above chance.
        balance: Distance of a ratio of lengths from 1, and of the share of first options from a half.
        named: Share of a value's texts that name it.
        below_chance: The least accuracy of the option-only baseline where it is surely below chance, that is where the upper end of
            its interval is below `surely_below`.
        surely_below: See there.
    """

    duplicates: float = 0.01
    giveaway: float = 0.60
    balance: float = 0.02
    named: float = 0.10
    below_chance: float = 0.25
    surely_below: float = 0.40

    def missed_by(self, audit: Audit) -> Iterable[str]:
        """The bars that one language of a corpus does not keep, in words."""
        for kind, repeated in (("texts", audit.duplicate_texts), ("dilemmas", audit.duplicate_dilemmas)):
            if repeated is not None and repeated.pairs and repeated.rate >= self.duplicates:
                yield f"{repeated.rate:.1%} of the {kind} are exact or near duplicates, e.g. {repeated.pairs[0]}"
        yield from self._giveaways(audit.giveaway)
        for what, ratios in (("options", audit.length_ratio), ("texts", audit.text_length_ratio)):
            for value, ratio in ratios.items():
                if abs(ratio - 1) > self.balance:
                    yield f"{value}: {what} that uphold it are {ratio:.3f} times as long as the others"
        for value, share in audit.first_share.items():
            if abs(share - 0.5) > max(self.balance, 0.5 / audit.n_dilemmas[value] + 1e-9):  # an odd count cannot be halved
                yield f"{value}: the aligned option comes first in {share:.1%} of dilemmas"
        for value, share in audit.named.items():
            if share > 0 and share >= self.named:
                yield f"{value}: {share:.0%} of its texts name it outright"

    def _giveaways(self, baseline: Giveaway | None) -> Iterable[str]:
        """Above the bar and surely above chance; or as surely below, which means that frames share options."""
        if baseline is None:
            return
        for value, accuracy in baseline.accuracy.items():
            lowest, highest = baseline.interval(value)
            if accuracy > self.giveaway and lowest > 0.5:
                yield f"{value}: a bag of words tells the aligned option in {accuracy:.0%} of dilemmas"
            if accuracy < self.below_chance and highest < self.surely_below:
                yield (
                    f"{value}: a bag of words tells the aligned option in {accuracy:.0%} of dilemmas, below chance: options recur with "
                    "exchanged roles; give such dilemmas a common cluster"
                )
