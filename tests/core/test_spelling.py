"""Names that differ only in case, width or outer white space are one, or an error that names both, wherever names come in."""

import dataclasses
import json
import unicodedata

import pandas
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import value_lens as vl
from value_lens.audit import audit_corpus
from value_lens.core import fold_name, require_distinct, standard
from value_lens.data import write_jsonl
from value_lens.errors import DataError
from value_lens.study import Study
from value_lens.study._data import load_data
from value_lens.write import RECIPES

TEXT = {"id": "a", "text": "She waits.", "value": "care", "aspect": "+", "language": "en"}
ONE = [" care", "care\t", "\u3000care", "ｃａｒｅ", "care\xa0"]
OTHER = ["Care", "CARE", "ＣＡＲＥ ", "cAre"]
letters = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
SOURCES = {
    "mappings": lambda rows, folder: rows,
    "jsonl": lambda rows, folder: written(folder / "r.jsonl", "\n".join(map(json.dumps, rows))),
    "csv": lambda rows, folder: written(folder / "r.csv", pandas.DataFrame(rows).to_csv(index=False)),
    "records": lambda rows, folder: [vl.LabelledText(**row) for row in rows],
    "pandas": lambda rows, folder: pandas.DataFrame(rows),
}
each_source = pytest.mark.parametrize("source", SOURCES)


def written(path, content):
    path.write_text(content, encoding="utf-8")
    return path


def dilemma(**fields):
    given = {"id": "d", "scenario": "s", "aligned": "a", "violating": "b", "value": "care", "language": "en"}
    return vl.Dilemma(**{**given, **fields})


@settings(deadline=None)
@given(letters)
def test_the_standard_form_changes_width_and_outer_white_space_alone(name):
    found = standard(name)
    assert standard(found) == found and standard(f"\u3000{name} ") == found and fold_name(found) == fold_name(name)
    if unicodedata.is_normalized("NFKC", name):  # nothing in it has another width
        assert found == name.strip()


@settings(deadline=None)
@given(letters, letters)
def test_names_are_told_apart_as_case_folding_and_compatibility_say(one, other):
    plain = [unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip() for name in (one, other)]
    if plain[0] == plain[1] and one != other:
        with pytest.raises(DataError, match="differ only in case, width or outer white space"):
            require_distinct("value", [one, other])
    else:
        require_distinct("value", [one, other])


@pytest.mark.parametrize("name", ["zh-CN", "Self-direction: thought", "①", "x²", "爱国", "Touché", "rule of law"])
def test_other_names_stay_as_they_are_written(name):
    assert standard(name) == name and vl.load_texts([{**TEXT, "value": name, "language": name}])[0].group == (name, "+", name)


@each_source
@pytest.mark.parametrize("field", ["value", "language"])
@pytest.mark.parametrize("spelling", ONE)
def test_width_and_outer_white_space_make_no_second_group(field, spelling, source, tmp_path):
    rows = [{**TEXT, field: "care"}, {**TEXT, "id": "b", field: spelling}]
    found = vl.load_texts(SOURCES[source](rows, tmp_path))
    assert [getattr(text, field) for text in found] == ["care", "care"]
    selection = vl.Selection(values=[spelling]) if field == "value" else vl.Selection(languages=[spelling])
    assert vl.load_texts(SOURCES[source](rows, tmp_path), selection) == found


@each_source
@pytest.mark.parametrize("field", ["value", "language"])
@pytest.mark.parametrize("spelling", OTHER)
def test_another_case_is_told_with_both_names_and_their_places(field, spelling, source, tmp_path):
    rows = [{**TEXT, field: "care"}, *({**TEXT, "id": f"b{k}", field: spelling} for k in range(2))]
    for options in (
        {},
        {"selection": vl.Selection(per_group=1)},
        {"selection": vl.Selection(**{"values" if field == "value" else "languages": ["care"]})},
        {"skip_bad": tmp_path / "bad"},
    ):
        with pytest.raises(DataError) as caught:
            vl.load_texts(SOURCES[source](rows, tmp_path), **options)
        told = str(caught.value)
        assert f"the {field} is written in ways that differ only in case, width or outer white space" in told
        first, second = (
            f"{name!r} ({place})" for name, place in zip(("care", standard(spelling)), places(source, tmp_path), strict=True)
        )
        assert f"{first} and {second}; write it in one way" in told


