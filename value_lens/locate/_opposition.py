"""Opposition: difference of firing probability between a value's two aspects.

Source: ValueLocate (arXiv 2505.17712), after NPTI for personality traits (arXiv 2410.12327): d_v = p(v, +) - p(v, -).
"""

from collections.abc import Sequence

from ..core import FiringStats, NeuronScores


def opposition(stats: FiringStats, *, languages: Sequence[str] | None = None) -> NeuronScores:
    """d of every neuron for every value, from -1 to 1; positive neurons fire for the value, negative ones against it.

    Raises `DataError` for a value that lacks texts of one aspect.
    """
    upheld = stats.probability(aspect="+", languages=languages)
    opposed = stats.probability(aspect="-", languages=languages)
    return NeuronScores(
        method="opposition",
        values=stats.values,
        scores=upheld - opposed,
        site=stats.site,
        model=stats.model,
        params={"languages": None if languages is None else list(languages)},
        parts={"p_upheld": upheld, "p_opposed": opposed},
    )
