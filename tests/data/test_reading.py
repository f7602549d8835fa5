"""Are all bad rows reported together, or kept apart, and is nothing lost on the way in and out?"""

import json
import re
import tempfile
import zipfile
from pathlib import Path

import datasets
import openpyxl
import pandas
import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import value_lens as vl
from value_lens.core import fold_name
from value_lens.data import BadRowsError, load_corpus, stream, to_dataset, to_frame, write_jsonl
from value_lens.errors import DataError

GOOD = {"id": "a", "text": "She waits.", "value": "care", "aspect": "+", "language": "en"}
BAD = (
    '{"id": "b"}',
    "not json",
    json.dumps({**GOOD, "id": "c", "text": " "}),
    json.dumps({**GOOD, "id": "d", "aspect": "up"}),
    json.dumps(GOOD),
    "[1, 2]",
)
PROBLEMS = (
    "line 2: field 'text' is missing; found ['id']",
    "line 3: not JSON (Expecting value, column 1)",
    "line 4: field 'text': expected a non-empty text, got ' '",
    "line 5: field 'aspect': 'up' is neither '+'",
    "line 6: field 'id': 'a' stands at ",
    "line 7: expected an object with fields, got list",
)


@pytest.fixture
def mixed(tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join([json.dumps(GOOD), *BAD, json.dumps({**GOOD, "id": "z"})]), encoding="utf-8")
    return path


def test_all_bad_rows_are_told_at_once_with_file_line_and_field(mixed):
    with pytest.raises(BadRowsError) as caught:
        vl.load_texts(mixed)
    told = str(caught.value)
    assert told.startswith("6 of 8 rows cannot be used:")
    for problem in PROBLEMS:
        assert f"{mixed}, {problem}" in told
    assert len(caught.value.rows) == 6 and caught.value.n_rows == 8 and "--skip-bad" in told


def test_bad_rows_are_kept_apart_and_the_good_ones_used(mixed, tmp_path):
    kept = vl.load_texts(mixed, skip_bad=tmp_path / "bad.jsonl")
    assert [text.id for text in kept] == ["a", "z"]
    rows = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert [f"{row['where']}: {row['problem']}".startswith(f"{mixed}, {p}") for row, p in zip(rows, PROBLEMS, strict=True)] == [
        True
    ] * 6
    assert rows[0]["content"] == {"id": "b"} and rows[1]["content"] == "not json"


def test_where_all_rows_are_bad_it_says_so_and_where_they_stand(tmp_path):
    bad = tmp_path / "bad.jsonl"
    with pytest.raises(
        DataError,
        match=rf"none of the 3 rows can be used; they stand in {bad}, the first of them:\n  list, row 1: field 'text'",
    ):
        vl.load_texts([{"id": str(k)} for k in range(3)], skip_bad=bad)
    assert len(bad.read_text().splitlines()) == 3


def test_without_bad_rows_no_file_is_written(tmp_path):
    vl.load_texts([GOOD], skip_bad=tmp_path / "bad.jsonl")
    assert not (tmp_path / "bad.jsonl").exists()


def test_many_bad_rows_are_counted_not_all_listed():
    with pytest.raises(BadRowsError, match=r"\.\.\. and 30 more") as caught:
        vl.load_texts([{"id": str(k)} for k in range(50)])
    assert len(str(caught.value).splitlines()) == 23


def test_csv_lines_are_told_as_an_editor_counts_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,text,value,aspect,language\na,"two\nlines",care,+,en\nb,,care,+,en\nc,x,care,+,en,more\n')
    with pytest.raises(BadRowsError) as caught:
        vl.load_texts(path)
    assert "line 4: field 'text' is empty (null)" in str(caught.value) and "line 5: more fields than the header's 5" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.json", b"{", "is not JSON in UTF-8"),
        ("t.csv", b"id,\xff\n1,2", "the header: not UTF-8"),
        ("t.xlsx", b"no workbook", "is not an Excel workbook"),
        ("t.parquet", b"no parquet", "cannot be read as Parquet"),
    ],
)
def test_a_broken_file_is_named(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}.* {message}"):
        vl.load_texts(tmp_path / name)


