"""The contract of interventions, for every registered one."""

import contextlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..core import Entry, LabelledText, NeuronSet
from ..errors import InterventionError
from ..intervene import Bound, Context, Intervention, interventions
from ..lens import ValueLens

LAYER, INDICES = 1, (0, 2, 5)


def neurons_of(lens: ValueLens) -> NeuronSet:
    """Three neurons of one layer."""
    pairs = [(LAYER, index) for index in INDICES]
    return NeuronSet.from_pairs(pairs, site="post", n_layers=lens.n_layers, d_mlp=lens.d_mlp)


def intervention_of(entry: Entry, lens: ValueLens, texts: Sequence[LabelledText]) -> Intervention:
    """An intervention from what it needs, with its defaults."""
    inputs = {"stats": lens.collect(texts)} if "stats" in entry.inputs else {}
    return entry(**inputs)


class InterventionContract:
    """Laws of an intervention. Inherit it in a test file with fixtures `lens` (a `ValueLens`) and `texts` (of several values)."""

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each intervention and law."""
        if "intervention" in metafunc.fixturenames:
            metafunc.parametrize("intervention", list(interventions.values()), ids=list(interventions))

    def bound(self, entry: Entry, lens: ValueLens, texts: Sequence[LabelledText]) -> Bound:
        """The function that is applied."""
        return intervention_of(entry, lens, texts).prepare(lens, neurons_of(lens), ())

    def slice_of(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """Random activations [batch pos neuron]."""
        return torch.randn(2, 6, len(INDICES), generator=torch.Generator().manual_seed(0)).to(dtype)

    def test_it_keeps_shape_dtype_and_device(self, intervention: Entry, lens: ValueLens, texts: Sequence[LabelledText]) -> None:
        """In every dtype that models have."""
        bound = self.bound(intervention, lens, texts)
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            activations = self.slice_of(dtype)
            result = bound(activations, Context(layer=LAYER))
            assert (result.shape, result.dtype, result.device) == (activations.shape, activations.dtype, activations.device)

    def test_it_is_pure(self, intervention: Entry, lens: ValueLens, texts: Sequence[LabelledText]) -> None:
        """The slice is as before, and the same slice gives the same."""
        bound, activations = self.bound(intervention, lens, texts), self.slice_of()
        result = bound(activations, Context(layer=LAYER)).clone()
        assert torch.equal(activations, self.slice_of()), f"{intervention.name!r} wrote into the activations"
        assert torch.equal(bound(activations, Context(layer=LAYER)), result), f"{intervention.name!r} is not a function"

    def test_it_does_the_same_with_a_cache(self, intervention: Entry, lens: ValueLens, texts: Sequence[LabelledText]) -> None:
        """Whole texts, or their beginnings and then token by token: the same at every token."""
        bound, activations = self.bound(intervention, lens, texts), self.slice_of()
        positions = torch.arange(activations.shape[1]).expand(activations.shape[:2])
        pieces = [slice(0, 3), slice(3, 4), slice(4, 5), slice(5, 6)]
        result = bound(activations, Context(layer=LAYER, positions=positions))
        stepwise = [bound(activations[:, p].clone(), Context(layer=LAYER, positions=positions[:, p])) for p in pieces]
        assert torch.equal(torch.cat(stepwise, dim=1), result)

    def test_it_changes_its_neurons_alone_and_nothing_afterwards(
        self, intervention: Entry, lens: ValueLens, texts: Sequence[LabelledText]
    ) -> None:
        """In a run: other neurons and earlier layers are as they were; after the block, so is everything."""
        applied, tokens = intervention_of(intervention, lens, texts), torch.arange(3, 11)[None] % lens.n_embedded
        neurons = neurons_of(lens)
        clean = self._activations(lens, tokens)
        with contextlib.suppress(InterventionError), lens.intervening(neurons, applied) as log:  # its scope may be elsewhere
            edited = self._activations(lens, tokens)
        own, others = list(INDICES), [index for index in range(lens.d_mlp) if index not in INDICES]
        assert log.changed != torch.equal(edited[LAYER][..., own], clean[LAYER][..., own])
        assert torch.equal(edited[0], clean[0])
        assert torch.equal(edited[LAYER][..., others], clean[LAYER][..., others])
        assert all(map(torch.equal, self._activations(lens, tokens), clean))

    def _activations(self, lens: ValueLens, tokens: Tensor) -> list[Tensor]:
        """hook_post of every layer, and the logits, in one run."""
        activations: list[Tensor] = []

        def keep(activation: Tensor) -> None:
            activations.append(activation.detach().clone())

        names = lens.site("post").post
        with lens.hooks([(name, keep) for name in names]), torch.no_grad():
            logits = lens.model(tokens)
        return [*activations, logits]
