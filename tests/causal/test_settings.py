"""Settings of controls, intervals and p-values that mean nothing are refused, and each default is stated once."""

import dataclasses
import inspect

import pytest
import torch

import value_lens as vl
from value_lens.causal import as_controls
from value_lens.causal._bins import Bins
from value_lens.errors import DataError, UnknownNameError
from value_lens.study import Study


@pytest.mark.parametrize("change", [{"n": 0}, {"n": 10**6 + 1}, {"level": 0.0}, {"level": 1.0}, {"level": 95.0}])
def test_resampling_that_means_nothing_is_refused(change):
    with pytest.raises(DataError, match="resampling needs n from 1 to 1,000,000 and a level between 0 and 1, got"):
        vl.Resampling(**change)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"n": -1}, DataError, "the number of controls is -1; give a count of at least 0"),
        ({"seed": -1}, DataError, "the seed of controls is -1; give a whole number from 0"),
        ({"match": ("layer", "size")}, UnknownNameError, "unknown match of controls 'size'; known: layer, rate, loudness"),
        ({"match": ("rate",)}, DataError, r"controls are always drawn within layers, but match is \('rate',\); add 'layer'"),
    ],
)
def test_controls_that_mean_nothing_are_refused(change, error, told):
    with pytest.raises(error, match=told):
        vl.Controls(**change)
    with pytest.raises(DataError, match="the seed of resampling is -1"):
        vl.Resampling(seed=-1)


def test_settings_are_frozen_and_a_number_is_short_for_controls():
    assert as_controls(7) == vl.Controls(n=7) and as_controls(vl.Controls(seed=3)).seed == 3
    for settings in (vl.Controls(), vl.Resampling()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            settings.n = 1


def test_the_default_number_of_controls_is_one_wherever_it_can_be_given():
    assert inspect.signature(vl.ValueLens.support_matrix).parameters["controls"].default == vl.Controls()
    assert Study.from_options({"model": "x"}).experiment.controls == vl.Controls().n


def test_what_is_not_matched_has_one_bin():
    rate, loudness = torch.rand(2, 400, dtype=torch.float64), torch.rand(2, 400, dtype=torch.float64)
    rows, columns = Bins.build(rate, loudness).shape[1:]
    assert rows > 1 and columns > 1
    assert Bins.build(rate, loudness, by_rate=False).shape[2] == 1 < Bins.build(rate, loudness, by_rate=False).shape[1]
    assert Bins.build(rate).shape[1] == 1 < Bins.build(rate).shape[2]
    assert Bins.build(rate, by_rate=False).shape == (2, 1, 1)
