"""Does a study run from the terminal, write what it promises, repeat itself, and lose nothing on bad input?"""

import csv
import dataclasses
import json
from pathlib import Path

import matplotlib.image
import pytest
import tiny
import torch
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.core import _store as store
from value_lens.data import write_jsonl
from value_lens.errors import DataError, OutputError
from value_lens.study import Study, run_study
from value_lens.study._folder import file_name

terminal = CliRunner()


@pytest.fixture
def data(tmp_path, texts, dilemmas):
    write_jsonl(tmp_path / "texts.jsonl", texts)
    write_jsonl(tmp_path / "dilemmas.jsonl", dilemmas)
    return {"texts": str(tmp_path / "texts.jsonl"), "dilemmas": str(tmp_path / "dilemmas.jsonl")}


def arguments(folders, data, out, *more):
    given = [
        "run",
        "--model",
        str(folders["llama"]),
        "--out",
        str(out),
        "--controls",
        "2",
        "--method",
        "opposition",
        "--threshold",
        "0.1",
    ]
    for name, path in data.items():
        given += [f"--{name}", path]
    return [*given, *map(str, more)]


def without_times(path):
    found = json.loads(path.read_text())
    found["collect"] = None
    return found


def test_files_and_summary(folders, data, tmp_path, texts, dilemmas):
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "out", "--site", "gate"))
    assert result.exit_code == 0, result.output
    out = tmp_path / "out"
    names = {path.name for path in out.iterdir()}
    assert names == {
        "summary.json",
        "stats.safetensors",
        "neurons",
        "matrix.csv",
        "effects_en.png",
        "effects_zh.png",
        "layers.png",
    }
    assert {path.name for path in (out / "neurons").iterdir()} == {"honesty.json", "care.json", "duty.json"}

    summary = json.loads((out / "summary.json").read_text())
    stats = vl.FiringStats.load(out / "stats.safetensors")
    assert summary["model"]["site"] == stats.site == "gate"
    assert (summary["model"]["n_layers"], summary["model"]["d_mlp"]) == (3, 37)
    assert summary["corpus"]["n_texts"] == len(texts) and summary["corpus"]["n_dilemmas"] == len(dilemmas)
    assert summary["corpus"]["n_tokens"] == int(stats.n_tokens.sum())
    assert summary["collect"]["tokens_per_second"] > 0
    chosen = vl.select(vl.opposition(stats), vl.threshold_rule(0.1))
    for value, neurons in chosen.items():
        assert vl.NeuronSet.load(out / "neurons" / f"{value}.json") == neurons
        assert summary["methods"]["opposition"]["n_neurons"][value] == len(neurons)
    assert summary["methods"]["vape"]["average_precision"] is None
    english = summary["support"]["en"]
    assert set(english) >= {"clean", "ablated", "control", "interval"}
    low, mean, high = english["control"]["care"]["honesty"]
    assert 0 <= low <= mean <= high <= 1
    low, high = english["interval"]["care"]["honesty"]
    assert low <= english["ablated"]["care"]["honesty"] - english["clean"]["honesty"] <= high

    with (out / "matrix.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 2
    for picture in ("effects_en.png", "layers.png"):
        assert matplotlib.image.imread(out / picture).std() > 0.01
    assert "Support rate, en" in result.output and "matched random neurons" in result.output


def test_same_seed_same_files(folders, data, tmp_path):
    study = Study.from_options(dict(model=str(folders["gpt2"]), controls=2, n_neurons=8, **data))
    for name in ("first", "second"):
        run_study(study, tmp_path / name)
    first, second = tmp_path / "first", tmp_path / "second"
    assert without_times(first / "summary.json") == without_times(second / "summary.json")
    for name in ("stats.safetensors", "matrix.csv", "neurons/care.json", "layers.png", "effects_en.png"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--values", "bravery"], "unknown value 'bravery'; known: care, duty, honesty"),
        (["--languages", "fr"], "unknown language 'fr'; known: en, zh"),
        (["--site", "resid"], "unknown site 'resid'; known: post, gate"),
        (["--method", "magic"], "unknown method 'magic'"),
        (["--engine", "onnx"], "unknown engine 'onnx'"),
        (["--scoring", "essay"], "unknown scoring 'essay'"),
        (["--n-neurons", "0"], "n_neurons is 0"),
        (["--n-neurons", "9", "--top", "2"], "top is 2.0; give a share above 0 and not above 1"),
        (["--n-neurons", "9", "--filter", "nan"], "filter is nan"),
        (["--n-neurons", "9", "--bar", "-1"], "bar is -1.0"),
        (["--n-neurons", "9", "--threshold", "nan"], "threshold is nan"),
        (["--seed", "-1"], "seed is -1; give a whole number from 0 to 2**63 - 1"),
        (["--seed", str(2**63)], "seed is 9223372036854775808"),
        (["--fillings", "some"], "unknown fillings 'some'; known: all, training, held_out"),
        (["--device", "toaster"], "unknown device 'toaster'; known: cpu"),
        (["--device", "meta"], "unknown device 'meta'; known: cpu"),
        (["--device", "cuda:99"], "unknown device 'cuda:99'; known: cpu"),
        (["--per-value", "0"], "per_value is 0; give a count of at least 1, or 'all'"),
        (["--controls", "-1"], "controls is -1; give a count of at least 0"),
        (["--texts", "nowhere.jsonl"], "no file nowhere.jsonl"),
    ],
)
def test_bad_settings_are_one_clear_line(folders, data, tmp_path, monkeypatch, options, message):
    monkeypatch.setattr("value_lens.study._run.load_model", lambda *a, **k: pytest.fail("work began"))
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "out", *options))
    assert result.exit_code == 1
    assert message in result.output + getattr(result, "stderr", "")
    assert "Traceback" not in result.output


