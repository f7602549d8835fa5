"""Do the accumulators keep their contract?"""

import pytest

from value_lens.collect import FiringAccumulator, PostAccumulator
from value_lens.testing import AccumulatorContract
from value_lens.testing._accumulators import D_MLP, GROUPS, N_LAYERS, stream_of

SHAPE = (N_LAYERS, D_MLP)


class TestFiring(AccumulatorContract):
    def accumulator(self):
        return FiringAccumulator(GROUPS, SHAPE, site="post", model="m")


class TestFiringByBlocks(AccumulatorContract):
    def accumulator(self):
        return FiringAccumulator(GROUPS, SHAPE, site="gate", n_blocks=3, is_post=True)


class TestSigns(AccumulatorContract):
    def accumulator(self):
        return FiringAccumulator(GROUPS, SHAPE, site="gate", moments=False)


class TestPost(AccumulatorContract):
    def accumulator(self):
        return PostAccumulator(GROUPS, SHAPE)


class Forgetful(PostAccumulator):
    """Keeps its last batch alone."""

    def begin(self, batch, groups):
        super().begin(batch, groups)
        self.sums.zero_()


def test_the_suite_sees_an_accumulator_that_forgets():
    class Suite(AccumulatorContract):
        def accumulator(self):
            return Forgetful(GROUPS, SHAPE)

    assert len(stream_of(0)[0]) > 4
    with pytest.raises(AssertionError):
        Suite().test_a_stream_is_the_whole()
