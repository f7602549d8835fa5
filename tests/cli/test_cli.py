"""Do the commands about corpora do in a terminal what the library does?"""

import json

import endpoint
import pytest
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.data import write_jsonl

terminal = CliRunner()


def invoke(*arguments, **options):
    return terminal.invoke(app, list(map(str, arguments)), env={"COLUMNS": "160", "TERM": "dumb"}, **options)


def test_values_are_shown_and_a_file_of_ones_own_is_checked(tmp_path):
    assert "rule_of_law" in invoke("values").output and "universalism" in invoke("values").output
    vl.save_system(vl.ValueSystem("mine", (vl.Value("care", {"en": "Care"}, "looking after others"),)), tmp_path / "mine.yaml")
    assert "looking after others" in invoke("values", "--system", tmp_path / "mine.yaml").output
    (tmp_path / "bad.yaml").write_text("name: x")
    found = invoke("values", "--system", tmp_path / "bad.yaml")
    assert found.exit_code == 1 and "field 'values': expected a list of values" in found.output


def test_sources_are_shown_with_their_licences():
    shown = invoke("sources").output
    for part in ("bank:schwartz", "moral_stories", "CC BY 4.0", "https://github.com/holi-lab/ValuePortrait", "NAME:PATH"):
        assert part in shown


def test_audit_shows_and_writes_its_page(tmp_path):
    path = write_jsonl(tmp_path / "some.jsonl", vl.load_dilemmas(selection=vl.Selection(values=["justice"], per_group=200)))
    found = invoke("audit", path, "--out", tmp_path / "page.txt", "--strict")
    page = (tmp_path / "page.txt").read_text(encoding="utf-8")
    assert found.exit_code == 0 and page in found.output
    assert "some.jsonl" in page and "Every bar is kept." in page and "== 公正, zh ==" in page


def test_audit_knows_the_bank():
    found = invoke("audit", "bank:schwartz", "--per-group", 16)
    assert found.exit_code == 0 and "Audit of bank:schwartz" in found.output and "== 安全, zh ==" in found.output


def test_audit_of_a_bad_corpus_ends_with_an_error_when_strict(tmp_path):
    dilemmas = [
        vl.Dilemma(
            id=f"d{k}",
            scenario=f"Scene {k}.",
            aligned=f"kindly go {k}",
            violating=f"rather stay {k}",
            value="care",
            language="en",
        )
        for k in range(20)
    ]
    path = write_jsonl(tmp_path / "d.jsonl", dilemmas)
    assert invoke("audit", path).exit_code == 0
    found = invoke("audit", path, "--strict")
    assert found.exit_code == 1 and "care: a bag of words tells the aligned option in 100% of dilemmas" in found.output


def test_bad_rows_end_an_audit_or_are_kept_beside(tmp_path):
    path = write_jsonl(tmp_path / "t.jsonl", vl.load_texts(selection=vl.Selection(values=["justice"], per_group=4)))
    path.write_text(path.read_text(encoding="utf-8") + '{"id": "x"}\n', encoding="utf-8")
    found = invoke("audit", path)
    assert found.exit_code == 1 and "line 17: field 'text' is missing" in found.output.replace("\n", " ")
    assert invoke("audit", path, "--skip-bad").exit_code == 0
    assert json.loads((tmp_path / "t.bad-texts.jsonl").read_text())["content"] == {"id": "x"}


def test_generate_writes_a_corpus_that_audit_reads(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-not-shown")
    with endpoint.running() as server:
        arguments = ("--model", "tiny", "--base-url", server.url, "--key-variable", "MY_KEY", "--values", "justice,freedom")
        prices = ("--prompt-price", 1, "--reply-price", 2)
        found = invoke("generate", "--out", tmp_path, "--recipe", "dilemma", "--n-items", 3, *arguments, *prices)
        assert found.exit_code == 0, found.output
        assert server.keys == {"Bearer sk-not-shown"} and "sk-not-shown" not in found.output
    assert "24 requests, 240 prompt and 120 reply tokens, price 0.0005" in found.output
    assert "36 records, 0 duplicates left out, 0 items not written" in found.output
    page = invoke("audit", tmp_path).output
    assert "Of 12 texts" in page and "Of 6 dilemmas" in page


def test_template_arguments_are_read_as_json_or_text(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    job = ("--out", tmp_path, "--recipe", "question", "--values", "justice", "--languages", "en", "--n-items", 1)
    with endpoint.running() as server:
        options = ("--template-argument", "enable_thinking=false", "--template-argument", "style=a=b")
        found = invoke("generate", *job, "--model", "tiny", "--base-url", server.url, *options)
        assert found.exit_code == 0, found.output
    assert server.template_arguments == [{"enable_thinking": False, "style": "a=b"}]
    found = invoke("generate", *job, "--model", "tiny", "--base-url", server.url, "--template-argument", "thinking")
    assert found.exit_code == 1 and "--template-argument takes NAME=VALUE, got 'thinking'" in found.output.replace("\n", " ")


def test_names_with_brackets_are_shown_as_they_are(tmp_path):
    (tmp_path / "data[en].jsonl").write_text("broken [/b]\n")
    found = invoke("audit", tmp_path / "data[en].jsonl")
    assert found.exit_code == 1 and "data[en].jsonl" in found.output.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "m", "--recipe", "novel"), "unknown recipe 'novel'"),
        (("--model", "m", "--values", "zeal"), "unknown value 'zeal'"),
        (("--model", "m", "--system", "gone.yaml"), "no file gone.yaml"),
        ((), "give --model NAME"),
    ],
)
def test_a_generation_that_makes_no_sense_is_refused(arguments, message, tmp_path):
    found = invoke("generate", "--out", tmp_path, "--base-url", "http://127.0.0.1:9", *arguments)
    assert found.exit_code == 1 and message in found.output.replace("\n", " ")


def test_a_local_model_may_write(tmp_path):
    import tiny

    folder = tiny.folder(tmp_path, "llama", max_position_embeddings=1024)
    found = invoke(
        "generate", "--out", tmp_path / "out", "--local", folder, "--recipe", "question", "--values", "justice", "--languages", "en",
        "--n-items", 1, "--attempts", 1,
    )  # fmt: skip
    assert found.exit_code == 0 and "0 records" in found.output and "no JSON object in the answer" in found.output


def test_one_dilemma_has_no_interval_and_no_nan_is_shown():
    import torch

    from value_lens.cli._tables import _span, support_row

    margins = torch.ones(1, dtype=torch.float64)
    one = {"item_ids": ("a",), "item_values": ("care",), "item_languages": ("en",), "item_clusters": ("a",)}
    names = {"values": ("care",), "languages": ("en",), "intervened": ("care",), "n_neurons": (1,)}
    margins = {"clean": margins, "own": margins[None], "control": margins[None, None]}
    row = support_row(vl.effect_matrix(vl.ItemScores(**one, **names, **margins)).cells())
    assert row[3] == "+0 [-]" and "nan" not in " ".join(row)
    assert [_span(*ends) for ends in ((0.2, 0.4), (0.2, 0.2), (float("nan"), float("nan")))] == ["20-40%", "20%", "-"]