def test_a_bad_line_is_named(folders, data, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text(
        '{"id": "a", "text": "the river", "value": "care", "aspect": "+", "language": "en"}\n{"id": "b", "text": ""}\n'
    )
    result = terminal.invoke(app, arguments(folders, {**data, "texts": str(path)}, tmp_path / "out"))
    assert result.exit_code == 1
    shown = result.output.replace("\n", " ")
    assert "bad.jsonl, line 2" in shown and "'value'" in shown


def test_an_output_that_cannot_be_written_is_found_before_the_work(folders, data, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("value_lens.study._run.load_model", lambda *a, **k: pytest.fail("work began"))
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "file" / "out"))
    assert result.exit_code == 1 and "cannot write" in result.output


def test_statistics_survive_a_failure_later(folders, data, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("value_lens.lens.ValueLens.experiment", fail)
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "out"))
    assert result.exit_code == 130 and "interrupted" in result.output
    assert vl.FiringStats.load(tmp_path / "out" / "stats.safetensors").site == "post"


def test_a_rule_that_chooses_nothing_says_so(folders, data, tmp_path):
    with pytest.raises(vl.ValueLensError, match="opposition chose no neurons for any value: its highest score is 0"):
        run_study(Study.from_options(dict(model=str(folders["gpt2"]), method="opposition", threshold=0.999, **data)), tmp_path)


def test_cut_texts_are_counted_and_said(folders, data, tmp_path, texts):
    long = [dataclasses.replace(text, text=" ".join([text.text] * 40)) for text in texts[:5]]
    write_jsonl(tmp_path / "long.jsonl", [*long, *texts[5:]])
    study = Study.from_options(
        dict(model=str(folders["gpt2"]), controls=0, n_neurons=4, **{**data, "texts": str(tmp_path / "long.jsonl")})
    )
    with pytest.raises(vl.ValueLensError, match="'t0' is .* tokens long, but the model's context is 96; shorten it"):
        run_study(study, tmp_path / "refused")
    result = run_study(study.with_options(dict(too_long="cut")), tmp_path / "cut")
    assert result.summary["corpus"]["n_texts_cut"] == 5
    assert "5 of 60 texts were longer than the model's context and were cut to it." in result.words


