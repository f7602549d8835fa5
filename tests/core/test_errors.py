"""A message of the library can be read, whatever it quotes."""

import pickle

import pytest

import value_lens as vl
from value_lens import errors
from value_lens.data import BadRowsError
from value_lens.errors import LINE, LINES, DataError, ValueLensError, quoted, shortened

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ValueLensError)]


def made(kind, message):
    return kind("value", message, ["a", "b"]) if kind is errors.UnknownNameError else kind(message)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_of_sixty_million_letters_is_short_and_keeps_its_ends(kind):
    told = str(made(kind, "begin " + "x" * 60_000_000 + " end"))
    assert len(told) <= LINE and "begin x" in told and " letters ...] " in told
    assert told.endswith("x end") or kind is errors.UnknownNameError


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_of_many_lines_keeps_the_first_and_the_last(kind):
    told = str(made(kind, "\n".join(f"line {k}" for k in range(100_000)))).splitlines()
    if kind is not errors.UnknownNameError:  # which quotes what was given on one line
        assert len(told) == LINES and told[0] == "line 0" and told[-1] == "line 99999" and told[-3] == "[... 99977 lines ...]"


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_can_be_printed_and_every_error_pickled(kind):
    error = made(kind, "a \ud83d and \x1b[2J and \0 in a name")
    assert str(error).isprintable()
    assert r"a \ud83d and \x1b[2J and \x00 in a name" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error)


def test_short_messages_are_left_as_they_are():
    for message in ("", "a\nb", "x" * LINE, "\n" * (LINES - 1)):
        assert str(DataError(message)) == message


@pytest.mark.parametrize("length", [LINE + 1, LINE + 2, LINE + 100, 9_999, 10_000, 1_000_003])
def test_shortening_tells_how_much_it_left_out(length):
    text = "".join(chr(97 + k % 26) for k in range(length))
    found = shortened(text)
    head, _, rest = found.partition(" [... ")
    left_out, _, tail = rest.partition(" letters ...] ")
    assert len(found) <= LINE and len(head) + int(left_out) + len(tail) == length
    assert text.startswith(head) and text.endswith(tail) and shortened(found) == found


def test_what_python_cannot_write_is_named_by_its_type():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert quoted(deep) == "a list that is too large to show"
    assert quoted(10**5000) == "a int that is too large to show"
    assert quoted("ab") == "'ab'"


def test_bad_rows_are_told_shortly_each(tmp_path):
    rows = [{"id": str(k), "text": ["y" * 10**6], "value": "v", "aspect": "+", "language": "en"} for k in range(30)]
    with pytest.raises(BadRowsError) as told:
        vl.load_texts(rows)
    assert len(str(told.value)) < 8000 and all(f"row {k}: field 'text': expected" in str(told.value) for k in range(1, 21))
    assert [row.content for row in told.value.rows] == rows  # what is kept is whole


@pytest.mark.parametrize("given", [10**5000, [[[]]] * 3, {"a": 10**5000}], ids=["digits", "lists", "digits inside"])
def test_values_that_cannot_be_written_are_bad_rows_and_bad_records(given):
    with pytest.raises(DataError, match="field 'text': expected a text, got"):
        vl.load_texts([{"id": "a", "text": given, "value": "v", "aspect": "+", "language": "en"}])
