"""Is the configuration one thing in Python, in a file and in the terminal, and is every wrong setting named?"""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from value_lens.cli import app
from value_lens.errors import DataError, UnknownNameError
from value_lens.study import (
    DilemmasPart,
    ExperimentPart,
    LocatePart,
    ModelPart,
    SelectionPart,
    Study,
    load_study,
    save_study,
    study_options,
)

terminal = CliRunner()
SYSTEM = str(Path(__file__).parent / "system.yaml")
OTHER = {  # for every option a setting that is not its default
    "model": "a: b #c",
    "engine": "hooked",
    "device": "cpu:0",
    "dtype": "bfloat16",
    "texts": "文本.jsonl",
    "per_group": 7,
    "dilemmas": "null",
    "per_value": "all",
    "values": ("care", "no", "1"),
    "languages": ("en", "zh"),
    "system": SYSTEM,
    "fillings": "held_out",
    "skip_bad": True,
    "site": "gate",
    "method": "opposition",
    "n_neurons": 12,
    "top": 0.5,
    "filter": 1.0,
    "bar": 0.25,
    "threshold": 1e-9,
    "measure": "choice",
    "intervention": "mean",
    "controls": 0,
    "scoring": "continuation",
    "wording": "clause",
    "too_long": "cut",
    "max_tokens": 1,
    "use": (),
    "out": "C:\\results",
    "seed": 2**63 - 1,
}


def printed(*arguments):
    result = terminal.invoke(app, ["config", *map(str, arguments)], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def on_command_line(settings):
    for name, setting in settings.items():
        option = f"--{name.replace('_', '-')}"
        if setting == ():
            continue
        yield from [option] if setting is True else [option, ",".join(setting) if isinstance(setting, tuple) else str(setting)]


def test_the_settings_of_these_tests_are_all_options_and_no_default():
    assert list(OTHER) == [option.name for option in study_options()]
    assert {option.name for option in study_options() if OTHER[option.name] == option.default} == {
        "use",
        "measure",
    }  # see test_use.py


def test_every_option_has_help_and_is_known_to_the_terminal():
    shown = terminal.invoke(app, ["run", "--help"], env={"COLUMNS": "250", "TERM": "dumb"}).output
    for option in study_options():
        assert option.help and f"--{option.name.replace('_', '-')}" in shown
    assert "(default: 100 of the bank, all of another source)" in shown and "(default: 0.95)" in shown


@pytest.mark.parametrize("ending", [".yaml", ".json"])
@pytest.mark.parametrize("settings", [{"model": "x"}, OTHER], ids=["defaults", "others"])
def test_terminal_file_and_python_set_the_same(tmp_path, settings, ending):
    study = Study.from_options(settings)
    assert study.to_options() == {option.name: settings.get(option.name, option.default) for option in study_options()}
    assert load_study(save_study(study, tmp_path / f"study{ending}")) == study
    (tmp_path / "printed.yaml").write_text(printed(*on_command_line(settings)), encoding="utf-8")
    assert load_study(tmp_path / "printed.yaml") == study
    again = printed("--config", tmp_path / f"study{ending}")
    assert again == (tmp_path / "printed.yaml").read_text(encoding="utf-8")


def test_the_parts_in_python_are_those_of_the_options():
    study = Study(
        model=ModelPart(name="x"),
        dilemmas=DilemmasPart(per_value="all"),
        selection=SelectionPart(values=("care",)),
        locate=LocatePart(method="opposition", threshold=0.1),
        experiment=ExperimentPart(controls=3),
        seed=4,
    )
    given = {
        "model": "x",
        "per_value": "all",
        "values": ("care",),
        "method": "opposition",
        "threshold": 0.1,
        "controls": 3,
        "seed": 4,
    }
    assert study == Study.from_options(given) and hash(study) == hash(Study.from_options(given))
    assert study.with_options({"controls": 5}) == dataclasses.replace(study, experiment=ExperimentPart(controls=5))


def test_what_is_printed_is_filled_in_and_explained():
    text = printed("--method", "opposition")
    assert yaml.safe_load(text)["locate"]["threshold"] == 0.03
    assert "# Opposition: least difference of firing probability." in text
    assert {option.path[-1] for option in study_options()} <= {line.split(":")[0].strip() for line in text.splitlines()}


def test_options_of_the_command_line_win_over_the_file(tmp_path):
    path = save_study(Study.from_options({"model": "x", "controls": 3, "seed": 5, "skip_bad": True}), tmp_path / "s.yaml")
    found = yaml.safe_load(printed("--config", path, "--controls", 0, "--per-value", "all", "--values", "care, duty"))
    assert found["experiment"]["controls"] == 0 and found["dilemmas"]["per_value"] == "all"
    assert found["selection"]["values"] == ["care", "duty"] and found["selection"]["skip_bad"] is True
    assert found["seed"] == 5 and found["model"]["name"] == "x"


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ("locate: {metod: vape}", ["unknown field 'locate.metod'; known: site, method"]),
        ("methods: vape", ["unknown field 'methods'; known: model, texts"]),
        ("locate: vape", ["field 'locate': expected an object with fields, got 'vape'"]),
        ("- 1", ["expected an object with fields, got [1]"]),
        ("experiment: {controls: '3'}", ["field 'experiment.controls': expected a whole number, got '3'"]),
        ("experiment: {controls: true}", ["field 'experiment.controls': expected a whole number, got True"]),
        ("experiment: {controls: null}", ["field 'experiment.controls': expected a whole number, got None"]),
        ("locate: {top: 0.1, bar: much}", ["field 'locate.bar': expected a number, got 'much'"]),
        ("locate: {method: magic}", ["field 'locate.method': unknown method 'magic'; known: "]),
        ("selection: {values: care}", ["field 'selection.values': expected a list of texts or null, got 'care'"]),
        ("selection: {languages: [no]}", ["field 'selection.languages': expected a list of texts or null, got (False,)"]),
        ("dilemmas: {per_value: some}", ["field 'dilemmas.per_value': expected a whole number or default or all, got 'some'"]),
        ("dilemmas: {per_value: 0}", ["field 'dilemmas.per_value': per_value is 0; give a count of at least 1, or 'all'"]),
        (
            "seed: 1\nlocate: {top: 3, x: 1}\nout: 4",
            ["'locate.top': top is 3", "unknown field 'locate.x'", "field 'out': expected"],
        ),
        ("seed: 1\nseed: 2", ["line 1: field 'seed' stands twice"]),
        ("seed: [", ["cannot be read: ParserError"]),
        ("seed: -1\nmodel: {name: x}", ["seed is -1; give a whole number from 0 to 2**63 - 1"]),
        ("model: {name: x, device: toaster}", ["unknown device 'toaster'; known: cpu"]),
        ("seed: 1", ["a study needs a model"]),
        ("", ["a study needs a model"]),
    ],
)
def test_a_wrong_file_is_named_with_its_fields(tmp_path, content, messages):
    path = tmp_path / "study.yaml"
    path.write_text(content)
    with pytest.raises(DataError) as error:
        load_study(path)
    assert str(path) in str(error.value)
    for message in messages:
        assert message in str(error.value)


