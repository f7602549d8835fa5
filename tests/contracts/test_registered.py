"""Does everything that is registered keep its contract? The suites of `value_lens.testing`, on tiny models."""

import pytest

import value_lens as vl
from value_lens.testing import InterventionContract, MeasureContract, MethodContract


@pytest.fixture
def dilemmas(dilemmas):
    return dilemmas[:6]


class TestMethods(MethodContract):
    pass


class TestInterventions(InterventionContract):
    pass


class TestMeasures(MeasureContract):
    pass


def test_the_suites_go_through_all_that_is_registered(request):
    """Else a law would hold for nothing."""
    names = {item.callspec.id for item in request.session.items if "callspec" in dir(item) and item.fspath == request.fspath}
    for registry in (vl.methods, vl.interventions, vl.measures):
        assert all(any(name in identity.split("-") for identity in names) for name in registry)
