"""Strategies are known by name, refused by name, and loaded from plug-ins and a user's own file."""

import sys
from importlib.metadata import EntryPoint

import pytest

import value_lens as vl
from value_lens.core import Entry, Registry
from value_lens.core import _registry as registry_module
from value_lens.errors import StrategyError, UnknownNameError, ValueLensError

METHOD = """
import value_lens as vl

@vl.methods.register("loudest", source="a blog")
def loudest(stats: vl.FiringStats, *, power: float = 2.0) -> vl.NeuronScores:
    '''Rate to a power.

    Args:
        power: how steep.
    '''
    return vl.NeuronScores("loudest", stats.values, stats.probability() ** power, stats.site, stats.model)
"""


@pytest.fixture(autouse=True)
def as_before():
    """What a test registers is gone after it."""
    before = registry_module.entries_now()
    yield
    registry_module.put_back(before)


@pytest.fixture
def colours(monkeypatch):
    monkeypatch.setattr(registry_module, "REGISTRIES", [])
    return Registry("colour", Entry)


def write(folder, text, name="mine.py"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def grey():
    """Between."""
    return "grey"


def slate():
    return "slate"


def test_a_strategy_is_registered_as_it_is_and_known_by_name(colours):
    assert colours.register("grey", source="here")(grey) is grey
    assert list(colours) == ["grey"] and len(colours) == 1 and "grey" in colours and "blue" not in colours
    assert colours["grey"]() == "grey"
    assert (colours["grey"].help, colours["grey"].source) == ("Between.", "here")
    assert "grey: Between." in repr(colours)


def test_two_objects_with_one_name_are_refused_with_both(colours):
    colours.register("grey")(grey)
    colours.register("grey")(grey)  # the same again is no other
    with pytest.raises(StrategyError, match=r"two colours have the name 'grey': test_registry\.grey and test_registry\.slate"):
        colours.register("grey")(slate)
    assert colours["grey"].object is grey


def test_a_notebook_cell_may_be_run_again(colours):
    for level in (1, 2):

        def cell(level=level):
            return level

        cell.__module__, cell.__qualname__ = "__main__", "cell"
        colours.register("cell")(cell)
    assert colours["cell"]() == 2


@pytest.mark.parametrize("name", ["", "two words", "a-b", "1st"])
def test_a_name_is_a_word(colours, name):
    with pytest.raises(StrategyError, match="is not a valid name of a colour"):
        colours.register(name)(grey)


@pytest.mark.parametrize("name", ["vapor", None, 3])
def test_an_unknown_name_is_told_with_the_known_ones(name):
    with pytest.raises(UnknownNameError, match=r"unknown method .*; known: opposition, vape"):
        vl.methods[name]


def test_parameters_and_inputs_are_read_off_the_signature(tmp_path):
    (entry,) = vl.load_strategies(write(tmp_path, "from __future__ import annotations\n" + METHOD))
    assert entry.inputs == ("stats",)
    power = entry.parameters["power"]
    assert (power.default, power.type, power.help, power.choices) == (2.0, float, "how steep.", ())
    assert vl.methods["vape"].rule_parameters["ties"].choices == ("first", "topk")


def test_every_option_of_a_rule_has_words():
    rules = [(name, p) for name, entry in vl.methods.items() for p in entry.rule_parameters.values()]
    assert len(rules) > 5 and [(name, p.name) for name, p in rules if not p.help] == []


def test_plugins_are_loaded_with_the_first_look(colours, monkeypatch):
    points = [EntryPoint("grey", "test_registry:grey", "g"), EntryPoint("lost", "test_registry:lost", "g")]
    asked = []
    monkeypatch.setattr(registry_module.metadata, "entry_points", lambda group: asked.append(group) or points)
    colours.group = "g"
    colours.register("slate")(slate)
    assert colours["slate"].object is slate and asked == []
    with pytest.warns(
        UserWarning, match=r"the colour 'lost' of a plug-in \(test_registry:lost\) could not be loaded: AttributeErr"
    ):
        assert list(colours) == ["grey", "slate"]
    assert colours["grey"].object is sys.modules["test_registry"].grey and asked == ["g"]


def test_a_plugin_with_a_name_that_is_taken_is_told(colours, monkeypatch):
    monkeypatch.setattr(
        registry_module.metadata, "entry_points", lambda group: [EntryPoint("grey", "test_registry:slate", "g")]
    )
    colours.group = "g"
    colours.register("grey")(grey)
    with pytest.warns(UserWarning, match=r"two colours have the name 'grey'"):
        assert len(colours) == 1
    assert colours["grey"].object is grey


def test_the_groups_are_named_after_the_registries():
    assert [vl.methods.group, vl.interventions.group] == ["value_lens.methods", "value_lens.interventions"]


def test_a_file_registers_its_own_and_may_be_loaded_again(tmp_path):
    path = write(tmp_path, METHOD)
    (entry,) = vl.load_strategies(path)
    assert entry is vl.methods["loudest"] and entry.source == "a blog"
    (second,) = vl.load_strategies(write(tmp_path, METHOD.replace("2.0", "3.0")))
    assert vl.methods["loudest"] is second and second.parameters["power"].default == 3.0


FAULTS = {
    "syntax": ("import value_lens as vl\ndef (", r"mine\.py, line 2 cannot be used: SyntaxError"),
    "error": (METHOD + "\n1 / 0\n", r"mine\.py, line 13 cannot be used: ZeroDivisionError: division by zero"),
    "import": ("import no_such_module_anywhere", r"mine\.py, line 1 cannot be used: ModuleNotFoundError"),
    "exit": ("import sys\nsys.exit(3)", r"mine\.py, line 2 cannot be used: SystemExit: 3"),
    "nothing": ("x = 1", r"mine\.py registers nothing; decorate a function"),
    "name": (METHOD.replace('"loudest", source', '"vape", source'), r"mine\.py, line 4 .*two methods have the name 'vape'"),
}


@pytest.mark.parametrize(("text", "words"), FAULTS.values(), ids=FAULTS)
def test_a_file_that_fails_is_named_and_leaves_nothing(tmp_path, text, words):
    with pytest.raises(ValueLensError, match=words):
        vl.load_strategies(write(tmp_path, text))
    assert list(vl.methods) == ["opposition", "vape"]


@pytest.mark.parametrize("path", ["nowhere.py", "."])
def test_what_is_no_python_file_is_told(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StrategyError, match="is not a Python file"):
        vl.load_strategies(path)