def places(source, folder):
    unit, number = ("line", {"jsonl": 1, "csv": 2}[source]) if source in ("jsonl", "csv") else ("row", 1)
    name = {"jsonl": folder / "r.jsonl", "csv": folder / "r.csv", "pandas": "DataFrame"}.get(source, "list")
    return [f"{name}, {unit} {number}", f"{name}, {unit} {number + 1}"]


@pytest.mark.parametrize("aspect", ["＋", " +", "+\u3000"])
def test_an_aspect_in_a_row_may_have_another_width(aspect):
    (found,) = vl.load_texts([{**TEXT, "aspect": aspect}])
    assert found.aspect == "+"


@pytest.mark.parametrize("name", ["Value", "VALUE ", "ｃluster", "Prompt", " source", "Polarity", "RESPONSE"])
def test_a_field_in_other_letters_is_not_passed_over_in_silence(name):
    with pytest.raises(
        DataError, match=f"field {name!r} differs from '{fold_name(name)}' only in case, width or outer white space"
    ):
        vl.load_texts([{**TEXT, name: "x"}])
    mapped = vl.load_texts([{**TEXT, name: "x"}], columns={"source": name})
    assert mapped[0].source == "x"


# Records, statistics and sets made in Python


def texts_of(*names):
    return [
        vl.LabelledText(**{**TEXT, "id": f"t{k}", "value": name, "text": "the river keeps"}) for k, name in enumerate(names)
    ]


def test_collecting_refuses_two_spellings_before_any_counting(models, monkeypatch):
    lens = vl.ValueLens(models["bridge", "gpt2"])
    assert lens.collect(texts_of("care", " ｃare", "duty")).values == ("care", "duty")
    monkeypatch.setattr("value_lens.collect.FiringAccumulator.begin", lambda *a, **k: pytest.fail("counting began"))
    with pytest.raises(DataError, match="the value is written in ways .*: 'Care' and 'care'"):
        lens.collect(texts_of("care", "Care"))


def counts_of(*names, language="en"):
    n = len(names)
    return vl.FiringStats.from_counts([(name, "+", language) for name in names], [4] * n, torch.ones(n, 2, 3))


@pytest.mark.parametrize("spelling", [*ONE, *OTHER])
def test_counts_with_two_spellings_are_refused(spelling):
    assert counts_of(spelling).values == (standard(spelling),)
    with pytest.raises(DataError, match="the value is written in ways") as caught:
        counts_of("care", spelling)
    assert repr("care") in str(caught.value) and repr(spelling) in str(caught.value)


@pytest.mark.parametrize("spelling", ONE)
def test_counts_of_one_name_in_two_widths_are_merged(spelling):
    assert counts_of("care").merge(counts_of(spelling)).n_tokens.tolist() == [8]


@pytest.mark.parametrize("spelling", OTHER)
def test_counts_of_two_cases_are_not_merged(spelling):
    with pytest.raises(DataError, match=f"the value is written in ways .*'{standard(spelling)}' and 'care'"):
        counts_of("care").merge(counts_of(spelling))
    with pytest.raises(DataError, match="the language is written in ways .*'EN' and 'en'"):
        counts_of("care").merge(counts_of("care", language="EN"))


