"""How much surer are effects on margins than effects on rates? Writes `margin_power.csv`, a row a setting.

The model of the data. Twelve values and the neurons of each; every value has its own frames. A dilemma's clean margin is normal with
standard deviation 1, half of its variance the frame's and half the filling's, and a mean at which 90% of dilemmas are supported.
Each of the 144 ablations changes each margin by a normal noise of standard deviation 0.1; the ablation of a value's own neurons
also lowers its margins by a mean `shift`, and unevenly: the standard deviation of that change is `uneven` times the shift, half of
its variance again the frame's. The shift is such that the support rate falls by `points`.

Columns: the share of the twelve own effects with corrected p < 0.05 on rates and on margins, the same for p-values that are not corrected
(`..._alone`), and the share of matrices in which any effect is called significant of those that have none (`..._alarms`, of the 132
others, or of all where `points` is 0). `..._held` is the share of 95% intervals of own effects that hold the truth.
"""

import csv
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import optimize, stats

from value_lens.causal._intervals import difference_interval, mean_interval
from value_lens.causal._sign_flip import sign_flip_p

TABLE = Path(__file__).with_suffix(".csv")
SEED, N_RESAMPLES, N_VALUES, CLEAN, NOISE = 0, 1000, 12, 0.9, 0.1


@dataclass(frozen=True)
class Setting:
    frames: int
    fillings: int
    points: int
    uneven: float
    n_matrices: int


SETTINGS = [Setting(f, k, 0, 0.0, 400) for f, k in ((12, 1), (12, 4), (24, 1))] + [
    Setting(f, k, points, uneven, 20)
    for f, k in ((12, 1), (12, 4), (24, 1))
    for uneven in (0.5, 1.0, 2.0)
    for points in (10, 20, 40)
]


def shift_of(points: int, uneven: float) -> float:
    """The mean loss of margin at which the support rate falls by so many points."""
    if not points:
        return 0.0
    mean = stats.norm.ppf(CLEAN)

    def lacking(shift: float) -> float:
        scale = math.sqrt(1 + NOISE**2 + (uneven * shift) ** 2)
        return stats.norm.cdf((mean - shift) / scale) - (CLEAN - points / 100)

    return float(optimize.brentq(lacking, 0, 10))


def normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Standard normal values of frames and fillings, the last two axes; half of the variance is the frame's."""
    return (rng.standard_normal((*shape[:-1], 1)) + rng.standard_normal(shape)) / math.sqrt(2)


def matrix(setting: Setting, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Clean margins by value and item, and the change of each under each ablation."""
    shape = (N_VALUES, setting.frames, setting.fillings)
    shift = shift_of(setting.points, setting.uneven)
    clean = stats.norm.ppf(CLEAN) + normal(shape, rng)
    change = NOISE * normal((N_VALUES, *shape), rng)
    own = np.arange(N_VALUES)
    change[own, own] -= shift * (1 + setting.uneven * normal(shape, rng))
    return torch.from_numpy(clean.reshape(N_VALUES, -1)), torch.from_numpy(change.reshape(N_VALUES, N_VALUES, -1))


def simulate(setting: Setting) -> dict[str, float]:
    rng = np.random.default_rng([SEED, setting.frames, setting.fillings, setting.points, round(10 * setting.uneven)])
    of = torch.arange(setting.frames).repeat_interleave(setting.fillings)
    clusters = [of + setting.frames * value for value in range(N_VALUES)]
    shift, own = shift_of(setting.points, setting.uneven), torch.eye(N_VALUES, dtype=torch.bool)
    with_effect = own if setting.points else torch.zeros_like(own)
    counts = dict.fromkeys(["rate", "margin", "rate_alone", "margin_alone", "rate_held", "margin_held"], 0.0)
    alarms = {"rate_alarms": 0, "margin_alarms": 0}
    for number in range(setting.n_matrices):
        clean, change = matrix(setting, rng)
        before, after = (clean > 0).double(), (clean[:, None] + change > 0).double()  # change: value, ablated, item
        for kind, differences in (("rate", after - before[:, None]), ("margin", change)):
            generator = torch.Generator().manual_seed(number)
            p = torch.stack(sign_flip_p(list(differences), clusters, n_resamples=N_RESAMPLES, generator=generator))
            counts[kind] += float((p[own] < 0.05).double().mean())
            alarms[f"{kind}_alarms"] += bool((p[~with_effect] < 0.05).any())
            for value in range(N_VALUES):
                row = differences[value, value][None]
                (alone,) = sign_flip_p([row], [of], n_resamples=N_RESAMPLES, generator=generator)
                counts[f"{kind}_alone"] += float(alone < 0.05) / N_VALUES
        for value in range(N_VALUES):
            rates = difference_interval(after[value, value][None], before[value][None], of, level=0.95)[0]
            margins = mean_interval(change[value, value][None], of, level=0.95)[0]
            for kind, (low, high), truth in (("rate", rates, -setting.points / 100), ("margin", margins, -shift)):
                counts[f"{kind}_held"] += float(low - 1e-9 <= truth <= high + 1e-9) / N_VALUES
    shares = {name: round(float(count) / setting.n_matrices, 3) for name, count in (counts | alarms).items()}
    return {"shift": round(shift, 3)} | shares


def main() -> None:
    rows = [asdict(setting) | simulate(setting) for setting in SETTINGS]
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(TABLE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
