"""A record that is not what it should be is refused with file, line and field."""

import json
import tempfile
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import value_lens as vl
from value_lens.core import Group, fold_name, record_from
from value_lens.data import read_jsonl, write_jsonl
from value_lens.errors import DataError, OutputError

TEXT = {"id": "t1", "text": "She kept her word.", "value": "integrity", "aspect": "+", "language": "en"}
DILEMMA = {
    "id": "d1",
    "scenario": "You found a purse.",
    "aligned": "hand it in",
    "violating": "keep it",
    "value": "integrity",
    "language": "en",
}
REQUIRED = [(vl.LabelledText, TEXT, name) for name in TEXT] + [(vl.Dilemma, DILEMMA, name) for name in DILEMMA]
each_required = pytest.mark.parametrize(("kind", "row", "name"), REQUIRED, ids=[f"{k.__name__}-{n}" for k, _, n in REQUIRED])


@pytest.fixture
def unchecked(monkeypatch):
    """Without the suite's type checks, as a user's program runs: the library itself must refuse what is no text."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def jsonl(tmp_path):
    """Writes lines (rows or raw text) and returns the path."""

    def write(*lines):
        path = tmp_path / "data.jsonl"
        path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
        return path

    return write


def read(path, kind=vl.LabelledText):
    return list(read_jsonl(path, kind))


# Records


def test_a_record_holds_what_it_is_given():
    text = vl.LabelledText(**TEXT, prompt="Question: ")
    assert text.group == Group("integrity", "+", "en") and str(text.group) == "integrity+en"
    assert (text.prompt, text.source) == ("Question: ", "")
    dilemma = vl.Dilemma(**DILEMMA, pair_id="p")
    assert (dilemma.pair_id, dilemma.source) == ("p", "")


@each_required
@pytest.mark.parametrize("empty", ["", "  \n\t", "\u3000"])
def test_an_empty_text_is_refused(kind, row, name, empty):
    message = "neither '\\+'" if name == "aspect" else f"field '{name}': expected a non-empty text, got "
    with pytest.raises(DataError, match=message):
        kind(**{**row, name: empty})


@pytest.mark.parametrize("aspect", ["positive", "1", "＋", "+ ", "+-"])
def test_another_aspect_is_refused(aspect):
    with pytest.raises(DataError, match=r"field 'aspect': .* is neither '\+' \(upholds the value\) nor '-' \(opposes it\)"):
        vl.LabelledText(**{**TEXT, "aspect": aspect})


def test_options_that_are_the_same_are_refused():
    with pytest.raises(DataError, match=r"field 'violating': the same text as 'aligned' \('keep it'\)"):
        vl.Dilemma(**{**DILEMMA, "aligned": "keep it"})


# Rows


@pytest.mark.parametrize(
    ("polarity", "aspect"), [(1, "+"), (-1, "-"), ("+1", "+"), ("-1", "-"), (1.0, "+"), (-1.0, "-"), ("+", "+")]
)
def test_polarity_is_read_as_the_aspect(polarity, aspect):
    row = {**{name: given for name, given in TEXT.items() if name != "aspect"}, "polarity": polarity}
    assert record_from(row, vl.LabelledText, "here").aspect == aspect


def test_the_aspect_goes_before_the_polarity():
    assert record_from({**TEXT, "polarity": -1}, vl.LabelledText, "here").aspect == "+"


@pytest.mark.parametrize("polarity", [0, 2, "positive", True, 0.5])
def test_another_polarity_is_refused(unchecked, polarity):
    row = {**{name: given for name, given in TEXT.items() if name != "aspect"}, "polarity": polarity}
    with pytest.raises(DataError, match=r"^here: field 'polarity': .* is neither"):
        record_from(row, vl.LabelledText, "here")


@each_required
@pytest.mark.parametrize("absent", ["left out", "null"])
def test_a_missing_field_is_named_with_those_found(kind, row, name, absent):
    rest = {key: value for key, value in row.items() if key != name}
    if absent == "null":
        rest[name] = None
    hint = r" \(or 'polarity', \+1 or -1\)" if name == "aspect" else ""
    lacks = {"left out": "missing", "null": r"empty \(null\)"}[absent]
    with pytest.raises(DataError, match=rf"^here: field '{name}'{hint} is {lacks}; found \['"):
        record_from(rest, kind, "here")


@pytest.mark.parametrize("name", ["text", "value", "language"])
@pytest.mark.parametrize("given_value", [5, ["a"], {"b": 1}, True])
def test_a_field_that_is_no_text_is_refused(unchecked, name, given_value):
    with pytest.raises(DataError, match=f"here: field '{name}': expected a text, got "):
        record_from({**TEXT, name: given_value}, vl.LabelledText, "here")


@pytest.mark.parametrize(("kind", "row", "name"), [(vl.LabelledText, TEXT, "prompt"), (vl.Dilemma, DILEMMA, "pair_id")])
def test_an_optional_field_that_is_no_text_is_refused(unchecked, kind, row, name):
    with pytest.raises(DataError, match=f"here: field '{name}'"):
        record_from({**row, name: 5}, kind, "here")


def test_a_number_is_a_good_id_and_unknown_keys_are_ignored():
    found = record_from({**TEXT, "id": 12, "annotator": "x", "source": None}, vl.LabelledText, "here")
    assert found == vl.LabelledText(**{**TEXT, "id": "12"})


@pytest.mark.parametrize("row", [[1, 2], "text", None, 3])
def test_a_row_without_fields_is_refused(row):
    with pytest.raises(DataError, match=f"here: expected an object with fields, got {type(row).__name__}"):
        record_from(row, vl.LabelledText, "here")


# JSONL files

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=9).map(lambda text: f"w{text}")  # line breaks included


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(words, words, st.sampled_from("+-"), words, st.just("") | words),
        max_size=5,
        unique_by=(
            lambda row: fold_name(row[1]),
            lambda row: fold_name(row[3]),
        ),  # names that differ in letter case only are refused
    )
)
def test_written_and_read_records_are_the_same(rows):
    texts = [
        vl.LabelledText(id=f"t{k}", text=text, value=v, aspect=aspect, language=l, prompt=prompt)
        for k, (text, v, aspect, l, prompt) in enumerate(rows)
    ]
    dilemmas = [
        vl.Dilemma(id=f"d{k}", scenario=s, aligned=f"a{s}", violating=f"b{s}", value=v, language=l, pair_id=p)
        for k, (s, v, _, l, p) in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        for records, kind in ((texts, vl.LabelledText), (dilemmas, vl.Dilemma)):
            path = write_jsonl(Path(folder) / "records.jsonl", records)
            assert len(path.read_bytes().splitlines()) == len(records)
            assert read(path, kind) == records


def test_blank_lines_are_skipped_but_counted(jsonl):
    path = jsonl(TEXT, "", "   ", {**TEXT, "id": "t2"}, '{"id": 1}')
    with pytest.raises(DataError, match="line 5: field 'text' is missing"):
        read(path)
    assert [record.id for record in read(jsonl("", TEXT, "", {**TEXT, "id": "t2"}))] == ["t1", "t2"]


def test_a_line_that_is_not_json_is_named_with_its_column(jsonl):
    with pytest.raises(DataError, match=r"data\.jsonl, line 2: not JSON \(.*, column \d+\)"):
        read(jsonl(TEXT, '{"id": "t2", "text": '))


def test_a_field_is_named_with_file_and_line(jsonl):
    with pytest.raises(DataError, match=r"data\.jsonl, line 2: field 'text': expected a non-empty text, got '  '"):
        read(jsonl(TEXT, {**TEXT, "id": "t2", "text": "  "}))
    with pytest.raises(DataError, match=r"data\.jsonl, line 1: field 'aspect': 'yes' is neither"):
        read(jsonl({**TEXT, "aspect": "yes"}))
    with pytest.raises(DataError, match=r"data\.jsonl, line 1: expected an object with fields, got list"):
        read(jsonl("[1, 2]"))
    with pytest.raises(DataError, match=r"data\.jsonl, line 1: field 'scenario' is missing"):
        read(jsonl(TEXT), vl.Dilemma)


def test_an_id_that_comes_twice_is_named_with_both_lines(jsonl):
    with pytest.raises(DataError, match="line 4: field 'id': 't1' stands at .*, line 1 already"):
        read(jsonl(TEXT, {**TEXT, "id": "t2"}, "", {**TEXT, "text": "Another."}))


def test_records_come_one_at_a_time(jsonl):
    """A bad line is met when it is reached, so that a long file need not be held."""
    reading = read_jsonl(jsonl(TEXT, "{"), vl.LabelledText)
    assert next(reading).id == "t1"
    with pytest.raises(DataError, match="line 2"):
        next(reading)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no file .*nowhere\.jsonl"):
        read(tmp_path / "nowhere.jsonl")


def test_a_file_that_is_not_utf8_is_refused_by_name(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(json.dumps({**TEXT, "text": "自由"}, ensure_ascii=False).encode("gb18030"))
    with pytest.raises(DataError, match=r"data\.jsonl"):
        read(path)


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("here first")
    with pytest.raises(OutputError, match=r"cannot write .*t\.jsonl: .*; choose a folder you can write to"):
        write_jsonl(tmp_path / "file" / "t.jsonl", [vl.LabelledText(**TEXT)])


@pytest.mark.parametrize("kind", [vl.LabelledText, vl.Dilemma, vl.QuestionnaireItem, vl.SituationalQuestion, vl.Prompt])
def test_records_are_built_by_name_alone(kind):
    """Nine strings in a row once put a source into a cluster, and no type checker could see it."""
    with pytest.raises(TypeError, match="positional"):
        kind("id", "text", "value", "+", "en", "en")
