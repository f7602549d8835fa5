"""Are settings of intervals and p-values that mean nothing refused?"""

import pytest

import value_lens as vl
from value_lens.errors import DataError


@pytest.mark.parametrize("change", [{"n_resamples": 0}, {"level": 0.0}, {"level": 1.0}, {"level": 95.0}])
def test_settings_that_mean_nothing_are_refused(change):
    with pytest.raises(DataError, match="n_resamples must be positive and level between 0 and 1, got"):
        vl.Inference(**change)
