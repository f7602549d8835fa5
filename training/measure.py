"""Does an organism keep its bars? Measured on slot fillings it never saw, through the library as a user would."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import torch

import value_lens as vl
from value_lens.locate._rules import kth_value
from value_lens.organisms import read_true_neurons

BARS = {"clean": 0.90, "own_drop": 0.50, "other_move": 0.05, "control_move": 0.05, "average_precision": 0.5}


def measure(
    folder: Path,
    *,
    per_value: int = 40,
    controls: int = 2,
    per_group: int = 60,
    splits: tuple[str, ...] = ("activation", "evaluation"),
    languages: tuple[str, ...] = ("en", "zh"),
) -> dict[str, Any]:
    """Worst cases over values and languages of each split, and how well each method ranks the true neurons."""
    lens = vl.ValueLens(vl.load_model(folder))
    true = read_true_neurons(folder) or {}
    true = {value: dataclasses.replace(neurons, model=lens.info.fingerprint) for value, neurons in true.items()}
    stats = lens.collect(vl.load_texts(selection=vl.Selection(fillings="held_out", languages=languages, per_group=per_group)))
    found: dict[str, Any] = {"splits": {}}
    for split in splits:
        dilemmas = vl.load_dilemmas(
            selection=vl.Selection(split=split, fillings="held_out", languages=languages, per_group=per_value)
        )
        matrix = lens.support_matrix(dilemmas, true, controls=controls, stats=stats)
        own = torch.eye(len(true), dtype=torch.bool).expand_as(matrix.effect)
        found["splits"][split] = {
            "n_dilemmas": len(dilemmas),
            "lowest_clean": float(matrix.clean.min()),
            "smallest_own_drop": float(-matrix.effect[own].max()),
            "largest_other_move": float(matrix.effect[~own].abs().max()),
            "largest_control_move": float(matrix.outside_effect.abs().nan_to_num().max()) if controls else 0.0,
        }
    for name, scores in {"vape": vl.vape(stats), "opposition": vl.opposition(stats)}.items():
        precision = {value: round(vl.average_precision(scores.for_value(value), true[value]), 4) for value in scores.values}
        found[name] = {"mean_average_precision": sum(precision.values()) / len(precision), "average_precision": precision}
        chosen = vl.select(scores)
        found[name]["published_rule"] = {
            "n_neurons": {value: len(neurons) for value, neurons in chosen.items()},
            "n_true_found": {value: len(neurons & true[value]) for value, neurons in chosen.items()},
        }
    p = stats.probability()
    passing = (p > kth_value(p.flatten(), 0.95)).any(0)
    everything = torch.stack([neurons.mask() for neurons in true.values()]).any(0)
    found["vape_filter"] = {
        "n_true": int(everything.sum()),
        "n_true_kept_by_the_filter_0.95": int((passing & everything).sum()),
        "true_firing_rate_on_own_value": float(
            torch.stack([p[k][true[value].mask()].mean() for k, value in enumerate(stats.values)]).mean()
        ),
    }
    return found


def failures(found: dict[str, Any]) -> list[str]:
    """The bars that were missed, in words."""
    missed = []
    for split, row in found["splits"].items():
        checks = (
            ("lowest_clean", row["lowest_clean"] >= BARS["clean"]),
            ("smallest_own_drop", row["smallest_own_drop"] >= BARS["own_drop"]),
            ("largest_other_move", row["largest_other_move"] <= BARS["other_move"] + 1e-9),
            ("largest_control_move", row["largest_control_move"] <= BARS["control_move"] + 1e-9),
        )
        missed += [f"{split}: {name} is {row[name]:.3f}" for name, passed in checks if not passed]
    for method in ("vape", "opposition"):
        if found[method]["mean_average_precision"] < BARS["average_precision"]:
            missed.append(f"{method}: mean average precision is {found[method]['mean_average_precision']:.3f}")
    return missed


if __name__ == "__main__":
    result = measure(Path(sys.argv[1]))
    print(json.dumps(result, indent=1))
    print(failures(result) or "every bar is kept")