def test_a_wrong_json_file_and_one_that_is_not_there_are_named(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"model": {"name": 3}}))
    with pytest.raises(DataError, match=r"s.json is not a valid configuration:\n  field 'model.name': expected a text, got 3"):
        load_study(tmp_path / "s.json")
    with pytest.raises(DataError, match="no file .*gone.yaml"):
        load_study(tmp_path / "gone.yaml")


def test_a_file_that_is_wrong_is_one_clear_line_in_the_terminal(tmp_path):
    (tmp_path / "s.yaml").write_text("model: {name: x}\nlocate: {top: 3}\n")
    result = terminal.invoke(app, ["run", "--config", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1 and "field 'locate.top': top is 3.0; give a share" in result.output.replace("\n", " ")
    assert "Traceback" not in result.output and not (tmp_path / "out").exists()


def test_options_and_names_that_do_not_exist_are_refused():
    with pytest.raises(UnknownNameError, match="unknown option of a study 'metod'; known: model, engine"):
        Study.from_options({"model": "x", "metod": "vape"})
    with pytest.raises(DataError, match="controls: expected a whole number, got '3'"):
        Study.from_options({"model": "x", "controls": "3"})


@pytest.mark.parametrize("missing", [["--out", "here"], ["--model", "x"]])
def test_a_run_needs_a_model_and_a_folder(missing):
    result = terminal.invoke(app, ["run", *missing])
    assert result.exit_code == 1 and "a study needs a " in result.output


@pytest.mark.parametrize("count", ["some", "1.5", "None"])
def test_a_number_of_records_that_is_none_is_told_how_to_say_all(count):
    result = terminal.invoke(app, ["config", "--per-value", count], env={"COLUMNS": "200"})
    assert result.exit_code == 2 and f"'{count}' is neither a whole number nor 'all'" in result.output


@pytest.mark.parametrize("option", ["--per-value", "--per-group"])
def test_what_a_message_advises_for_all_is_what_says_all(option):
    result = terminal.invoke(app, ["config", option, "0"], env={"COLUMNS": "200"})
    assert result.exit_code == 1 and (advised := result.output.split(", or ")[1].split()[0]) == "'all'"
    assert "all" in printed(option, advised.strip("'"))
