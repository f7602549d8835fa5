"""Opposition: difference of firing probability between a value's two aspects.

Source: ValueLocate (arXiv 2505.17712), after NPTI for personality traits (arXiv 2410.12327): d_v = p(v, +) - p(v, -).
"""

from collections.abc import Sequence

from ..core import FiringStats, NeuronScores
from ._registries import BOTH_ASPECTS, methods
from ._rules import threshold_rule


@methods.register(
    "opposition",
    needs=BOTH_ASPECTS,
    rule=threshold_rule,
    source="ValueLocate (arXiv 2505.17712)",
    help="The neuron fires more on texts that uphold the value than on those that oppose it.",
)
def opposition(stats: FiringStats, *, languages: Sequence[str] | None = None) -> NeuronScores:
    """Difference of firing probability d = p(v, +) - p(v, -) of every neuron for every value.

    Args:
        stats: firing statistics over both aspects of every value.
        languages: count texts of these languages only.

    Returns:
        Scores [value layer neuron] from -1 to 1: positive neurons fire for the value, negative ones against it. Parts "p_upheld" and
        "p_opposed".

    Raises:
        DataError: for a value that lacks texts of one aspect.

    Source:
        ValueLocate (arXiv 2505.17712), after NPTI (arXiv 2410.12327).
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