def test_a_run_on_merged_statistics_counts_the_texts_cut_in_every_part(folders, data, tmp_path, texts, monkeypatch):
    long = [dataclasses.replace(text, text=" ".join([text.text] * 40)) for text in texts[:5]]
    path = write_jsonl(tmp_path / "long.jsonl", [*long, *texts[5:]])
    collect = vl.ValueLens.collect

    def in_shards(lens, given, **options):
        """Three shards, merged in the order that nests."""
        first, second, third = (collect(lens, given[k::3], **options) for k in range(3))
        return first.merge(second.merge(third))

    monkeypatch.setattr("value_lens.lens.ValueLens.collect", in_shards)
    study = Study.from_options(
        dict(model=str(folders["gpt2"]), controls=0, n_neurons=4, too_long="cut", **{**data, "texts": str(path)})
    )
    result = run_study(study, tmp_path / "out")
    assert result.summary["corpus"]["n_texts_cut"] == result.stats.n_texts_cut == 5
    assert "5 of 60 texts were longer than the model's context and were cut to it." in result.words


def test_half_precision_runs(folders, data, tmp_path):
    result = run_study(
        Study.from_options(dict(model=str(folders["llama"]), dtype="bfloat16", controls=1, method="vape", n_neurons=5, **data)),
        tmp_path,
    )
    assert result.matrix.scores.clean.dtype == torch.float64
    assert all(len(neurons) == 5 for neurons in result.sets.values())


def test_texts_of_one_aspect_still_serve_vape(folders, data, tmp_path, texts):
    upheld = [text for text in texts if text.aspect == "+"]
    write_jsonl(tmp_path / "upheld.jsonl", upheld)
    given = {**data, "texts": str(tmp_path / "upheld.jsonl")}
    result = run_study(
        Study.from_options(dict(model=str(folders["gpt2"]), controls=1, method="vape", n_neurons=4, **given)), tmp_path / "out"
    )
    assert "opposition" not in result.summary["methods"]
    with pytest.raises(vl.ValueLensError, match="needs texts of both aspects"):
        run_study(Study.from_options(dict(model=str(folders["gpt2"]), method="opposition", **given)), tmp_path / "out")


def test_a_method_that_does_not_apply_is_refused_before_the_model_is_loaded(data, tmp_path):
    with pytest.raises(DataError, match="method 'vape' does not apply: it needs at least two values"):
        run_study(Study.from_options(dict(model="no/model", values=("care",), **data)), tmp_path)


@pytest.mark.parametrize(("controls", "most"), [(0, 135), (2, 67)])
def test_more_neurons_than_the_model_has_are_refused_before_the_counting(folders, data, tmp_path, monkeypatch, controls, most):
    monkeypatch.setattr("value_lens.lens.ValueLens.collect", lambda *a, **k: pytest.fail("counting began"))
    study = Study.from_options(dict(model=str(folders["gpt2"]), n_neurons=most + 1, controls=controls, **data))
    with pytest.raises(DataError, match=f"n_neurons is {most + 1}, but the model has 135 neurons.*; give at most {most}"):
        run_study(study, tmp_path)


@pytest.mark.parametrize("name", ["summary.json", "matrix.csv", "layers.png", "effects_en.png", "neurons/care.json"])
def test_a_folder_in_the_way_of_a_file_is_found_before_the_work(data, tmp_path, name):
    (tmp_path / "out" / name).mkdir(parents=True)
    with pytest.raises(OutputError, match=f"{name} is a folder, but a run writes a file of that name"):
        run_study(Study.from_options(dict(model="no/model", **data)), tmp_path / "out")


