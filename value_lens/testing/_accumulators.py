"""The contract of accumulators."""

from typing import Any

import torch
from torch import Tensor

from ..collect import Accumulator, TextBatch
from ..core import Group
from ._equal import equal

GROUPS = (Group("care", "+", "en"), Group("care", "-", "en"), Group("duty", "+", "en"))
N_LAYERS, D_MLP, N_TEXTS, N_POS = 2, 5, 9, 6
Stream = tuple[list[str], list[Group], Tensor, Tensor]


def stream_of(seed: int) -> Stream:
    """Ids, groups, counted tokens and activations [layer text pos neuron] of a few texts. Quarters, whose sums are exact."""
    generator = torch.Generator().manual_seed(seed)
    counted = torch.rand(N_TEXTS, N_POS, generator=generator) < 0.7
    counted[:, 0] = True
    activations = torch.randint(-6, 7, (N_LAYERS, N_TEXTS, N_POS, D_MLP), generator=generator) / 4
    groups = [GROUPS[index % len(GROUPS)] for index in range(N_TEXTS)]
    return [f"text {seed}-{index}" for index in range(N_TEXTS)], groups, counted, activations


class AccumulatorContract:
    """Laws of an accumulator. Inherit it in a test file and override `accumulator`."""

    def accumulator(self) -> Accumulator:
        """A fresh one for `GROUPS`, `N_LAYERS` layers and `D_MLP` neurons."""
        raise NotImplementedError

    def fed(self, *streams: Stream, n_texts: int = N_TEXTS, reverse: bool = False) -> Any:
        """An accumulator after streams, in batches of so many texts."""
        accumulator = self.accumulator()
        for ids, groups, counted, activations in streams:
            starts = range(0, len(ids), n_texts)
            for start in reversed(starts) if reverse else starts:
                rows = slice(start, start + n_texts)
                batch = TextBatch(ids=tuple(ids[rows]), tokens=counted[rows].long(), counted=counted[rows])
                accumulator.begin(batch, groups[rows])
                for layer in range(N_LAYERS):
                    accumulator.update(layer, activations[layer, rows])
        return accumulator

    def test_a_stream_is_the_whole(self) -> None:
        """Any batches in any order give the result of one batch."""
        expected = self.fed(stream_of(0)).result()
        for n_texts in (1, 2, 4):
            assert equal(self.fed(stream_of(0), n_texts=n_texts).result(), expected)
            assert equal(self.fed(stream_of(0), n_texts=n_texts, reverse=True).result(), expected)

    def test_merging_is_going_on(self) -> None:
        """Two shards merged are one stream."""
        merged = self.fed(stream_of(0)).merge(self.fed(stream_of(1)))
        assert equal(merged.result(), self.fed(stream_of(0), stream_of(1)).result())

    def test_merging_is_associative_and_commutative(self) -> None:
        """Shards may be merged in any order and nesting."""
        a, b, c = (self.fed(stream_of(seed)) for seed in range(3))
        assert equal(a.merge(b).result(), b.merge(a).result())
        assert equal(a.merge(b).merge(c).result(), a.merge(b.merge(c)).result())

    def test_merging_shares_no_memory(self) -> None:
        """Neither part is changed by what is fed to the merged one, nor the other way round."""
        a, b = self.fed(stream_of(0)), self.fed(stream_of(1))
        result_of_a = a.result()
        merged = a.merge(b)
        merged_result = merged.result()
        self._feed(merged, stream_of(2))
        assert equal(a.result(), result_of_a)
        self._feed(a, stream_of(2))
        self._feed(b, stream_of(2))
        assert equal(a.merge(self.fed()).result(), self.fed(stream_of(0), stream_of(2)).result())
        assert not equal(merged.result(), merged_result)

    def _feed(self, accumulator: Accumulator, stream: Stream) -> None:
        ids, groups, counted, activations = stream
        accumulator.begin(TextBatch(ids=tuple(ids), tokens=counted.long(), counted=counted), groups)
        for layer in range(N_LAYERS):
            accumulator.update(layer, activations[layer])

    def test_a_result_stays_as_it_is(self) -> None:
        """Going on after a result does not change it."""
        accumulator = self.fed(stream_of(0))
        first_result, expected = accumulator.result(), self.fed(stream_of(0)).result()
        self._feed(accumulator, stream_of(1))
        assert equal(first_result, expected)

    def test_it_leaves_activations_as_they_are(self) -> None:
        """They are the model's own tensors."""
        stream = stream_of(0)
        self.fed(stream)
        assert torch.equal(stream[3], stream_of(0)[3])
