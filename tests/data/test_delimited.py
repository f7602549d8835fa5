"""Is every row of a CSV or TSV file read as its writer meant it, and does a bad row lose no other?"""

import csv
import io
import json

import pandas
import pytest

import value_lens as vl
from value_lens.data import BadRowsError
from value_lens.errors import DataError

HEADER = ("id", "text", "value", "aspect", "language")


def rows_of(*texts):
    return [(str(k), text, "care", "+-"[k % 2], "en") for k, text in enumerate(texts)]


def plainly(rows):
    """A table written without quoting: every row a line, every mark a letter."""
    return "".join("\t".join(row) + "\n" for row in [HEADER, *rows])


def quoting(rows, delimiter="\t", **options):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, **options).writerows([HEADER, *rows])
    return text.getvalue()


def texts_in(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {text.id: text.text for text in vl.load_texts(path, **options)}


def as_given(rows):
    return {row[0]: row[1] for row in rows}


MARKS = [
    '"Yes" is what I say',
    'I say "yes"',
    '"Yes, and no',
    'no, and yes"',
    '"',
    '""',
    'a "b" c',
    '"a" "b"',
    "a ' b",
    '5" of rain',
    "plain",
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", range(len(MARKS)))
def test_a_tsv_written_plainly_keeps_every_mark(tmp_path, first, end):
    rows = rows_of(*MARKS[first:], *MARKS[:first], "the last")
    assert texts_in(tmp_path / "t.tsv", plainly(rows).replace("\n", end)) == as_given(rows)


@pytest.mark.parametrize("mark", [mark for mark in MARKS if mark not in ('""',)])
def test_one_mark_in_a_plain_tsv_is_a_letter(tmp_path, mark):
    rows = rows_of("one", mark, "two", "three")
    assert texts_in(tmp_path / "t.tsv", plainly(rows)) == as_given(rows)


@pytest.mark.parametrize("quoted", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_table_that_quotes_is_read_as_it_was_meant(tmp_path, quoted, delimiter):
    rows = rows_of(*MARKS, "a\ttab", "two\nlines", 'a\n"b"\n\nc', "a, b", "end\n")
    name = "t.csv" if delimiter == "," else "t.tsv"
    assert texts_in(tmp_path / name, quoting(rows, delimiter, quoting=quoted)) == as_given(rows)


@pytest.mark.parametrize("text", [*MARKS, "a\ttab", "two\nlines", "a, b"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_what_pandas_writes_is_read_unchanged(tmp_path, name, text):
    frame = pandas.DataFrame(rows_of("one", text, "two"), columns=list(HEADER))
    frame.to_csv(tmp_path / name, sep="," if name == "t.csv" else "\t", index=False)
    assert [found.text for found in vl.load_texts(tmp_path / name)] == ["one", text, "two"]


def test_a_mark_opened_in_one_row_and_closed_in_another_swallows_none(tmp_path):
    """Both lines are rows, so the marks are letters."""
    rows = rows_of("one", '"Good day', "two", 'good bye"', "three")
    assert texts_in(tmp_path / "t.tsv", plainly(rows)) == as_given(rows)


def test_in_a_file_that_is_partly_quoted_rows_that_break_the_rule_are_bad(tmp_path):
    rows = rows_of("one", 'he said "yes"', "two", "three\nlines\nhere", "four")
    lines = quoting(rows, lineterminator="\n").splitlines()
    lines.insert(3, '7\t"Yes" is what I say\tcare\t+\ten')
    with pytest.raises(BadRowsError, match=r"t\.tsv, line 4: cannot be read as a row: .* not doubled") as told:
        texts_in(tmp_path / "t.tsv", "\n".join(lines))
    assert len(told.value.rows) == 1 and told.value.rows[0].content == lines[3]
    assert texts_in(tmp_path / "t.tsv", "\n".join(lines), skip_bad=tmp_path / "bad.jsonl") == as_given(rows)


BROKEN = {  # rows that cannot be read, by what is wrong
    "not closed": b'x,"He said,care,+,en',
    "not doubled": b'x,"Yes" is what I say,care,+,en',
    "not UTF-8": b"x,caf\xe9,care,+,en",
    "more fields": b"x,one,care,+,en,more",
    "is empty (null)": b"x,,care,+,en",
    "holds a NUL byte": b"x,a\0b,care,+,en",
}


@pytest.mark.parametrize("problem", BROKEN)
@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_bad_row_of_a_csv_is_told_with_its_line_and_loses_no_other(tmp_path, problem, place):
    rows = rows_of("one", "two\nlines", "three", "four, five", 'six "seven"')
    lines = quoting(rows, ",", lineterminator="\n").encode().split(b"\n")[:-1]  # the second text is on lines 3 and 4
    number = place + (place > 2)
    lines.insert(number, BROKEN[problem])
    path = tmp_path / "t.csv"
    with pytest.raises(BadRowsError) as told:
        texts_in(path, b"\n".join(lines))
    where = f"{path}, line {number + 1}: "
    assert [row.where for row in told.value.rows] == [where[:-2]] and problem in told.value.rows[0].problem
    assert where in str(told.value)
    assert texts_in(path, b"\n".join(lines), skip_bad=tmp_path / "bad.jsonl") == as_given(rows)


def test_the_line_told_is_that_at_which_the_row_begins(tmp_path):
    with pytest.raises(BadRowsError, match=r"line 3: field 'aspect': 'up' is"):
        texts_in(tmp_path / "t.csv", 'id,text,value,aspect,language\na,one,care,+,en\nb,"two\n\nmore\nlines",care,up,en\n')


def test_many_marks_that_are_not_closed_are_read_in_little_time(tmp_path):
    rows = rows_of(*(f'"open {k}' for k in range(20_000)))
    lines = quoting(rows_of("one")[:0], ",") + "".join(f'{k},"open {k},care,+,en\n' for k in range(20_000))
    assert len(texts_in(tmp_path / "t.tsv", plainly(rows), selection=vl.Selection(per_group=None))) == 20_000
    with pytest.raises(BadRowsError, match="20000 of 20000 rows cannot be used"):
        texts_in(tmp_path / "t.csv", lines)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_another_encoding_of_a_whole_file_is_told(tmp_path, encoding):
    path = tmp_path / "t.csv"
    with pytest.raises(DataError, match=rf"{path} is not UTF-8 \(UTF-16\?\); save it as UTF-8"):
        texts_in(path, quoting(rows_of("one"), ",").encode(encoding))


def test_a_byte_order_mark_belongs_to_no_name(tmp_path):
    for name, delimiter in (("t.csv", ","), ("t.tsv", "\t")):
        rows = rows_of("one", '"two')
        content = quoting(rows, ",") if delimiter == "," else plainly(rows)
        assert texts_in(tmp_path / name, b"\xef\xbb\xbf" + content.encode()) == as_given(rows)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_a_column_that_stands_twice_is_told(tmp_path, name):
    content = "id,text,value,aspect,language,text\na,one,care,+,en,two\n"
    with pytest.raises(DataError, match=rf"{name}, line 1: column 'text' stands twice in the header; rename one of them"):
        texts_in(tmp_path / name, content if name == "t.csv" else content.replace(",", "\t"))


def test_a_cell_in_a_column_without_a_name_is_told_and_an_empty_one_is_not(tmp_path):
    path, content = tmp_path / "t.csv", "id,text,,value,aspect,language\na,one,{},care,+,en\n"
    assert texts_in(path, content.format("")) == {"a": "one"}
    with pytest.raises(BadRowsError, match=r"line 2: cell 3 \('x'\) stands in a column without a name"):
        texts_in(path, content.format("x"))
    assert texts_in(path, "id,text,value,aspect,language,\na,one,care,+,en,\n\n,,,,,\n") == {"a": "one"}


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_a_field_that_stands_twice_in_an_object_is_told(tmp_path, ending):
    good = json.dumps({**dict(zip(HEADER, rows_of("one")[0], strict=True)), "more": [{"a": 1}]})
    bad = good.replace('"id": "0"', '"id": "1"').replace('{"a": 1}', '{"a": 1, "a": 2}')
    content = f"{good}\n{bad}\n" if ending == "jsonl" else f"[{good},\n{bad}]"
    place = "line" if ending == "jsonl" else "item"
    with pytest.raises(BadRowsError, match=rf"1 of 2 rows.*\n  .*t\.{ending}, {place} 2: field 'a' stands twice"):
        texts_in(tmp_path / f"t.{ending}", content)
    assert texts_in(tmp_path / f"t.{ending}", content, skip_bad=tmp_path / "bad.jsonl") == {"0": "one"}
