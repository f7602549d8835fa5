"""An id, like every other name, is kept as it is written or refused, whatever a file, a table or Python made of it."""

import datetime
import decimal
import json

import datasets
import numpy
import openpyxl
import pandas
import pytest

import value_lens as vl
from value_lens.core import id_of
from value_lens.data import BadRowsError, stream, to_dataset
from value_lens.errors import DataError, UnknownNameError

TEXT = {"id": "a", "text": "She waits.", "value": "care", "aspect": "+", "language": "en"}
DILEMMA = {"id": "d", "scenario": "s", "aligned": "a", "violating": "b", "value": "care", "language": "en"}
WRITTEN = ["007", "7", "7.0", "1e3", "true", "True", "no", "1_000", "-0", " 7", "①", "NaN", "null", "None", "2024-01-02", "٣"]


def texts_in(path, content, **options):
    path.write_text(content, encoding="utf-8")
    return vl.load_texts(path, **options)


# As text: kept


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "xlsx", "parquet"])
def test_an_id_that_is_text_is_kept_as_it_is_written_by_every_format(name, ending, tmp_path):
    row = {
        **DILEMMA,
        "id": name,
        "pair_id": name,
        "cluster": name,
        "source": name,
        "value": name.strip(),
        "language": name.strip(),
    }
    path = tmp_path / f"r.{ending}"
    if ending in ("csv", "tsv"):
        gap = "," if ending == "csv" else "\t"
        path.write_text(f"{gap.join(row)}\n{gap.join(row.values())}\n", encoding="utf-8")
    elif ending == "xlsx":
        book = openpyxl.Workbook()
        for cells in (row, row.values()):
            book.active.append(list(cells))
        book.save(path)
    elif ending == "parquet":
        pandas.DataFrame([row]).to_parquet(path)
    else:
        path.write_text(json.dumps(row if ending == "jsonl" else [row]))
    (found,) = vl.load_dilemmas(path)
    assert {field: getattr(found, field) for field in row} == row


# As numbers and other things: digits for whole numbers as an id, else refused


REFUSED = {
    "true": (True, "True"), "false": (False, "False"), "numpy bool": (numpy.bool_(True), "True"), "float": (7.0, r"7\.0"),
    "numpy float": (numpy.float32(7), r"7\.0"), "fraction": (7.5, r"7\.5"), "infinite": (float("inf"), "inf"),
    "decimal": (decimal.Decimal("7.10"), r"7\.10"), "date": (datetime.date(2024, 1, 2), "2024, 1, 2"), "bytes": (b"7", "b'7'"),
    "list": ([7], r"\[7\]"), "object": ({"a": 7}, "'a': 7"),
}  # fmt: skip


@pytest.mark.parametrize("given", [0, 7, -7, 10**25, numpy.int64(7), numpy.uint8(7)])
def test_a_whole_number_is_an_id_of_its_digits(given):
    (found,) = vl.load_texts([{**TEXT, "id": given}])
    assert found.id == str(int(given)) == id_of(given)


@pytest.mark.parametrize("name", REFUSED)
def test_an_id_that_may_have_been_written_otherwise_is_refused(name):
    given, shown = REFUSED[name]
    with pytest.raises(BadRowsError, match=f"list, row 1: field 'id': expected a text, got .*{shown}") as told:
        vl.load_texts([{**TEXT, "id": given}])
    if isinstance(given, (bool, float)):
        assert "write it as text, in quotation marks or as a cell of text, so that it stays as it is written" in str(told.value)


@pytest.mark.parametrize("field", ["pair_id", "cluster", "value", "language", "source"])
@pytest.mark.parametrize("given", [7, *[given for given, _ in REFUSED.values()]], ids=["int", *REFUSED])
def test_every_other_name_is_text_or_refused(field, given):
    with pytest.raises(BadRowsError, match=f"row 1: field '{field}': expected a text, got"):
        vl.load_dilemmas([{**DILEMMA, field: given}])


