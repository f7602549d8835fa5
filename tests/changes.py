"""What would a matrix be whose margins change as told? Damage, planted effects and controls for tests of what is specific."""

import dataclasses

import torch

import value_lens as vl

NAMES = ("honesty", "care", "duty", "justice", "mercy")


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix_of(changes, *, own=NAMES, n_items=2, controls=(), edit="zero", n_resamples=400):
    """A matrix whose items change as told: {(language, value, cluster): change of margin under each of the sets `own`}.

    A set that is NaN throughout is empty. controls: the same, one for each control of every set.
    """
    items = [(*key, k) for key in changes for k in range(n_items)]

    def moved(told):
        return torch.stack([told[item[:3]] for item in items], 1)

    clean = draw(len(items), seed=1)
    random = torch.stack([moved(told) for told in controls], 1) if controls else torch.zeros(len(own), 0, len(items)).double()
    scores = vl.ItemScores(
        item_ids=tuple(map(str, items)),
        item_languages=tuple(item[0] for item in items),
        item_values=tuple(item[1] for item in items),
        item_clusters=tuple(item[2] for item in items),
        values=tuple(dict.fromkeys(item[1] for item in items)),
        languages=tuple(dict.fromkeys(item[0] for item in items)),
        intervened=own,
        n_neurons=tuple(0 if bool(column.isnan().all()) else 3 for column in moved(changes)),
        clean=clean,
        own=clean + moved(changes),
        control=clean + random,
    )
    return vl.effect_matrix(scores, resampling=vl.Resampling(n=n_resamples), meta={"edit": edit})


def again(matrix, **changes):
    """The matrix of the same experiment with some of its scores changed."""
    scores = dataclasses.replace(matrix.scores, **changes)
    return vl.effect_matrix(scores, resampling=matrix.resampling, meta=matrix.meta)


def clusters(values=NAMES, n=6, languages=("en",), sets=5, seed=0, noise=0.3):
    keys = [(l, value, f"{value}{c}") for l in languages for value in values for c in range(n)]
    return {key: noise * row for key, row in zip(keys, draw(len(keys), sets, seed=seed), strict=True)}


def planted(size=-2.0):
    changes = clusters(n=12)
    for key, row in changes.items():
        row[NAMES.index(key[1])] += size
    return changes


def controls(n, seed=7):
    """Every control changes margins a little."""
    keys = clusters(n=12)
    return [dict(zip(keys, 0.1 * draw(len(keys), 5, seed=seed + k), strict=True)) for k in range(n)]
