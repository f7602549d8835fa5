"""The experiment: the same encoded dilemmas clean, under each value's ablation, and under its controls."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor

from ..collect import Progress
from ..core import Dilemma, FiringStats, NeuronSet, in_order
from ..errors import DataError
from ..intervene import Edit, editing, require_neurons_of
from ..measure import EncodedQuestion, Question
from ..model import Batching, LensModel, NeuronSite, output_norms
from ._controls import Bins, Strata, overlap
from ._matrix import SupportMatrix
from ._resampling import Inference

CONTROLS = 20  # matched random sets a value, unless another number is asked for; 19 are the fewest whose rank can give p = 0.05
OUTSIDE = 5  # controls without neurons of the set that are run at least, for their mean


def support_matrix(
    view: LensModel,
    site: NeuronSite,
    dilemmas: Sequence[Dilemma],
    sets: Mapping[str, NeuronSet],
    edit: Edit,
    stats: FiringStats | None,
    *,
    n_controls: int,
    question: Question,
    inference: Inference,
    batching: Batching | None = None,
    progress: Progress | None = None,
) -> SupportMatrix:
    """Support of every value with every value's neurons edited, and with `n_controls` matched random sets in their place.

    `stats` tell how often each neuron fires and how large its activations are, which controls are matched in; only without
    controls they may be None. Controls may hold neurons of any set, since effects are ranked among them; for the mean that is
    shown, some are run with the value's own neurons replaced. A value with an empty set is kept with NaN. Raises `DataError` when
    no value has neurons or `stats` lack sums, `NeuronError` when a set fills most of a layer.
    """
    ablated = in_order(set(sets))
    chosen = {value: sets[value] for value in ablated if len(sets[value])}
    if not chosen:
        raise DataError("no value has any neurons, so nothing can be ablated; select more")
    fingerprint = view.identify().fingerprint
    for neurons in chosen.values():
        require_neurons_of(view, neurons)
    controls: dict[str, list[NeuronSet]] = {}
    outside: dict[str, list[NeuronSet | None]] = {}
    matching: dict[str, dict[str, float | None]] = {}
    if n_controls and stats is not None:
        rate, loud = stats.rate(), loudness(view, stats, edit)
        bins = Bins.by(rate, loud)
        for value, neurons in chosen.items():
            strata = Strata.of(neurons, bins)
            strata.require_room()
            controls[value], outside[value] = _controls(strata, n_controls, inference.seed)
            matching[value] = _matching(strata, controls[value], rate, loud)
    asked = EncodedQuestion(view, dilemmas, question)
    n_more = sum(other not in (None, control) for v in controls for control, other in zip(controls[v], outside[v], strict=True))
    n_runs, done = 1 + len(chosen) * (1 + n_controls) + n_more, 0

    def margins(neurons: NeuronSet | None, must_change: bool = True) -> Tensor:
        nonlocal done
        if neurons is None:
            found = asked.margins(view, batching)
        else:
            with editing(view, site, neurons, edit, must_change=must_change):
                found = asked.margins(view, batching)
        done += 1
        if progress is not None:
            progress(done, n_runs)
        return found

    unknown = torch.full((len(dilemmas),), torch.nan, dtype=torch.float64)
    clean = margins(None)
    edited = torch.stack([margins(sets[value]) if value in chosen else unknown for value in ablated])
    shape = (len(ablated), n_controls, len(dilemmas))
    random, without = (torch.full(shape, torch.nan, dtype=torch.float64) for _ in range(2))
    for place, value in enumerate(ablated):
        for number, control in enumerate(controls.get(value, ())):
            # A control of dead neurons may rightly change nothing; a value's own set may not.
            random[place, number] = margins(control, must_change=False)
            other = outside[value][number]
            if other is not None:
                without[place, number] = random[place, number] if other is control else margins(other, must_change=False)
    meta: dict[str, Any] = {
        "edit": edit.name,
        "site": site.name,
        "scoring": question.scoring,
        "n_pairs": asked.n_pairs,
        "n_pairs_joined": asked.n_pairs_joined,
        "n_misfits": asked.n_misfits,
        "model": fingerprint,
    }
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
        outside_margins=without,
        inference=inference,
        meta=meta | ({"matching": matching} if matching else {}),
    )


def loudness(view: LensModel, stats: FiringStats, edit: Edit) -> Float64[Tensor, "layer neuron"]:
    """How far an edit of each neuron moves the residual stream: the size of its activations times the norm of its row of W_out.

    Their root mean square, or for an edit that keeps the mean their standard deviation. Raises `DataError` without sums.
    """
    return stats.post_size(centred=edit.keeps_mean) * output_norms(view)


def _controls(strata: Strata, n_controls: int, seed: int) -> tuple[list[NeuronSet], list[NeuronSet | None]]:
    """The controls, and for each one without neurons of the set: itself where it has none, of others as many as make up `OUTSIDE`."""
    drawn = [strata.draw(number, seed) for number in range(n_controls)]
    others = [strata.without_members(control, number, seed) for number, control in enumerate(drawn)]
    controls = [strata.control(control, number, seed) for number, control in enumerate(drawn)]
    n_more = OUTSIDE - sum(other is control for other, control in zip(others, drawn, strict=True))
    outside: list[NeuronSet | None] = []
    for number, (control, other) in enumerate(zip(drawn, others, strict=True)):
        n_more -= other is not control
        replaced = strata.control(other, number, seed) if n_more >= 0 else None
        outside.append(controls[number] if other is control else replaced)
    return controls, outside


def _matching(strata: Strata, controls: Sequence[NeuronSet], rate: Tensor, loud: Tensor) -> dict[str, float | None]:
    """How like its neurons the controls of one value are: firing rate and loudness on average, and what neurons are shared."""
    inside = strata.neurons.mask()
    found: dict[str, float | None] = {
        "rate": float(rate[inside].mean()),
        "control_rate": strata.mean(rate),
        "loudness": float((loud[inside] ** 2).mean()) ** 0.5,  # the root mean square: what moves at random adds up so
        "control_loudness": strata.mean(loud**2) ** 0.5,
        "control_overlap": overlap(controls) if len(controls) > 1 else None,
        **strata.fairness,
    }
    return {name: None if number is None else round(number, 6) for name, number in found.items()}
