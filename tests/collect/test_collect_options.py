"""Are options of collecting refused when they mean nothing?"""

import inspect

import pytest

import value_lens as vl
from value_lens.collect import collect_firing
from value_lens.errors import DataError, UnknownNameError
from value_lens.model import LensModel, resolve_site


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"too_long": "foo"}, UnknownNameError, "unknown too_long 'foo'; known: refuse, cut"),
        ({"max_tokens": 0}, DataError, "max_tokens is 0; give at least 1"),
        ({"max_texts": -2}, DataError, "max_texts is -2; give at least 1"),
    ],
)
def test_an_option_that_means_nothing_is_refused(models, options, error, message):
    """Without the suite's own shape checks, which users do not have."""
    view = LensModel(models["bridge", "llama"])
    text = vl.LabelledText(id="a", text="the river", value="care", aspect="+", language="en")
    with pytest.raises(error, match=message):
        inspect.unwrap(collect_firing)(view, resolve_site(view, "post"), [text], **options)
