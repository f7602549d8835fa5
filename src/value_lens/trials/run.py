"""How is the support matrix measured? The same encoded dilemmas, clean, under each value's ablation, and under its controls."""

import functools
import operator
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..behave import EncodedQuestion, Question
from ..corpus import Dilemma
from ..edit import Edit, editing, require_neurons_of
from ..errors import DataError
from ..model import ModelView, NeuronSite
from ..neurons import NeuronSet, matched_random, overlap
from ..stats import Progress
from ..values import in_order
from .inference import Inference
from .matrix import SupportMatrix


def support_matrix(
    view: ModelView,
    site: NeuronSite,
    dilemmas: Sequence[Dilemma],
    sets: Mapping[str, NeuronSet],
    edit: Edit,
    rate: Float[Tensor, "layer neuron"],
    *,
    n_controls: int,
    question: Question,
    inference: Inference,
    max_tokens: int,
    progress: Progress | None = None,
) -> SupportMatrix:
    """Support of every value with every value's neurons edited, and with `n_controls` matched random sets in their place.

    `rate` is each neuron's firing rate, which the controls are matched on. Controls contain no neuron of any of the sets; where
    the sets leave too few others for that, none of the value's own set (`meta["controls_avoid"]` says which). A value with an
    empty set is kept with NaN. Raises `DataError` when no value has neurons, `NeuronError` when a set fills most of a layer.
    """
    ablated = in_order(set(sets))
    filled = [value for value in ablated if len(sets[value])]
    if not filled:
        raise DataError("no value has any neurons, so nothing can be ablated; select more")
    fingerprint = view.identify().fingerprint
    for value in filled:
        require_neurons_of(view, sets[value])
    chosen = {value: sets[value] for value in filled}
    barred = _barred(chosen)
    controls = {
        value: matched_random(neurons, rate, n_sets=n_controls, seed=inference.seed, exclude=barred)
        for value, neurons in (chosen if n_controls else {}).items()
    }
    asked = EncodedQuestion(view, dilemmas, question)
    n_runs, done = 1 + len(filled) * (1 + n_controls), 0

    def margins(neurons: NeuronSet | None) -> Tensor:
        nonlocal done
        if neurons is None:
            found = asked.margins(view, max_tokens=max_tokens)
        else:
            # A control of dead neurons may rightly change nothing; a value's own set may not.
            with editing(view, site, neurons, edit, must_change=neurons in sets.values()):
                found = asked.margins(view, max_tokens=max_tokens)
        done += 1
        if progress is not None:
            progress(done, n_runs)
        return found

    unknown = torch.full((len(dilemmas),), torch.nan, dtype=torch.float64)
    clean = margins(None)
    edited = torch.stack([margins(sets[value]) if value in filled else unknown for value in ablated])
    shape = (len(ablated), n_controls, len(dilemmas))
    random = torch.full(shape, torch.nan, dtype=torch.float64)
    for place, value in enumerate(ablated):
        for number, control in enumerate(controls.get(value, ())):
            random[place, number] = margins(control)
    return SupportMatrix(
        item_ids=tuple(d.id for d in dilemmas),
        item_values=tuple(d.value for d in dilemmas),
        item_languages=tuple(d.language for d in dilemmas),
        item_clusters=tuple(d.unit for d in dilemmas),
        values=in_order({d.value for d in dilemmas}),
        languages=tuple(sorted({d.language for d in dilemmas})),
        ablated=ablated,
        n_neurons=tuple(len(sets[value]) for value in ablated),
        clean_margins=clean,
        edited_margins=edited,
        control_margins=random,
        inference=inference,
        meta={"edit": edit.name, "site": site.name, "scoring": question.scoring, "model": fingerprint}
        | {"n_pairs": asked.n_pairs, "n_pairs_joined": asked.n_pairs_joined, "n_misfits": asked.n_misfits}
        | (
            {"controls_avoid": "all sets" if barred else "own set", "matching": _matching(chosen, controls, rate)}
            if controls
            else {}
        ),
    )


def _matching(
    sets: Mapping[str, NeuronSet], controls: Mapping[str, Sequence[NeuronSet]], rate: Float[Tensor, "layer neuron"]
) -> dict[str, dict[str, float | None]]:
    """{value: how often its neurons and their controls fire on average, and what share of neurons two controls have in common}."""

    def fires(some: Sequence[NeuronSet]) -> float:
        return round(float(torch.cat([rate[neurons.mask()] for neurons in some]).mean()), 6)

    def shared(some: Sequence[NeuronSet]) -> float | None:
        return round(overlap(some), 6) if len(some) > 1 else None

    return {
        value: {"rate": fires([sets[value]]), "control_rate": fires(drawn), "control_overlap": shared(drawn)}
        for value, drawn in controls.items()
    }


def _barred(sets: Mapping[str, NeuronSet]) -> NeuronSet | None:
    """The union of all sets, if every layer has twice as many neurons outside it as any set has inside, so that draws can vary."""
    union = functools.reduce(operator.or_, sets.values())
    largest = torch.stack([neurons.mask().sum(1) for neurons in sets.values()]).amax(0)
    outside = (~union.mask()).sum(1)
    return union if bool((outside >= 2 * largest).all()) else None
