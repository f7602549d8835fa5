"""Is a strategy of one's own, in ten lines, known to the facade, the terminal, the study and the contract suites?"""

import pytest
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.core._registry import entries_now, put_back
from value_lens.study import Study
from value_lens.testing import InterventionContract, MeasureContract, MethodContract

OWN = """
import value_lens as vl
from value_lens.model import encode

@vl.methods.register("rate", help="How often the neuron fires.")
def rate(stats):
    return vl.NeuronScores("rate", stats.values, stats.probability(), stats.site, stats.model)

@vl.interventions.register("flip", help="The other sign.")
def flip():
    return vl.pointwise("flip", lambda activations, context: -activations)

@vl.measures.register("ending", help="How likely the last token of the scenario is.")
def ending():
    def encoded(lens, items):
        texts = [encode(lens, item.scenario, origin=place) for place, item in enumerate(items)]
        scored = [vl.ScoredText(t, t.origin, ((len(t.ids) - 2, t.ids[-1], 1.0),)) for t in texts]
        return vl.TokenTask([item.id for item in items], scored)
    return vl.Measure("ending", encoded, "nats")
"""


@pytest.fixture
def own(tmp_path):
    before = entries_now()
    path = tmp_path / "own.py"
    path.write_text(OWN, encoding="utf-8")
    yield path, vl.load_strategies(path)
    put_back(before)


def laws(suite):
    return [getattr(suite, name) for name in dir(suite) if name.startswith("test_")]


def test_they_are_in_the_facade_and_keep_their_contracts(own, lens, texts, dilemmas):
    assert {entry.name for entry in own[1]} == {"rate", "flip", "ending"}
    assert "rate" in vl.methods and "flip" in vl.interventions and "ending" in vl.measures
    for law in laws(MethodContract()):
        law(vl.methods["rate"])
    for law in laws(InterventionContract()):
        law(vl.interventions["flip"], lens, texts)
    for law in laws(MeasureContract()):
        law(vl.measures["ending"], lens, dilemmas[:4])


@pytest.mark.parametrize(
    ("suite", "name"),
    [(MethodContract, "method"), (InterventionContract, "intervention"), (MeasureContract, "measure")],
)
def test_the_suites_take_them_up(own, suite, name):
    class Metafunc:
        fixturenames = (name,)

        def parametrize(self, argument, entries, ids):
            self.ids = (argument, *ids)

    metafunc = Metafunc()
    suite().pytest_generate_tests(metafunc)
    assert metafunc.ids[0] == name and {"method": "rate", "intervention": "flip", "measure": "ending"}[name] in metafunc.ids


def test_the_terminal_and_the_study_know_them(own):
    shown = CliRunner().invoke(app, ["run", "--use", str(own[0]), "--help"], env={"COLUMNS": "250", "TERM": "dumb"}).output
    words = " ".join(shown.replace("│", " ").split())
    assert "rate: How often the neuron fires." in words
    assert "flip: The other sign." in words
    study = Study.from_options({"model": "x", "method": "rate", "intervention": "flip", "n_neurons": 4})
    assert (study.locate.method, study.experiment.intervention) == ("rate", "flip")


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (lambda activations, context: activations.mul_(0), "test_it_is_pure"),
        (lambda activations, context: activations.double(), "test_it_keeps_shape_dtype_and_device"),
        (lambda activations, context: activations - activations.mean(1, keepdim=True), "test_it_does_the_same_with_a_cache"),
    ],
    ids=["writes", "widens", "looks ahead"],
)
def test_the_suite_sees_an_intervention_that_breaks_its_contract(own, lens, texts, change, law):
    vl.interventions.register("broken")(lambda: vl.pointwise("broken", change))
    with pytest.raises(AssertionError):
        getattr(InterventionContract(), law)(vl.interventions["broken"], lens, texts)