def test_a_file_in_the_way_of_a_folder_is_found_before_the_work(data, tmp_path):
    (tmp_path / "neurons").write_text("mine")
    with pytest.raises(OutputError, match="neurons is a file, but a run writes a folder of that name"):
        run_study(Study.from_options(dict(model="no/model", **data)), tmp_path)


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_used_again_holds_one_run(folders, data, tmp_path):
    study = Study.from_options(dict(model=str(folders["llama"]), controls=0, n_neurons=4, **data))
    run_study(study, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    fewer = study.with_options(dict(values=("honesty", "care"), languages=("en",)))
    run_study(fewer, tmp_path / "out")
    run_study(fewer, tmp_path / "fresh")
    assert files_in(tmp_path / "out") == files_in(tmp_path / "fresh") | {"notes.txt"}
    assert "neurons/duty.json" not in files_in(tmp_path / "out")


def test_a_run_that_fails_leaves_an_earlier_one_whole_or_none_of_it(folders, data, tmp_path, monkeypatch):
    study = Study.from_options(dict(model=str(folders["llama"]), controls=0, n_neurons=4, **data))
    run_study(study, tmp_path)
    before = files_in(tmp_path)
    with pytest.raises(vl.ValueLensError):
        run_study(study.with_options(dict(model="no/model")), tmp_path)
    assert files_in(tmp_path) == before

    def fail(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("value_lens.lens.ValueLens.experiment", fail)
    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path)
    assert files_in(tmp_path) == {"stats.safetensors", "texts.jsonl", "dilemmas.jsonl"}


def test_a_picture_that_fails_loses_nothing_else(folders, data, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("no font")

    monkeypatch.setattr("value_lens.core.EffectMatrix.plot", fail)
    with pytest.raises(RuntimeError, match="no font"):
        run_study(Study.from_options(dict(model=str(folders["llama"]), controls=0, n_neurons=4, **data)), tmp_path / "out")
    assert files_in(tmp_path / "out") >= {"summary.json", "matrix.csv", "stats.safetensors", "neurons/care.json"}


def test_rows_skipped_are_counted_and_said(folders, data, tmp_path):
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text((tmp_path / "texts.jsonl").read_text() + '{"id": "x"}\n{"id": "y"}\n')
    study = Study.from_options(
        dict(model=str(folders["gpt2"]), controls=0, n_neurons=4, skip_bad=True, **{**data, "texts": str(mixed)})
    )
    result = run_study(study, tmp_path / "out")
    assert result.summary["corpus"]["n_rows_skipped"] == {"texts": 2, "dilemmas": 0}
    beside = tmp_path / "mixed.bad-texts.jsonl"
    assert f"2 of 62 rows of {mixed} could not be used; they stand in {beside}." in result.words
    assert len(beside.read_text().splitlines()) == 2

    mixed.write_text((tmp_path / "texts.jsonl").read_text())
    result = run_study(study, tmp_path / "out")
    assert result.summary["corpus"]["n_rows_skipped"] == {"texts": 0, "dilemmas": 0} and not beside.exists()


@pytest.mark.parametrize("scoring", ["label", "continuation"])
def test_dilemmas_beyond_the_context_are_named_together_before_the_counting(
    folders, data, tmp_path, dilemmas, monkeypatch, scoring
):
    monkeypatch.setattr("value_lens.lens.ValueLens.collect", lambda *a, **k: pytest.fail("counting began"))
    long = [dataclasses.replace(d, scenario=" ".join([d.scenario] * 60)) for d in dilemmas[:7]]
    path = write_jsonl(tmp_path / "long.jsonl", [*long, *dilemmas[7:]])
    study = Study.from_options(dict(model=str(folders["llama"]), scoring=scoring, **{**data, "dilemmas": str(path)}))
    with pytest.raises(DataError) as found:
        run_study(study, tmp_path / "out")
    first, *told = str(found.value).splitlines()
    assert first == "7 of 16 dilemmas cannot be used:" and len(told) == 7
    for place, line in enumerate(told):
        assert line.startswith(f"  text 'd{place}' is ") and "tokens long, but the model's context is 96; shorten it" in line


def test_file_names_are_safe_and_distinct():
    assert file_name("rule_of_law") == "rule_of_law"
    names = {file_name(name) for name in ("a/b", "a b", "a:b", "../x", "爱国", "")}
    assert len(names) == 6 and not any("/" in name or name.startswith(".") for name in names)


def test_values_and_version_commands():
    assert "patriotism" in terminal.invoke(app, ["values"]).output
    assert vl.__version__ in terminal.invoke(app, ["version"]).output


def test_a_published_data_set_is_named_with_its_licence_and_bad_rows_are_kept_beside(folders, tmp_path):
    rows = ["scenario_id,ambiguity,generation_rule,context,action1,action2"]
    rows += [f"C{k},low,Keep promise {k % 2},the river {k},help {k},wait {k}" for k in range(8)] + [
        "C9,low,Keep promise 1,,help,wait"
    ]
    (tmp_path / "moralchoice_low_ambiguity.csv").write_text("\n".join(rows) + "\n")
    texts = [
        vl.LabelledText(id=f"t{k}", text=text, value=f"Keep promise {k % 2}", aspect="+-"[k // 2 % 2], language="en")
        for k, text in enumerate(tiny.sentences(24, longest=9))
    ]
    study = Study.from_options(dict(
        model=str(folders["llama"]), texts=str(write_jsonl(tmp_path / "texts.jsonl", texts)),
        dilemmas=f"moralchoice:{tmp_path / 'moralchoice_low_ambiguity.csv'}", n_neurons=3, controls=1, skip_bad=True,
    ))  # fmt: skip
    result = run_study(study, tmp_path / "out")
    assert any("MoralChoice (low ambiguity) is used under its licence: MIT" in sentence for sentence in result.words)
    assert "field 'context' is missing" in (tmp_path / "moralchoice_low_ambiguity.bad-dilemmas.jsonl").read_text()
    with pytest.raises(DataError, match="line 10: field 'context' is missing"):
        run_study(study.with_options(dict(skip_bad=False)), tmp_path / "out2")


class FullDisk:
    """A disk that has no room for files of some endings; `written` holds the name of every other file, in order."""

    def __init__(self, monkeypatch, *too_large):
        self.too_large, self.written, self.write = too_large, [], store.write_atomically
        monkeypatch.setattr(store, "write_atomically", self)
        monkeypatch.setattr("value_lens.study._output.write_atomically", self)

    def __call__(self, path, content):
        if Path(path).suffix in self.too_large:
            raise OutputError(f"cannot write {path}: No space left on device; choose a folder you can write to")
        if not Path(path).name.startswith(".value_lens"):
            self.written.append(Path(path).name)
        return self.write(path, content)


def test_small_results_come_first_and_statistics_once(folders, data, tmp_path, monkeypatch):
    disk = FullDisk(monkeypatch)
    run_study(Study.from_options(dict(model=str(folders["llama"]), controls=0, n_neurons=4, **data)), tmp_path / "out")
    assert disk.written[:3] == ["stats.safetensors", "matrix.csv", "summary.json"] and disk.written[-1] == "layers.png"
    assert len(set(disk.written)) == len(disk.written) == len(files_in(tmp_path / "out"))


@pytest.mark.parametrize("too_large", [[".png"], [".png", ".safetensors"], [".safetensors"]])
def test_a_disk_that_fills_up_keeps_all_that_fits(folders, data, tmp_path, monkeypatch, too_large):
    disk = FullDisk(monkeypatch, *too_large)
    with pytest.raises(OutputError, match=f"{too_large[-1]}: No space left on device"):
        run_study(Study.from_options(dict(model=str(folders["llama"]), controls=0, n_neurons=4, **data)), tmp_path / "out")
    small = {"matrix.csv", "summary.json", *(f"neurons/{value}.json" for value in ("honesty", "care", "duty"))}
    assert small <= files_in(tmp_path / "out") and ("stats.safetensors" in disk.written) == (too_large == [".png"])


def test_what_a_model_folder_states_wrongly_is_found_before_the_work(folders, data, tmp_path, monkeypatch):
    monkeypatch.setattr("value_lens.study._run.load_model", lambda *a, **k: pytest.fail("work began"))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "true_neurons.json").write_text('{"site": "post"}')
    with pytest.raises(vl.ValueLensError, match="true_neurons.json (?s:.*)field 'neurons' is missing"):
        run_study(Study.from_options(dict(model=str(tmp_path / "model"), **data)), tmp_path / "out")


def test_a_value_of_any_length_has_its_file(folders, data, tmp_path, texts, dilemmas):
    long = "x" * 300
    renamed = [
        [dataclasses.replace(r, value=long if r.value == "care" else r.value) for r in some] for some in (texts, dilemmas)
    ]
    given = {name: str(write_jsonl(tmp_path / f"{name}.l.jsonl", some)) for name, some in zip(data, renamed, strict=True)}
    run_study(Study.from_options(dict(model=str(folders["llama"]), controls=0, n_neurons=4, **given)), tmp_path / "out")
    assert vl.NeuronSet.load(tmp_path / "out" / "neurons" / f"{file_name(long)}.json").provenance["value"] == long
