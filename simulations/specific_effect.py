"""How often does damage seem specific, and what is specific found? Writes `specific_effect.csv`, a row a setting, and a summary.

The model of the data. Margins without the edit are normal with variance 1; their mean makes `clean` of them positive. An edit only
does damage: every value has its fragility f (log-normal, sd 0.3), every set its strength g (normal, mean 1, sd `strength_sd`, not
below 0), the same in both languages. Kinds of damage to a margin m, with z standard normal:

    noise: m + 2 f g z        shrink: m - 0.3 f g (m - z)        both: m - f g (0.3 m - z)        shift: m - 0.5 (f + g) + 0.5 z

so that strength and fragility multiply, but for the last, where they add up. m and z are alike within frames (`correlation` between
its two fillings); half of what a frame's fillings share, both languages share. A matrix has two languages and as many sets as values.

Columns, each a share of matrices: `additive` and `slope` have a significantly negative specific effect on the diagonal if strength
and fragility are taken to add up (b = 1) or to multiply (b the slope), `specific` by both, as the package asks. `naive` has a
significant cell by the sign-flip p-value of support (of the first `N_NAIVE` matrices). p-values are corrected, from `N_RESAMPLES`
deals. Rows with `drop`: power. The first value's own set also lowers its margins by what loses `drop` of its support in a model that
the edit damages little ("noise" with 0.3 in place of 2); columns count matrices in which that cell is found, `margin` by the sign-flip
p-value of margins.
"""

import argparse
import csv
import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

import value_lens as vl
from value_lens.causal._sign_flip import sign_flip_p
from value_lens.causal._specific import SURE
from value_lens.causal._step_down import step_down
from value_lens.measure import supports

TABLE = Path(__file__).with_suffix(".csv")
SUMMARY = TABLE.with_suffix(".md")
SEED, N_MATRICES, N_NAIVE, N_POWER, N_RESAMPLES = 0, 400, 20, 60, 1000
TOGETHER = 20  # matrices computed at once
TIE = 1e-6
N_LANGUAGES, N_FILLINGS, FRAGILITY_SD = 2, 2, 0.3
SHIFT = 0.5
DAMAGE = {"noise": (0.0, 2.0), "shrink": (0.3, 0.3), "both": (0.3, 1.0)}
BAR = 0.05 + 2 * (0.05 * 0.95 / N_MATRICES) ** 0.5


@dataclass(frozen=True)
class Setting:
    values: int
    damage: str
    frames: int
    clean: float
    correlation: float
    strength_sd: float
    drop: float = 0.0


def settings() -> Iterator[Setting]:
    designs = list(itertools.product((12, 24), (0.85, 0.99), (0.3, 0.8), (0.0, 0.3, 0.5)))
    for values, damage in itertools.product((12, 4, 3), (*DAMAGE, "shift")):
        yield from (Setting(values, damage, *design) for design in designs)
    for values, drop, clean, correlation in itertools.product((12, 4), (0.2, 0.4, 0.8), (0.85, 0.99), (0.3, 0.8)):
        yield Setting(values, "little noise", 12, clean, correlation, 0.3, drop)


def normals(*shape: int, setting: Setting, generator: torch.Generator) -> Tensor:
    """[..., language, cluster, filling], of variance 1."""

    def draw(*axes: int) -> Tensor:
        return torch.randn(*shape, *axes, generator=generator, dtype=torch.float64)

    n_clusters = setting.values * setting.frames
    frames = (draw(1, n_clusters, 1) + draw(N_LANGUAGES, n_clusters, 1)) / 2**0.5
    return setting.correlation**0.5 * frames + (1 - setting.correlation) ** 0.5 * draw(N_LANGUAGES, n_clusters, N_FILLINGS)


