"""Presets are the published methods with their published rules, and methods tell what they need."""

import pytest
import torch

import value_lens as vl
from value_lens.errors import DataError
from value_lens.locate import default_rule

GROUPS = [(value, aspect, "en") for value in ("care", "duty", "honesty") for aspect in "+-"]


def stats(groups=GROUPS, seed=0):
    draw = torch.Generator().manual_seed(seed)
    fired = torch.randint(0, 101, (len(groups), 2, 30), generator=draw)
    return vl.FiringStats.from_counts(groups, [100] * len(groups), fired, site="gate", model="m")


def test_presets_select_as_published():
    found = {name: preset(stats()) for name, preset in vl.presets.items()}
    assert found["vape"] == vl.select(
        vl.vape(stats(), dtype=torch.float32), vl.vape_rule(filter=0.95, top=0.01, bar=0.95, ties="first")
    )
    assert found["threshold"] == vl.select(vl.opposition(stats()), vl.threshold_rule(0.03))
    assert found["npti"] == vl.select(vl.opposition(stats()), vl.npti_rule(threshold=0.1, at_least=2000))
    assert all(preset.site == "gate" and preset.source for preset in vl.presets.values())


@pytest.mark.parametrize(
    ("name", "groups", "words"),
    [
        ("vape", GROUPS[:2], "needs at least two values"),
        ("opposition", GROUPS[:3], r"needs texts of both aspects \('\+' and '-'\) of every value"),
    ],
)
def test_a_method_refuses_statistics_that_lack_what_it_needs(name, groups, words):
    assert vl.methods[name].applies(stats().groups) and not vl.methods[name].applies(stats(groups).groups)
    with pytest.raises(DataError, match=f"method '{name}' does not apply: it {words}"):
        vl.methods[name](stats(groups))


def test_the_default_rule_is_the_methods_own():
    assert default_rule("vape").name == "vape" and default_rule("opposition").params == vl.threshold_rule(0.03).params
    assert vl.select(vl.methods["opposition"](stats())) == vl.presets["threshold"](stats())


def test_without_a_rule_of_its_own_a_method_wants_one(monkeypatch):
    entry = vl.methods["vape"]
    monkeypatch.setitem(vl.methods._entries, "bare", type(entry)(name="bare", object=vl.vape, help=""))
    with pytest.raises(DataError, match="method 'bare' has no default rule; give one"):
        default_rule("bare")