def test_tables_as_people_have_them(tmp_path):
    texts = vl.load_texts(selection=vl.Selection(per_group=1))[:4]
    frame = to_frame(texts)
    frame.to_csv(tmp_path / "t.csv")  # with its index, under an empty header
    assert vl.load_texts(tmp_path / "t.csv") == texts
    assert vl.load_texts(frame.convert_dtypes()) == texts
    assert vl.load_texts(frame.assign(more=[[1, 2]] * 4)) == texts
    numbered = vl.load_texts(frame.assign(id=range(4)))
    assert [text.id for text in numbered] == ["0", "1", "2", "3"]
    (tmp_path / "crlf.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\r\n")
    assert vl.load_texts(tmp_path / "crlf.jsonl")[0].id == "a"


def test_a_workbook_that_misstates_its_size_loses_no_rows(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([])
    sheet.append(list(GOOD))
    for k in range(3):
        sheet.append([*{**GOOD, "id": f"r{k}"}.values()])
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(tmp_path / "odd.xlsx", "w") as odd:
        for name in whole.namelist():
            content = whole.read(name)
            odd.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:E2"', content))
    assert [text.id for text in vl.load_texts(tmp_path / "odd.xlsx")] == ["r0", "r1", "r2"]


def test_bad_rows_never_replace_the_source_and_an_old_file_goes(mixed, tmp_path):
    with pytest.raises(DataError, match="skip_bad is the source itself"):
        vl.load_texts(mixed, skip_bad=mixed)
    vl.load_texts([GOOD, {"id": "b"}], skip_bad=tmp_path / "bad.jsonl")
    vl.load_texts([GOOD], skip_bad=tmp_path / "bad.jsonl")
    assert not (tmp_path / "bad.jsonl").exists()
    half = {**GOOD, "text": "cut \ud83d", "aspect": "up"}
    vl.load_texts([GOOD, half], skip_bad=tmp_path / "bad.jsonl")
    assert json.loads((tmp_path / "bad.jsonl").read_text())["content"] == half


@pytest.mark.parametrize("line", ['{"id": ' + "1" * 5000 + "}", "[" * 100_000])
def test_json_beyond_python_is_a_bad_row(line, tmp_path):
    (tmp_path / "t.jsonl").write_text(f"{line}\n{json.dumps(GOOD)}\n")
    with pytest.raises(BadRowsError, match="1 of 2 rows cannot be used"):
        vl.load_texts(tmp_path / "t.jsonl")


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "t.xls").write_bytes(b"\xd0\xcf")
    with pytest.raises(DataError, match=r"t\.xls ends in '\.xls'; files that can be read end in \.csv, \.json, "):
        vl.load_texts(tmp_path / "t.xls")


def test_what_is_never_together_is_told():
    with pytest.raises(DataError, match="holds nothing of value \\['care'\\] in language \\['zh'\\] together"):
        vl.load_texts(
            [GOOD, {**GOOD, "id": "b", "value": "duty", "language": "zh"}], vl.Selection(values=["care"], languages=["zh"])
        )


@pytest.mark.parametrize("options", [{"split": "train"}, {"fillings": "held_out"}])
def test_what_has_no_splits_says_so(options):
    with pytest.raises(DataError, match="have no splits"):
        vl.load_texts("bank:poles", vl.Selection(**options))
    with pytest.raises(DataError, match="a list has no splits"):
        vl.load_texts([GOOD], vl.Selection(split="test"))


