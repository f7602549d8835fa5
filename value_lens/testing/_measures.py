"""The contract of measures, for every registered one."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..core import Entry
from ..lens import ValueLens
from ..measure import EncodedTask, measures, score_items
from ..model import Batching

CLOSE = {"rtol": 1e-4, "atol": 1e-5, "equal_nan": True}


class MeasureContract:
    """Laws of a measure. Inherit it in a test file with fixtures `lens` (a `ValueLens`) and `dilemmas`.

    A measure of other items: override `items`.
    """

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each measure and law."""
        if "measure" in metafunc.fixturenames:
            metafunc.parametrize("measure", list(measures.values()), ids=list(measures))

    def items(self, measure: Entry, dilemmas: Sequence[Any]) -> Sequence[Any]:
        """What this measure scores."""
        return dilemmas

    def encoded(self, measure: Entry, lens: ValueLens, dilemmas: Sequence[Any]) -> EncodedTask:
        """The items in the model's tokens, with the measure's defaults."""
        return measure().encode(lens, self.items(measure, dilemmas))

    def test_batches_and_padding_change_nothing(self, measure: Entry, lens: ValueLens, dilemmas: Sequence[Any]) -> None:
        """Each text alone, all at once, padded on either side: the same scores."""
        task = self.encoded(measure, lens, dilemmas)
        expected = score_items(lens, task, Batching(max_texts=1))
        for batching in (Batching(max_tokens=10_000), Batching(max_tokens=200, padding_side="left")):
            torch.testing.assert_close(score_items(lens, task, batching), expected, **CLOSE)

    def test_order_changes_nothing(self, measure: Entry, lens: ValueLens, dilemmas: Sequence[Any]) -> None:
        """The scores of items in another order are the scores in that order."""
        forwards = score_items(lens, self.encoded(measure, lens, dilemmas))
        backwards = score_items(lens, self.encoded(measure, lens, list(dilemmas)[::-1]))
        torch.testing.assert_close(backwards.flip(0), forwards, **CLOSE)

    def test_it_never_runs_the_model(self, measure: Entry, lens: ValueLens, dilemmas: Sequence[Any]) -> None:
        """Encoding is done with the tokenizer alone."""
        runs: list[int] = []
        handle = lens.model.register_forward_pre_hook(lambda module, inputs: runs.append(1))
        try:
            task = self.encoded(measure, lens, dilemmas)
            assert not runs, f"{measure.name!r} ran the model"
            score_items(lens, task)
            assert runs
        finally:
            handle.remove()

    def test_scores_are_differentiable_from_logits(self, measure: Entry, lens: ValueLens, dilemmas: Sequence[Any]) -> None:
        """`reduce` gives what the engine gave, and a gradient for each item that has a score."""
        task = self.encoded(measure, lens, dilemmas)
        logits, scores = self._logits(lens, task)
        logits.requires_grad_(True)
        reduced = task.reduce(logits)
        torch.testing.assert_close(reduced.detach().double(), scores, **CLOSE)
        (gradient,) = torch.autograd.grad(reduced.nansum(), logits)
        assert bool(torch.isfinite(gradient).all()) and bool((gradient != 0).any())

    def _logits(self, lens: ValueLens, task: EncodedTask) -> tuple[Tensor, Tensor]:
        """The logits of every read in order, and the engine's scores."""
        logits_by_read: dict[int, Tensor] = {}
        extract = task.extract

        def keep(logits: Tensor, reads: Tensor) -> Tensor:
            logits_by_read.update(zip(reads.tolist(), logits.detach(), strict=True))
            return extract(logits, reads)

        task.extract = keep  # type: ignore[method-assign]
        try:
            scores = score_items(lens, task)
        finally:
            del task.extract
        return torch.stack([logits_by_read[read] for read in sorted(logits_by_read)]), scores

    def test_no_score_has_a_reason(self, measure: Entry, lens: ValueLens, dilemmas: Sequence[Any]) -> None:
        """Exactly the items with a reason score NaN."""
        task = self.encoded(measure, lens, dilemmas)
        scores = score_items(lens, task)
        assert scores.isnan().nonzero().flatten().tolist() == sorted(task.reasons)
        assert len(scores) == len(task.item_ids) == len(self.items(measure, dilemmas)) and all(task.reasons.values())
