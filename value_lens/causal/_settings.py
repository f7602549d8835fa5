"""Settings of matched random controls."""

from dataclasses import dataclass

from ..errors import DataError, UnknownNameError

MATCHES = ("layer", "rate", "loudness")


@dataclass(frozen=True)
class Controls:
    """The matched random neuron sets that stand in for each value's own set.

    Args:
        n: sets for each value; 19 are the fewest whose rank can give p = 0.05.
        match: what they are matched in: always the layer, and the firing rate and loudness (size of activations times the norm of
            output weights) unless left out.
        seed: of the draws.

    Raises:
        DataError: for a number out of its range, or a match without the layer.
        UnknownNameError: for a match that does not exist.
    """

    n: int = 20
    match: tuple[str, ...] = MATCHES
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n < 0:
            raise DataError(f"the number of controls is {self.n}; give a count of at least 0")
        if not 0 <= self.seed < 2**63:
            raise DataError(f"the seed of controls is {self.seed}; give a whole number from 0 to 2**63 - 1")
        for name in self.match:
            if name not in MATCHES:
                raise UnknownNameError("match of controls", name, MATCHES)
        if "layer" not in self.match:
            raise DataError(f"controls are always drawn within layers, but match is {self.match}; add 'layer'")


def as_controls(controls: Controls | int) -> Controls:
    """Settings as they are, or those with so many controls and all else by default."""
    return controls if isinstance(controls, Controls) else Controls(n=controls)