def test_a_corpus_that_holds_one_kind_is_read_as_that_kind(tmp_path):
    (tmp_path / "cm_train.csv").write_text("label,input\n1,I broke it.\n")
    texts, dilemmas = load_corpus(f"ethics:{tmp_path / 'cm_train.csv'}")
    assert len(texts) == 1 and dilemmas == []
    path = write_jsonl(tmp_path / "d.jsonl", vl.load_dilemmas(selection=vl.Selection(per_group=1))[:3])
    path.write_text("broken\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert len(load_corpus(str(path), skip_bad=True)[1]) == 3


# Round trips

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)
rows = st.lists(
    st.tuples(words, words, st.sampled_from("+-"), st.just("") | words, st.booleans()),
    min_size=1,
    max_size=5,
    unique_by=lambda row: fold_name(row[1]),  # names of values that differ in letter case only are refused
)
KINDS = {
    "texts": (
        lambda k, text, value, aspect, prompt, key: vl.LabelledText(
            id=f"t{k}", text=text, value=value, aspect=aspect, language="en", prompt=prompt
        ),
        vl.load_texts,
    ),
    "items": (
        lambda k, text, value, aspect, prompt, key: vl.QuestionnaireItem(
            id=f"i{k}", text=text, value=value, language="zh", reverse_keyed=key
        ),
        vl.load_items,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=25)
@given(rows=rows)
def test_records_go_through_tables_data_sets_and_files_unchanged(kind, rows):
    make, load = KINDS[kind]
    records = [make(k, *row) for k, row in enumerate(rows)]
    assert load(to_frame(records), vl.Selection(per_group=None)) == records
    assert load(to_dataset(records), vl.Selection(per_group=None)) == records
    with tempfile.TemporaryDirectory() as folder:
        assert load(write_jsonl(Path(folder) / "r.jsonl", records), vl.Selection(per_group=None)) == records


def test_dilemmas_and_questions_go_through_too():
    dilemmas, questions = (
        vl.load_dilemmas(selection=vl.Selection(per_group=2)),
        vl.load_questions(selection=vl.Selection(per_group=2)),
    )
    assert vl.load_dilemmas(to_frame(dilemmas)) == dilemmas == vl.load_dilemmas(to_dataset(dilemmas))
    assert vl.load_questions(to_frame(questions)) == questions == vl.load_questions(to_dataset(questions))


def test_a_saved_data_set_folder_is_read(tmp_path):
    texts = vl.load_texts(selection=vl.Selection(per_group=2))
    to_dataset(texts).save_to_disk(tmp_path / "plain")
    datasets.DatasetDict({"train": to_dataset(texts[:4]), "test": to_dataset(texts[4:])}).save_to_disk(tmp_path / "split")
    assert vl.load_texts(str(tmp_path / "plain")) == texts
    assert vl.load_texts(tmp_path / "split", vl.Selection(split="test")) == texts[4:]


def test_an_empty_cell_of_a_table_is_a_missing_field():
    frame = pandas.DataFrame([{**GOOD, "prompt": None}, {**GOOD, "id": "b", "text": None}])
    with pytest.raises(BadRowsError, match=r"DataFrame, row 2: field 'text' is empty \(null\)"):
        vl.load_texts(frame)


def test_a_stream_gives_records_before_the_source_ends():
    def endless():
        k = 0
        while True:
            yield {**GOOD, "id": str(k)}
            k += 1

    records = iter(stream(vl.LabelledText, endless()))
    assert [next(records).id for _ in range(3)] == ["0", "1", "2"]


def test_a_stream_is_counted_like_a_list(models, tmp_path):
    texts = [
        vl.LabelledText(id=f"t{k}", text=text, value="care", aspect="+-"[k % 2], language="en")
        for k, text in enumerate(tiny.sentences(40))
    ]
    path = write_jsonl(tmp_path / "t.jsonl", texts)
    lens = vl.ValueLens(models["bridge", "gpt2"])
    listed = lens.collect(texts)
    for source in (stream(vl.LabelledText, path), iter(texts), tuple(texts)):
        assert torch.equal(lens.collect(source).fired, listed.fired)


def test_a_response_is_read_as_the_text_and_given_back():
    (found,) = vl.load_texts([{**{k: v for k, v in GOOD.items() if k != "text"}, "prompt": "Why? ", "response": "So."}])
    assert (found.text, found.response, found.prompt) == ("So.", "So.", "Why? ")


@pytest.mark.parametrize(("given_key", "reverse"), [(True, True), ("false", False), ("1", True), (0, False)])
def test_a_key_is_read_from_words(given_key, reverse):
    (found,) = vl.load_items([{"id": "i", "text": "I wait.", "value": "care", "language": "en", "reverse_keyed": given_key}])
    assert found.reverse_keyed is reverse


def test_the_bank_holds_no_items():
    with pytest.raises(DataError, match="the bank holds no QuestionnaireItem"):
        vl.load_items("bank")
    with pytest.raises(DataError, match="'bank:poles' holds pole descriptions and questions, no Dilemma"):
        vl.load_dilemmas("bank:poles")