def test_neuron_sets_and_dilemmas_are_matched_by_name(models):
    lens = vl.ValueLens(models["bridge", "gpt2"])
    neurons = vl.NeuronSet.from_pairs([(0, k) for k in range(9)], site="post", n_layers=3, d_mlp=45)
    asked = [dilemma(id=f"d{k}", scenario=f"the river {k}", value=("care", "duty")[k % 2]) for k in range(4)]
    matrix = lens.support_matrix(asked, {" ｃare": neurons}, controls=0)
    assert matrix.intervened == ("care",) and matrix.values == ("care", "duty")
    with pytest.raises(DataError, match=r"'Care' \(the neuron sets\) and 'care' \(Dilemma 'd0'\)"):
        lens.support_matrix(asked, {"Care": neurons}, controls=0)
    with pytest.raises(DataError, match="the value of the neuron sets is written in ways .*'care' and 'care '"):
        lens.support_matrix(asked, {"care": neurons, "care ": neurons}, controls=0)
    mixed = [*asked, dataclasses.replace(asked[0], id="x", value="CARE")]
    with pytest.raises(DataError, match=r"'care' \(Dilemma 'd0'\) and 'CARE' \(Dilemma 'x'\)"):
        lens.support_matrix(mixed, {"duty": neurons}, controls=0)
    with pytest.raises(DataError, match=r"'care' \(Dilemma 'd0'\) and 'CARE' \(Dilemma 'x'\)"):
        lens.support(mixed)


def test_texts_and_dilemmas_of_a_run_or_an_audit_are_compared(tmp_path):
    texts = write_jsonl(tmp_path / "t.jsonl", texts_of("care", "duty"))
    asked = write_jsonl(tmp_path / "d.jsonl", [dilemma(value="Duty")])
    with pytest.raises(DataError, match=r"'duty' \(LabelledText 't1'\) and 'Duty' \(Dilemma 'd'\)"):
        load_data(Study.from_options(dict(model="none", texts=str(texts), dilemmas=str(asked))), tmp_path)
    with pytest.raises(DataError, match=r"'duty' \(LabelledText 't1'\) and 'Duty' \(Dilemma 'd'\)"):
        audit_corpus(texts_of("care", "duty"), [dilemma(value="Duty")])


# Value systems


def value(name, **more):
    return vl.Value(name, {"en": name}, "A definition.", **more)


def test_a_value_system_names_in_one_way():
    system = vl.ValueSystem(
        "mine",
        (value(" ｃare"), value("duty")),
        higher_order={"both ": (" care", "ｄuty")},
        relations={"care ": {"power": "why"}},
    )
    assert system.names == ("care", "duty") and system.higher_order == {"both": ("care", "duty")}
    assert set(system.relations) == {"care"} and system["care"].labels == {"en": " ｃare"}
    with pytest.raises(DataError, match="the value of 'mine' is written in ways .*'care' and 'Care'"):
        vl.ValueSystem("mine", (value("care"), value("Care")))
    with pytest.raises(DataError, match="the higher-order value of 'mine' is written in ways .*'Both' and 'both'"):
        vl.ValueSystem("mine", (value("care"),), higher_order={"Both": ("care",), "both": ("care",)})
    with pytest.raises(DataError, match="the language of the labels of 'care' is written in ways .*'en' and 'EN'"):
        vl.Value("care", {"en": "care", "EN": "care"}, "A definition.")


def test_a_system_in_a_file_is_read_so_and_refused_so(tmp_path):
    def content(*names):
        return json.dumps({"name": "mine", "values": [{"name": n, "labels": {"en": n}, "definition": "d"} for n in names]})

    assert vl.load_system(written(tmp_path / "s.json", content("care ", "ｄuty"))).names == ("care", "duty")
    with pytest.raises(DataError, match=r"s\.json: the value of 'mine' is written in ways .*'care' and 'Care'"):
        vl.load_system(written(tmp_path / "s.json", content("care", "Care")))


def test_a_recipe_is_asked_for_each_value_and_language_once():
    groups = RECIPES["dilemma"].groups(vl.chinese_social, [" freedom", "ｊustice"], ["en ", "zh"])
    assert groups == [(v, "", l) for v in ("freedom", "justice") for l in ("en", "zh")]
    for values, languages in ((["freedom", "freedom "], ["en"]), (["freedom"], ["en", "EN"])):
        with pytest.raises(DataError, match="must be given, each once"):
            RECIPES["dilemma"].groups(vl.chinese_social, values, languages)
