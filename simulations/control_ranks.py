"""How often does a set without causal effect seem special among its controls? Writes `control_ranks.csv`, a row a setting.

The model of the data. Layers of neurons whose loudness is log-normal and whose firing rates are Beta(0.3, 3), a fifth of them 0. A
neuron's effect is its loudness times a standard normal number, drawn anew for every set: it does nothing for any value, and
moves whatever is measured by chance alone, the louder the more. A set's effect is the sum of its neurons'. Sets are drawn at random,
or are those of highest score: log loudness (`loud`) or log norm of the output weights (`norm`), plus normal noise of `noise` standard
deviations of it, as a method does that favours large output weights. With `norm`, loudness is the norm, which is log-normal, times a
size of activations that grows with the rate, and neurons that hardly fire are not chosen.

`share` is the share of sets whose rank p-value among `N_CONTROLS` controls is at most 0.05: by controls matched in layer, rate and
loudness, and by controls matched in layer and rate alone. `expected_overlap` and `not_widened` are what the matrix reports of a set.
"""

import csv
import itertools
from pathlib import Path

import torch

from value_lens import NeuronSet
from value_lens.causal._bins import Bins
from value_lens.causal._strata import Strata

TABLE = Path(__file__).with_suffix(".csv")
SEED, N_SETS, N_CONTROLS = 0, 400, 20
N_LAYERS, D_MLP = 6, 2048
BAR = 0.05 + 2 * (0.05 * 0.95 / N_SETS) ** 0.5


def population(sd: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Firing rate and loudness of every neuron."""
    shape = (N_LAYERS, D_MLP)
    beta = torch.distributions.Beta(0.3, 3.0)
    torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))  # distributions take no generator
    rate = beta.sample(shape).double()
    rate[torch.rand(shape, generator=generator) < 0.2] = 0
    return rate, (sd * torch.randn(shape, generator=generator, dtype=torch.float64)).exp()


def activation_size(rate: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    spread = (0.8 * torch.randn(rate.shape, generator=generator, dtype=torch.float64)).exp()
    return spread * (rate.sqrt() + 0.02)


def chosen(kind: str, size: int, scored: torch.Tensor, noise: float, generator: torch.Generator) -> NeuronSet:
    drawn = torch.randn(scored.shape, generator=generator, dtype=torch.float64)
    logs = scored.log()
    score = drawn if kind == "random" else logs + noise * logs[logs > -20].std() * drawn
    return NeuronSet.from_mask(score >= score.flatten().topk(size).values[-1], site="post")


def simulate(kind: str, size: int, sd: float, noise: float, seed: int) -> dict[str, float]:
    generator = torch.Generator().manual_seed(seed)
    rate, norm = population(sd, generator)
    loudness = norm * activation_size(rate, generator) if kind == "norm" else norm
    scored = norm.masked_fill(rate < 0.001, 1e-9) if kind == "norm" else loudness
    bins = {"share": Bins.build(rate, loudness), "share_by_rate_alone": Bins.build(rate)}
    hits, fair = dict.fromkeys(bins, 0), {"expected_overlap": 0.0, "not_widened": 0.0}
    for trial in range(N_SETS):
        neurons = chosen(kind, size, scored, noise, generator)
        effect = (loudness * torch.randn(loudness.shape, generator=generator, dtype=torch.float64)).flatten()
        own = abs(float(effect[neurons.mask().flatten()].sum()))
        for name, some in bins.items():
            strata = Strata.build(neurons, some)
            larger = sum(abs(float(effect[strata.draw(k, trial)].sum())) >= own for k in range(N_CONTROLS))
            hits[name] += (1 + larger) / (1 + N_CONTROLS) <= 0.05
            if name == "share":
                fair = {key: fair[key] + strata.fairness[key] / N_SETS for key in fair}
    return {name: hits[name] / N_SETS for name in hits} | {key: round(value, 4) for key, value in fair.items()}


def main() -> None:
    rows = []
    settings = [("random", size, sd, 0.0) for size, sd in itertools.product((24, 100), (0.5, 1.0))]
    settings += [("loud", size, sd, noise) for size, sd, noise in itertools.product((24, 100), (0.5, 1.0), (1.0, 2.0))]
    settings += [("norm", size, sd, 1.0) for size, sd in itertools.product((24, 100), (0.5, 1.0))]
    for number, (kind, size, sd, noise) in enumerate(settings):
        rows.append({"sets": kind, "size": size, "sd": sd, "noise": noise} | simulate(kind, size, sd, noise, SEED + number))
        print(rows[-1], flush=True)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"at most {BAR:.4f} keeps the bar")


if __name__ == "__main__":
    main()