def margins(setting: Setting, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Clean margins [language, cluster, filling] and their changes under every set [set, language, cluster, filling]."""
    n, of = setting.values, torch.arange(setting.values * setting.frames) // setting.frames
    mean = float(torch.special.ndtri(torch.tensor(setting.clean, dtype=torch.float64)))
    clean, z = mean + normals(setting=setting, generator=generator), normals(n, setting=setting, generator=generator)
    drawn = torch.randn(2, n, generator=generator, dtype=torch.float64)
    fragile = (FRAGILITY_SD * drawn[0] - FRAGILITY_SD**2 / 2).exp()[of][:, None]
    strong = (1 + setting.strength_sd * drawn[1]).clamp(min=0)[:, None, None, None]
    if setting.damage == "shift":
        return clean, SHIFT * z - SHIFT * (fragile + strong)
    shrink, noise = DAMAGE.get(setting.damage, (0.0, 0.3))
    changes = fragile * strong * (noise * z - shrink * clean)
    if setting.drop:
        lost = mean - torch.special.ndtri(torch.tensor(setting.clean - setting.drop, dtype=torch.float64))
        changes[0, :, of == 0] -= lost
    return clean, changes


def residuals(changes: Tensor, setting: Setting) -> tuple[Tensor, Tensor]:
    """Of the diagonal cells, [language, cluster, value], with b = 1 and with b the slope; all at once, as none is missing."""
    n, frames = setting.values, setting.frames
    own = torch.eye(n, dtype=torch.float64).repeat_interleave(frames, 0)  # cluster, set
    moved = changes.mean(-1).movedim(0, -1)  # language, cluster, set
    left = moved.sum(-1, keepdim=True) - (moved * own).sum(-1, keepdim=True) - moved * (1 - own)
    fragile = left / (n - 2 + own)
    by_value = lambda x: x.unflatten(1, (n, frames))  # noqa: E731
    elsewhere = 1 - torch.eye(n, dtype=torch.float64)
    mean_moved, mean_fragile = by_value(moved).mean(2), by_value(fragile).mean(2)
    noise = SURE * (by_value(fragile).var(2) / frames * elsewhere).sum(1)
    squares = (mean_fragile**2 * elsewhere).sum(1)
    told = squares > noise  # a set of no strength moves nothing, and tells of no slope
    sure = torch.where(told, squares / noise - 1, 0.0).clamp(0, 1)
    slope = 1 + sure * (torch.where(told, (mean_moved * mean_fragile * elsewhere).sum(1) / squares, 1.0) - 1)
    return moved - fragile, moved - slope[:, None] * fragile


def deals(setting: Setting, generator: torch.Generator) -> Tensor:
    """1 where a cluster is dealt to a value, [value, deal, cluster]; the first deal is as it is."""
    of = torch.arange(setting.values * setting.frames) // setting.frames
    order = torch.rand(N_RESAMPLES, len(of), generator=generator).argsort(1)
    labels = torch.cat([of[None], of[order]])
    return (labels == torch.arange(setting.values)[:, None, None]).float()


def specific_p(residual: Tensor, dealt: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Mean contrast and corrected p-value of the diagonal cells, [matrix, language, value], from [matrix, language, cluster, value]."""
    columns = residual.movedim(-1, 0).movedim(-1, 1)  # value, cluster, matrix, language
    n_own, n_others = frames, columns.shape[1] - frames
    sums, squares = ((dealt @ x.flatten(2).float()).unflatten(2, x.shape[2:]).double() for x in (columns, columns**2))
    mean, other = sums / n_own, (columns.sum(1, keepdim=True) - sums) / n_others  # value, deal, matrix, language
    own_variance = (squares - n_own * mean**2) / (n_own - 1) / n_own
    rest = ((columns**2).sum(1, keepdim=True) - squares - n_others * other**2) / (n_others - 1) / n_others
    size = ((mean - other).abs() / (own_variance + rest).clamp(min=1e-12).sqrt()).permute(2, 3, 0, 1).float().contiguous()
    corrected = [corrected_p(cells) for cells in size.flatten(1, 2)]
    effect = (mean - other)[:, 0].movedim(0, -1)
    return effect, torch.stack(corrected).reshape(effect.shape)


def corrected_p(sizes: Tensor) -> Tensor:
    """Of every cell, from its |t| in every deal, the first as found; 1 for all where not even the surest is below 0.05."""
    n_far = (sizes >= sizes[:, :1] * (1 - TIE)).sum(1)
    surest = int(n_far.min())  # as many deals are as large as it
    if surest < 0.05 * sizes.shape[1]:
        least = sizes.topk(surest, dim=1).values[:, -1:] * (1 - TIE)
        if float((sizes >= least).any(0).float().mean()) < 0.05:
            far = sizes.shape[1] - torch.searchsorted(sizes.sort(1).values, sizes * (1 - TIE))
            p = far.double() / sizes.shape[1]
            return torch.tensor(step_down(p[:, 0].tolist(), list(p[:, 1:])), dtype=torch.float64)
    return torch.ones(len(sizes), dtype=torch.float64)


def naive_p(changes: Tensor, setting: Setting, generator: torch.Generator) -> Tensor:
    """Corrected sign-flip p-value of every cell, [language, value, set]."""
    of = torch.arange(setting.values * setting.frames) // setting.frames
    cells = list(itertools.product(range(N_LANGUAGES), range(setting.values)))
    blocks = [changes[:, l, of == v].flatten(1) for l, v in cells]
    clusters = [(of == v).nonzero().flatten().repeat_interleave(N_FILLINGS) for _, v in cells]
    found = sign_flip_p(blocks, clusters, n_resamples=N_RESAMPLES, generator=generator)
    return torch.stack(found).reshape(N_LANGUAGES, setting.values, setting.values)


def simulate(setting: Setting, seed: int) -> dict[str, float | str]:
    generator = torch.Generator().manual_seed(seed)
    dealt = deals(setting, generator)
    n_matrices = N_POWER if setting.drop else N_MATRICES
    hits: dict[str, list[bool]] = {"additive": [], "slope": [], "specific": [], "naive": [], "margin": []}
    for first in range(0, n_matrices, TOGETHER):
        drawn = [margins(setting, generator) for _ in range(first, min(first + TOGETHER, n_matrices))]
        both = zip(*(residuals(changes, setting) for _, changes in drawn), strict=True)
        found = [specific_p(torch.stack(residual), dealt, setting.frames) for residual in both]
        if not first:
            agree_with_the_package(*drawn[0], [effect[0] for effect, _ in found], setting)
        additive, slope = ((effect < 0) & (p < 0.05) for effect, p in found)
        for number, (clean, changes) in enumerate(drawn):
            each = {"additive": additive[number], "slope": slope[number], "specific": (additive & slope)[number]}
            if setting.drop or first + number < N_NAIVE:
                each["naive"] = naive_p(supports(clean + changes) - supports(clean), setting, generator) < 0.05
            if setting.drop:
                each["margin"] = naive_p(changes, setting, generator) < 0.05
            for name, cells in each.items():
                hits[name].append(bool(cells.flatten()[0] if setting.drop else cells.any()))
    return {name: round(sum(some) / len(some), 4) if some else "" for name, some in hits.items()}


def agree_with_the_package(clean: Tensor, changes: Tensor, effects: list[Tensor], setting: Setting) -> None:
    """The specific effects above are those of `EffectMatrix`, that of the reckoning that is the smaller in size."""
    values = tuple(f"v{v}" for v in range(setting.values))
    items = list(itertools.product(range(N_LANGUAGES), range(setting.values * setting.frames), range(N_FILLINGS)))
    scores = vl.ItemScores(
        item_ids=tuple(map(str, items)),
        item_values=tuple(values[c // setting.frames] for _, c, _ in items),
        item_languages=tuple(f"l{l}" for l, _, _ in items),
        item_clusters=tuple(str(c) for _, c, _ in items),
        values=values,
        languages=tuple(f"l{l}" for l in range(N_LANGUAGES)),
        intervened=values,
        n_neurons=(1,) * setting.values,
        clean=clean.flatten(),
        own=(clean + changes).flatten(1),
        control=torch.zeros(setting.values, 0, len(items), dtype=torch.float64),
    )
    matrix = vl.effect_matrix(scores, resampling=vl.Resampling(n=1))
    expected = torch.where(effects[0].abs() <= effects[1].abs(), *effects)
    torch.testing.assert_close(matrix.specific.effect.diagonal(dim1=1, dim2=2), expected, rtol=1e-4, atol=1e-5)


def summary(rows: list[dict[str, str]]) -> str:
    """The largest and mean share of false alarms by number of values and damage, and the power."""
    names = ("additive", "slope", "specific", "naive")
    lines = ["| values | damage | " + " | ".join(f"{name}, most (mean)" for name in names) + " |", "|" + "---|" * 6]
    false = [row for row in rows if not float(row["drop"])]
    for values, damage in dict.fromkeys((row["values"], row["damage"]) for row in false):
        some = [row for row in false if (row["values"], row["damage"]) == (values, damage)]
        shares = {name: [float(row[name]) for row in some] for name in names}
        cells = [f"{100 * max(s):.1f}% ({100 * sum(s) / len(s):.1f}%)" for s in shares.values()]
        lines.append(f"| {values} | {damage} | " + " | ".join(cells) + " |")
    above = sum(float(row["specific"]) > BAR for row in false)
    lines += [f"\nSettings in which `specific` is above {100 * BAR:.2f}%: {above} of {len(false)}.\n"]
    lines += ["| values | drop | clean | correlation | naive | margin | specific |", "|" + "---|" * 7]
    for row in rows:
        if float(row["drop"]):
            cells = (row[name] for name in ("values", "drop", "clean", "correlation", "naive", "margin", "specific"))
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--summary", action="store_true", help="only write what the table says")
    if not parser.parse_args().summary:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = None
            for number, setting in enumerate(settings()):
                row = asdict(setting) | simulate(setting, SEED + number)
                if writer is None:
                    writer = csv.DictWriter(file, row, lineterminator="\n")
                    writer.writeheader()
                writer.writerow(row)
                file.flush()
    with TABLE.open(encoding="utf-8", newline="") as file:
        SUMMARY.write_text(summary(list(csv.DictReader(file))), encoding="utf-8")
    print(SUMMARY.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
