"""The effect matrix as a table, one row a cell."""

from typing import TYPE_CHECKING

import pandas

if TYPE_CHECKING:
    from ._matrix import SupportMatrix


def matrix_frame(matrix: "SupportMatrix") -> pandas.DataFrame:
    """Counts, rates, effect, interval and p, the same in nats of margin, specific effect, controls, of every cell."""
    rows = []
    for l, language in enumerate(matrix.languages):
        for a, ablated in enumerate(matrix.ablated):
            for v, value in enumerate(matrix.values):
                at = (l, v, a)
                controls = matrix.control_rate[at]
                rows.append(
                    {
                        "language": language,
                        "ablated": ablated,
                        "evaluated": value,
                        "n_neurons": matrix.n_neurons[a],
                        "n_dilemmas": len(matrix.items_of(language, value)),
                        "n_clusters": matrix.n_clusters(language, value),
                        "clean": float(matrix.clean[l, v]),
                        "support": float(matrix.rate[at]),
                        "effect": float(matrix.effect[at]),
                        "interval_low": float(matrix.interval[at][0]),
                        "interval_high": float(matrix.interval[at][1]),
                        "p_corrected": float(matrix.p[at]),
                        "margin_effect": float(matrix.margin_effect[at]),
                        "margin_low": float(matrix.margin_interval[at][0]),
                        "margin_high": float(matrix.margin_interval[at][1]),
                        "margin_p": float(matrix.margin_p[at]),
                        "specific": float(matrix.specific.effect[at]),
                        "specific_low": float(matrix.specific.interval[at][0]),
                        "specific_high": float(matrix.specific.interval[at][1]),
                        "specific_p": float(matrix.specific.p[l, v]) if value == ablated else None,
                        "verdict": matrix.specific.verdicts[l][v] if value == ablated else None,
                        "control_lowest": float(controls.min()) if len(controls) else None,
                        "control_mean": float(matrix.control_mean[at]) if len(controls) else None,
                        "control_highest": float(controls.max()) if len(controls) else None,
                        "rank_among_controls": float(matrix.rank[at]),
                        "rank_p": float(matrix.rank_p[at]),
                        "margin_rank_p": float(matrix.margin_rank_p[at]),
                    }
                )
    return pandas.DataFrame(rows)
