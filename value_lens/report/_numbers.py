"""Numbers in JSON: NaN becomes null."""

import math

Number = float | None


def number(x: float | None) -> Number:
    """To six places; null for NaN."""
    return None if x is None or math.isnan(x) else round(float(x), 6)


def not_nan(numbers: "list[float]") -> list[float]:
    """Those that are not NaN."""
    return [x for x in numbers if not math.isnan(x)]