@pytest.mark.parametrize(
    ("written", "kept"), [("7", "7"), ('"007"', "007"), ("7.0", None), ("true", None), ("1e3", None), ("null", None)]
)
def test_ids_in_json(written, kept, tmp_path):
    line = json.dumps({**TEXT, "id": "?"}).replace('"?"', written)
    if kept is None:
        with pytest.raises(BadRowsError, match=r"t\.jsonl, line 1: field 'id'"):
            texts_in(tmp_path / "t.jsonl", line)
    else:
        assert texts_in(tmp_path / "t.jsonl", line)[0].id == kept


def test_a_number_and_its_digits_are_the_same_id(tmp_path):
    with pytest.raises(BadRowsError, match="line 2: field 'id': '7' stands at .*, line 1 already"):
        texts_in(tmp_path / "t.jsonl", "\n".join(json.dumps({**TEXT, "id": name}) for name in (7, "7")))


def as_parquet(frame, folder):
    frame.to_parquet(folder / "p.parquet")
    return folder / "p.parquet"


TABLES = {
    "pandas": lambda frame, _: frame,
    "parquet": as_parquet,
    "datasets": lambda frame, _: datasets.Dataset.from_pandas(frame),
}


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_a_table_whose_gaps_made_numbers_with_a_point_of_its_ids_is_refused(make, tmp_path):
    whole = pandas.DataFrame([{**DILEMMA, "id": k} for k in range(3)])
    assert [d.id for d in vl.load_dilemmas(make(whole, tmp_path))] == ["0", "1", "2"]
    gaps = pandas.DataFrame([{**DILEMMA, "id": k, "pair_id": pair} for k, pair in enumerate((7, None, 8))])
    assert gaps["pair_id"].dtype == float
    with pytest.raises(
        BadRowsError, match=r"2 of 3 rows cannot be used:\n  .*, row 1: field 'pair_id': expected a text, got 7\.0; write"
    ):
        vl.load_dilemmas(make(gaps, tmp_path))


def test_a_workbook_keeps_numbers_as_they_are_shown_or_refuses_them(tmp_path):
    cells = [
        (7, "General", "7"),
        (7, "000", "007"),
        (1234, "000", "1234"),
        (7, "0", "7"),
        ("07", "@", "07"),
        (12.0, "0000", "0012"),
        (7.5, "General", None),
        (True, "General", None),
        (datetime.date(2024, 1, 2), "yyyy", None),
    ]
    for number, (given, form, kept) in enumerate(cells):
        book = openpyxl.Workbook()
        book.active.append(list(TEXT))
        book.active.append([None, *list(TEXT.values())[1:]])
        cell = book.active.cell(row=2, column=1, value=given)
        cell.number_format = form
        book.save(tmp_path / f"{number}.xlsx")
        if kept is None:
            with pytest.raises(BadRowsError, match=r"row 2: field 'id': expected a text, got"):
                vl.load_texts(tmp_path / f"{number}.xlsx")
        else:
            assert vl.load_texts(tmp_path / f"{number}.xlsx")[0].id == kept


STORY = {"situation": "a", "intention": "b", "moral_action": "c", "immoral_action": "d"}
PAIR = {"support": "I stay.", "conflict": "I go.", "scenario": "s", "value": "care"}
LAYOUTS = {
    "moral_stories": (vl.Dilemma, lambda given: {**STORY, "ID": given}, "{}"),
    "moralchoice": (
        vl.Dilemma,
        lambda given: {"scenario_id": given, "generation_rule": "r", "context": "c", "action1": "a", "action2": "b"},
        "{}",
    ),
    "touche": (
        vl.LabelledText,
        lambda given: {"Argument ID": given, "Labels": [1] + [0] * 19, "Premise": "p", "Conclusion": "c", "Stance": "s"},
        "{}/Self-direction: thought",
    ),
    "value_portrait": (
        vl.LabelledText,
        lambda given: {"portrait_id": given, "content": "c", "outputs": [{"content": "o", "correlations": [["Power", 0.5]]}]},
        "{}/1/power",
    ),
    "c_voice": (vl.Dilemma, lambda given: {**PAIR, "id": given}, "{}"),
    "valueinsight": (
        vl.LabelledText,
        lambda given: {"id": given, "description": "You roam.", "value": "care", "pole": "+"},
        "{}",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("given", "kept"), [("007", "007"), (0, "0"), (7, "7"), (7.0, None), (True, None)])
def test_published_data_sets_keep_their_ids_too(layout, given, kept, tmp_path):
    kind, row, form = LAYOUTS[layout]
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(row(given)))
    source = f"{layout}:{path}"
    if layout == "touche":
        (tmp_path / "arguments-r.jsonl").write_text(json.dumps(row(given)))
        (tmp_path / "labels-r.jsonl").write_text(json.dumps({"Argument ID": given}))
        source = f"{layout}:{tmp_path / 'arguments-r.jsonl'}"
    if kept is None:
        with pytest.raises(BadRowsError, match=r"line 1: field '[\w ]+': expected a text, got"):
            list(stream(kind, source))
    else:
        assert [record.id for record in stream(kind, source)] == [form.format(kept)]


