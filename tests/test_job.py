"""Does the main job run from the terminal, write what it promises, repeat itself, and lose nothing on bad input?"""

import csv
import dataclasses
import json

import matplotlib.image
import pytest
import tiny
import torch
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.corpus import write_jsonl
from value_lens.errors import DataError
from value_lens.job import Job, file_name, run_job

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
    job = Job(model=str(folders["gpt2"]), controls=2, n_neurons=8, **data)
    for name in ("first", "second"):
        run_job(job, tmp_path / name)
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
        (["--texts", "nowhere.jsonl"], "no file nowhere.jsonl"),
    ],
)
def test_bad_settings_are_one_clear_line(folders, data, tmp_path, options, message):
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
    monkeypatch.setattr("value_lens.job.load_model", lambda *a, **k: pytest.fail("work began"))
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "file" / "out"))
    assert result.exit_code == 1 and "cannot write" in result.output


def test_statistics_survive_a_failure_later(folders, data, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("value_lens.lens.ValueLens.support_matrix", fail)
    result = terminal.invoke(app, arguments(folders, data, tmp_path / "out"))
    assert result.exit_code == 130 and "interrupted" in result.output
    assert vl.FiringStats.load(tmp_path / "out" / "stats.safetensors").site == "post"


def test_a_rule_that_chooses_nothing_says_so(folders, data, tmp_path):
    with pytest.raises(vl.ValueLensError, match="opposition chose no neurons for any value: its highest score is 0"):
        run_job(Job(model=str(folders["gpt2"]), method="opposition", threshold=0.999, **data), tmp_path)


def test_cut_texts_are_counted_and_said(folders, data, tmp_path, texts):
    long = [dataclasses.replace(text, text=" ".join([text.text] * 40)) for text in texts[:5]]
    write_jsonl(tmp_path / "long.jsonl", [*long, *texts[5:]])
    job = Job(model=str(folders["gpt2"]), controls=0, n_neurons=4, **{**data, "texts": str(tmp_path / "long.jsonl")})
    with pytest.raises(vl.ValueLensError, match="'t0' is .* tokens long, but the model's context is 96; shorten it"):
        run_job(job, tmp_path / "refused")
    result = run_job(dataclasses.replace(job, too_long="cut"), tmp_path / "cut")
    assert result.summary["corpus"]["n_texts_cut"] == 5
    assert "5 of 60 texts were longer than the model's context and were cut to it." in result.words


def test_half_precision_runs(folders, data, tmp_path):
    result = run_job(
        Job(model=str(folders["llama"]), dtype="bfloat16", controls=1, method="vape", n_neurons=5, **data), tmp_path
    )
    assert result.matrix.clean_margins.dtype == torch.float64
    assert all(len(neurons) == 5 for neurons in result.sets.values())


def test_texts_of_one_aspect_still_serve_vape(folders, data, tmp_path, texts):
    upheld = [text for text in texts if text.aspect == "+"]
    write_jsonl(tmp_path / "upheld.jsonl", upheld)
    given = {**data, "texts": str(tmp_path / "upheld.jsonl")}
    result = run_job(Job(model=str(folders["gpt2"]), controls=1, method="vape", n_neurons=4, **given), tmp_path / "out")
    assert "opposition" not in result.summary["methods"]
    with pytest.raises(vl.ValueLensError, match="needs texts of both aspects"):
        run_job(Job(model=str(folders["gpt2"]), method="opposition", **given), tmp_path / "out")


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
        vl.LabelledText(f"t{k}", text, f"Keep promise {k % 2}", "+-"[k // 2 % 2], "en")
        for k, text in enumerate(tiny.sentences(24, longest=9))
    ]
    job = Job(
        model=str(folders["llama"]), texts=str(write_jsonl(tmp_path / "texts.jsonl", texts)),
        dilemmas=f"moralchoice:{tmp_path / 'moralchoice_low_ambiguity.csv'}", n_neurons=3, controls=1, skip_bad=True,
    )  # fmt: skip
    result = run_job(job, tmp_path / "out")
    assert any("MoralChoice (low ambiguity) is used under its licence: MIT" in sentence for sentence in result.words)
    assert "field 'context' is missing" in (tmp_path / "moralchoice_low_ambiguity.bad-dilemmas.jsonl").read_text()
    with pytest.raises(DataError, match="line 10: field 'context' is missing"):
        run_job(dataclasses.replace(job, skip_bad=False), tmp_path / "out2")
