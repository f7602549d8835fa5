"""Do a user's own strategies and value system act in a study as the packaged ones do?"""

import csv
import json

import pytest
from test_config import SYSTEM
from test_run import arguments, data
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.core import _order
from value_lens.core._registry import entries_now, put_back
from value_lens.errors import DataError, UnknownNameError
from value_lens.study import Study, load_study, save_study

__all__ = ["data"]

terminal = CliRunner()
WIDE = {"COLUMNS": "250", "TERM": "dumb"}
OWN = """
from dataclasses import replace

import value_lens as vl
from value_lens.core import NeuronScores
from value_lens.intervene import pointwise

@vl.methods.register("{name}_method", help="Fires {name}.")
def method(stats):
    rates = stats.probability()
    return NeuronScores(method="{name}_method", values=stats.values, scores=rates, site=stats.site, model=stats.model, params={{}})

@vl.interventions.register("{name}_half", help="Half {name}.")
def half():
    return pointwise("{name}_half", lambda activations, context: activations / 2)

@vl.measures.register("{name}_less", help="Less {name}.")
def less():
    def encode(lens, items):
        swapped = [replace(item, aligned=item.violating, violating=item.aligned) for item in items]
        return vl.choice("continuation").encode(lens, swapped)
    return vl.Measure("{name}_less", encode, "nats")
"""


@pytest.fixture
def registered():
    """The registries are afterwards as they were."""
    before = entries_now()
    yield
    put_back(before)


@pytest.fixture
def unknown_systems(monkeypatch):
    """Systems that a test makes known are forgotten after it."""
    monkeypatch.setattr(_order, "_SYSTEMS", dict(_order._SYSTEMS))


@pytest.fixture
def own(tmp_path, registered):
    """(a file of strategies, the beginning of their names), of a name that no other test uses."""
    name = f"own{abs(hash(str(tmp_path)))}"
    path = tmp_path / "own.py"
    path.write_text(OWN.format(name=name))
    return path, name


@pytest.mark.parametrize("order", [("--use", "{}", "--help"), ("--help", "--use", "{}"), ("--use={}", "--help")])
def test_strategies_of_a_file_are_in_the_help_of_run(own, order):
    path, name = own
    assert f"{name}_method" not in terminal.invoke(app, ["run", "--help"], env=WIDE).output
    output = terminal.invoke(app, ["run", *(part.format(path) for part in order)], env=WIDE).output
    shown = " ".join(output.replace("│", " ").split())
    assert f"{name}_method: Fires {name}. It needs texts." in shown and f"{name}_half: Half {name}." in shown
    assert f"{name}_less: Less {name}" in shown and "choice: Preference for a dilemma's aligned option" in shown
    assert "vape: Few values make the neuron fire" in shown and "zero: Ablation to 0" in shown


def test_a_study_knows_them_and_a_file_loads_them(own, tmp_path):
    path, name = own
    settings = {
        "model": "x",
        "method": f"{name}_method",
        "intervention": f"{name}_half",
        "measure": f"{name}_less",
        "n_neurons": 4,
    }
    with pytest.raises(UnknownNameError, match=f"unknown method '{name}_method'; known: opposition"):
        Study.from_options(settings)
    study = Study.from_options({**settings, "use": [str(path)]})
    assert study.use == (str(path),) and f"{name}_method" in vl.methods
    assert load_study(save_study(study, tmp_path / "s.yaml")) == study == load_study(save_study(study, tmp_path / "s.json"))
    with pytest.raises(DataError, match="has no rule of its own; give n_neurons"):
        study.with_options({"n_neurons": None})


def test_a_configuration_file_may_choose_what_it_loads(own, tmp_path):
    path, name = own
    (tmp_path / "s.yaml").write_text(f"model: {{name: x}}\nlocate: {{method: {name}_method, n_neurons: 2}}\nuse: [{path}]\n")
    assert load_study(tmp_path / "s.yaml").locate.method == f"{name}_method"


@pytest.mark.parametrize("content", ["import nothing_of_that_name", "x = 1", None])
def test_a_file_that_cannot_be_used_is_one_clear_line(tmp_path, content, registered):
    path = tmp_path / "bad.py"
    if content is not None:
        path.write_text(content)
    for options in (["--help"], ["--model", "x", "--out", str(tmp_path / "out")]):
        result = terminal.invoke(app, ["run", "--use", str(path), *options], env=WIDE)
        assert result.exit_code == 1 and "error: " in result.output and "bad.py" in result.output.replace("\n", "")
        assert "Traceback" not in result.output


def test_they_run(folders, data, tmp_path, own):
    path, name = own
    more = [
        "--use",
        path,
        "--method",
        f"{name}_method",
        "--intervention",
        f"{name}_half",
        "--measure",
        f"{name}_less",
        "--n-neurons",
        4,
    ]
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "out", *more))
    assert result.exit_code == 0, result.output
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["ablation"]["method"] == f"{name}_method" and summary["ablation"]["edit"] == f"{name}_half"
    assert summary["ablation"]["measure"] == f"{name}_less" and "wordings" not in summary["ablation"]
    assert set(summary["methods"]) == {f"{name}_method", "opposition", "vape"}
    assert "effects_en.png" in {path.name for path in (tmp_path / "out").iterdir()}


def test_a_change_of_the_file_is_seen(own):
    path, name = own
    Study.from_options({"model": "x", "use": (str(path),)})
    path.write_text(OWN.format(name=f"{name}_again") + "\n# longer\n")
    Study.from_options({"model": "x", "use": (str(path),), "method": f"{name}_again_method", "n_neurons": 1})
    assert f"{name}_method" not in vl.methods


def test_what_a_study_cannot_give_is_refused(registered):
    @vl.interventions.register("needs_more")
    def needs_more(stats, target):
        return vl.zero()

    with pytest.raises(
        DataError, match="intervention 'needs_more' cannot be used in a study: it takes target; a study gives stats"
    ):
        Study.from_options({"model": "x", "intervention": "needs_more"})


def test_a_system_of_ones_own_gives_the_order_in_every_result(folders, data, tmp_path, unknown_systems):
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "out", "--system", SYSTEM), env=WIDE)
    assert result.exit_code == 0, result.output
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["corpus"]["values"] == ["duty", "honesty", "care"]
    assert list(vl.FiringStats.load(tmp_path / "out" / "stats.safetensors").values) == ["duty", "honesty", "care"]
    with (tmp_path / "out" / "matrix.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["ablated"] for row in rows)) == ["duty", "honesty", "care"]
    assert list(dict.fromkeys(row["evaluated"] for row in rows)) == ["honesty", "care"]


def test_a_system_that_cannot_be_used_is_found_before_the_work(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: x")
    with pytest.raises(DataError, match="bad.yaml .*(?s:.*)field 'values': expected a list of values"):
        Study.from_options({"model": "x", "system": str(tmp_path / "bad.yaml")})
