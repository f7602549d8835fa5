"""Numbers in JSON: NaN becomes null."""

import math

Number = float | None


def number(given: float | None) -> Number:
    """To six places; null for NaN."""
    return None if given is None or math.isnan(given) else round(float(given), 6)


def known(numbers: "list[float]") -> list[float]:
    """Those that are not NaN."""
    return [x for x in numbers if not math.isnan(x)]
