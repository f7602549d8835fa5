"""Numbers in JSON: NaN becomes null."""

import math

from torch import Tensor

Number = float | None


def number(given: "float | Tensor") -> Number:
    """To six places; null for NaN."""
    plain = float(given)
    return None if math.isnan(plain) else round(plain, 6)