@pytest.mark.parametrize("given", [True, 7])
@pytest.mark.parametrize("layout", ["c_voice", "valueinsight"])
def test_a_value_that_was_read_as_a_number_is_refused(layout, given, tmp_path):
    kind, row, _ = LAYOUTS[layout]
    (tmp_path / "r.jsonl").write_text(json.dumps({**row("a"), "value": given}))
    with pytest.raises(BadRowsError, match=f"field 'value': expected a text, got {given}"):
        list(stream(kind, f"{layout}:{tmp_path / 'r.jsonl'}"))


# Columns of tables, and splits


@pytest.mark.parametrize("name", ["", None, float("nan")])
def test_a_cell_of_a_data_frame_in_a_column_without_a_name_is_told(name):
    frame = pandas.DataFrame([[*TEXT.values(), "lost"], [*{**TEXT, "id": "b"}.values(), None]], columns=[*TEXT, name])
    with pytest.raises(
        BadRowsError, match=r"1 of 2 rows .*\n  DataFrame, row 1: cell 6 \('lost'\) stands in a column without a name"
    ):
        vl.load_texts(frame)
    frame.iloc[0, 5] = None
    assert [text.id for text in vl.load_texts(frame)] == ["a", "b"]


@pytest.mark.parametrize("names", [["text", "text"], [1, "1"]])
def test_a_column_of_a_data_frame_that_stands_twice_is_told(names):
    with pytest.raises(DataError, match=f"DataFrame: column '{names[1]}' stands twice in the header"):
        vl.load_texts(pandas.DataFrame([["a", "x", "y"]], columns=["id", *names]))


def test_a_first_column_without_a_name_may_number_the_rows_and_nothing_else(tmp_path):
    lines = [",".join(["", *TEXT]), ",".join(["0", *TEXT.values()]), ",".join(["1", *{**TEXT, "id": "b"}.values()])]
    assert [text.id for text in texts_in(tmp_path / "t.csv", "\n".join(lines))] == ["a", "b"]
    lines[2] = lines[2].replace("1,b", "lost,b")
    with pytest.raises(BadRowsError, match=r"t\.csv, line 3: cell 1 \('lost'\) stands in a column without a name"):
        texts_in(tmp_path / "t.csv", "\n".join(lines))


def test_splits_are_chosen_by_name():
    parts = {
        "train": vl.load_texts(selection=vl.Selection(values="justice", per_group=2)),
        "test": vl.load_texts(selection=vl.Selection(values="justice", per_group=1, seed=1)),
    }
    whole = datasets.DatasetDict({name: to_dataset(records) for name, records in parts.items()})
    for source in (whole, parts):
        assert vl.load_texts(source, vl.Selection(split="test")) == parts["test"]
        with pytest.raises(
            DataError, match=r"a \w+ holds splits \(test, train\); choose one, such as Selection\(split='test'\)"
        ):
            vl.load_texts(source)
        with pytest.raises(UnknownNameError, match=r"unknown split of the \w+ 'dev'; known: test, train"):
            vl.load_texts(source, vl.Selection(split="dev"))


@pytest.mark.parametrize("source", [TEXT, {}, {"a": 5}])
def test_one_row_or_an_empty_mapping_is_no_source(source):
    with pytest.raises(DataError, match="a dict with .* is not a valid source of rows; give a list of such mappings"):
        vl.load_texts(source)
