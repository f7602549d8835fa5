"""Do texts and dilemmas load from every source, and is the packaged bank balanced, distinct and free of shared frames?"""

import json
from collections import Counter
from dataclasses import replace

import pytest

import value_lens as vl
from value_lens.data import FILLINGS, load_dilemmas, load_texts, write_jsonl
from value_lens.data import _bank as bank
from value_lens.errors import DataError, UnknownNameError

SOME = ("freedom", "patriotism")


@pytest.fixture(scope="module")
def records():
    """Six texts over two values, both aspects."""
    return [
        vl.LabelledText(
            id=f"t{k}",
            text=f"text number {k}",
            value=("care", "duty")[k % 2],
            aspect="+-"[k // 2 % 2],
            language=("en", "zh")[k // 4],
        )
        for k in range(6)
    ]


@pytest.fixture(scope="module")
def jsonl(records, tmp_path_factory):
    return write_jsonl(tmp_path_factory.mktemp("data") / "texts.jsonl", records)


def frame_of(record):
    return record.id.split("/")[0]


# The bank


def test_every_group_of_the_bank_has_as_many_texts_all_different():
    texts = load_texts("bank", vl.Selection(per_group=20))
    assert Counter(text.group for text in texts) == {
        (value, aspect, language): 20 for value in vl.chinese_social.names for aspect in "+-" for language in ("en", "zh")
    }
    assert len({text.id for text in texts}) == len({text.text for text in texts}) == len(texts)
    assert {text.source for text in texts} == {"bank"}


def test_every_group_of_the_bank_has_as_many_dilemmas_all_different():
    dilemmas = load_dilemmas("bank", vl.Selection(per_group=20))
    assert Counter((d.value, d.language) for d in dilemmas) == {
        (value, language): 20 for value in vl.chinese_social.names for language in ("en", "zh")
    }
    assert len({d.id for d in dilemmas}) == len({(d.scenario, d.aligned) for d in dilemmas}) == len(dilemmas)


def test_nothing_is_left_to_fill_in():
    texts = [text.text for text in load_texts("bank", vl.Selection(per_group=32))]
    dilemmas = [
        part for d in load_dilemmas("bank", vl.Selection(per_group=32)) for part in (d.scenario, d.aligned, d.violating)
    ]
    assert not [text for text in texts + dilemmas if "{" in text or "}" in text]


def test_the_splits_share_no_frame():
    activation = {
        frame_of(text) for text in load_texts("bank", vl.Selection(split="activation", values=SOME, languages=["en"]))
    }
    evaluation = {frame_of(d) for d in load_dilemmas("bank", vl.Selection(split="evaluation", values=SOME))}
    assert activation and evaluation and not activation & evaluation
    every = {frame.id for frame in bank.frames() if frame.value in SOME}
    assert activation | evaluation == every


def test_training_and_held_out_fillings_divide_all():
    def ids_of(fillings):
        return {
            d.id
            for d in load_dilemmas(
                "bank", vl.Selection(values=["freedom"], languages=["en"], fillings=fillings, per_group=None)
            )
        }

    ids = {fillings: ids_of(fillings) for fillings in FILLINGS}
    assert not ids["training"] & ids["held_out"]
    assert ids["training"] | ids["held_out"] == ids["all"]
    assert ids["training"] and ids["held_out"]


def test_the_aspects_of_a_text_differ_in_decision_and_reason_only():
    texts = {text.id: text for text in load_texts("bank", vl.Selection(values=["freedom"], languages=["en"], per_group=12))}
    for key, text in texts.items():
        if "/+/" in key:
            twin = texts[key.replace("/+/", "/-/")]
            shared, decision = text.text.split(" You decide to ", 1)
            assert twin.text.startswith(shared + " You decide to ")
            assert twin.text.split(" You decide to ", 1)[1].split(", because ")[0] != decision.split(", because ")[0]


def test_twin_situations_exchange_the_roles_of_their_options():
    """So nobody who reads only the options can tell which is aligned."""
    dilemmas = {d.id: d for d in load_dilemmas("bank", vl.Selection(values=["freedom"], languages=["en"], per_group=None))}
    for key, d in dilemmas.items():
        frame, situation, rest = key.split("/", 2)
        twin = dilemmas[f"{frame}/{1 - int(situation)}/{rest}"]
        assert (twin.aligned, twin.violating) == (d.violating, d.aligned)
        assert twin.scenario != d.scenario


def test_languages_hold_the_same_dilemmas():
    english, chinese = (
        load_dilemmas("bank", vl.Selection(languages=[language], per_group=15, values=SOME)) for language in ("en", "zh")
    )
    assert [d.pair_id for d in english] == [d.pair_id for d in chinese]
    assert all(d.scenario.isascii() or "é" in d.scenario or "’" in d.scenario for d in english)
    assert not any(d.scenario.isascii() for d in chinese)


def test_the_seed_decides_and_a_subset_of_values_draws_the_same():
    three = vl.Selection(per_group=8, languages=["en"], seed=3)
    first = load_texts("bank", three)
    assert load_texts("bank", three) == first
    assert load_texts("bank", replace(three, seed=4)) != first
    assert load_texts("bank", replace(three, values=SOME)) == [text for text in first if text.value in SOME]
    fewer = load_texts("bank", vl.Selection(seed=3, per_group=3, languages=["en"], values=["freedom"]))
    assert {text.id for text in fewer} < {text.id for text in first}


def test_frames_and_situations_are_used_evenly():
    dilemmas = load_dilemmas("bank", vl.Selection(values=["justice"], languages=["en"], per_group=20))
    used = Counter(tuple(d.id.split("/")[:2]) for d in dilemmas)
    assert max(used.values()) - min(used.values()) <= 1


@pytest.mark.parametrize("load", [load_texts, load_dilemmas])
def test_unknown_names_of_the_bank_are_refused_with_the_known_ones(load):
    with pytest.raises(UnknownNameError, match="unknown value 'wealth'; known: prosperity, democracy"):
        load("bank", vl.Selection(values=["freedom", "wealth"]))
    with pytest.raises(UnknownNameError, match="unknown language 'fr'; known: en, zh"):
        load("bank", vl.Selection(languages=["fr"]))
    with pytest.raises(UnknownNameError, match="unknown split 'test'; known: activation, evaluation"):
        load("bank", vl.Selection(split="test"))
    with pytest.raises(UnknownNameError, match="unknown fillings 'some'; known: all, training, held_out"):
        load("bank", vl.Selection(fillings="some"))
    with pytest.raises(DataError, match="per_group is 0; give a count of at least 1, or 'all'"):
        load("bank", vl.Selection(per_group=0))


def test_one_name_may_be_given_bare():
    assert load_texts("bank", vl.Selection(values="freedom", languages="en", per_group=2)) == load_texts(
        "bank", vl.Selection(values=["freedom"], languages=["en"], per_group=2)
    )


def test_unknown_systems_of_the_bank_are_refused():
    with pytest.raises(UnknownNameError, match="unknown source of the bank 'maslow'; known: bank, bank:schwartz"):
        bank.frames("maslow")
    with pytest.raises(
        UnknownNameError, match="unknown source of the bank 'bank:maslow'; known: bank, bank:schwartz, bank:poles"
    ):
        load_texts("bank:maslow")


# Other sources


def test_every_source_gives_the_same_records(records, jsonl):
    import datasets

    rows = [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()]
    for source in (jsonl, str(jsonl), records, iter(records), rows, datasets.Dataset.from_list(rows)):
        assert load_texts(source) == records


def test_values_languages_and_counts_are_chosen_in_order(records, jsonl):
    assert load_texts(jsonl, vl.Selection(values=["duty"])) == [r for r in records if r.value == "duty"]
    assert load_texts(jsonl, vl.Selection(languages=["zh"], values=["care"])) == [
        r for r in records if (r.value, r.language) == ("care", "zh")
    ]
    twice = records + [
        vl.LabelledText(id=f"u{r.id}", text=r.text, value=r.value, aspect=r.aspect, language=r.language) for r in records
    ]
    few = load_texts(twice, vl.Selection(per_group=1))
    assert Counter(r.group for r in few) == Counter({r.group for r in records}) and few == [r for r in twice if r in few]
    assert load_texts(twice, vl.Selection(per_group=None)) == twice == load_texts(twice)


def test_a_group_of_dilemmas_is_value_and_language():
    rows = [
        vl.Dilemma(id=f"d{k}", scenario=f"case {k}", aligned="yes", violating="no", value="care", language=("en", "zh")[k % 2])
        for k in range(6)
    ]
    assert Counter(d.language for d in load_dilemmas(rows, vl.Selection(per_group=2))) == {"en": 2, "zh": 2}


def test_columns_may_have_other_names(records, tmp_path):
    names = {"text": "story", "value": "label"}
    rows = [
        {"id": r.id, "story": r.text, "label": r.value, "polarity": 1 if r.aspect == "+" else -1, "language": r.language}
        for r in records
    ]
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert load_texts(rows, columns=names) == records
    assert load_texts(path, columns=names) == records
    with pytest.raises(
        DataError, match=r"list, row 1: no column 'tale'; found \['id', 'label', 'language', 'polarity', 'story'\]"
    ):
        load_texts(rows, columns={"text": "tale"})


def test_unknown_names_of_a_file_are_refused_with_those_it_holds(jsonl):
    with pytest.raises(UnknownNameError, match="unknown value 'zeal'; known: care, duty"):
        load_texts(jsonl, vl.Selection(values=["care", "zeal"]))
    with pytest.raises(UnknownNameError, match="unknown language 'fr'; known: en, zh"):
        load_texts(jsonl, vl.Selection(languages=["fr"]))


def test_records_that_cannot_be_used_are_refused_with_their_row(records, tmp_path):
    with pytest.raises(DataError, match="6 of 6 rows cannot be used:\n  list, row 1: is a LabelledText, not a Dilemma"):
        load_dilemmas(records)
    with pytest.raises(DataError, match="list, row 2: field 'text' is missing; found"):
        load_texts([records[0], {"id": "x"}])
    with pytest.raises(DataError, match="list, row 1: expected an object with fields, got str"):
        load_texts(["a text without labels"])
    with pytest.raises(DataError, match="list holds no records"):
        load_texts([])
    (tmp_path / "empty.jsonl").write_text("\n\n")
    with pytest.raises(DataError, match=r"empty\.jsonl holds no records"):
        load_texts(tmp_path / "empty.jsonl")
    with pytest.raises(DataError, match=r"no file .*gone\.jsonl"):
        load_texts(str(tmp_path / "gone.jsonl"))
    with pytest.raises(DataError, match="per_group is -3; give a count of at least 1"):
        load_texts(records, vl.Selection(per_group=-3))


def test_a_malformed_line_is_named_with_file_line_and_field(records, tmp_path):
    path = write_jsonl(tmp_path / "bad.jsonl", records)
    path.write_text(path.read_text() + '{"id": "t9", "text": ""}\n')
    with pytest.raises(DataError, match=r"bad\.jsonl, line 7: field 'value' is missing; found \['id', 'text'\]"):
        load_texts(path)


def test_an_id_that_comes_twice_is_refused(records, tmp_path):
    path = write_jsonl(tmp_path / "twice.jsonl", [*records, records[2]])
    with pytest.raises(DataError, match=r"twice\.jsonl, line 7: field 'id': 't2' stands at .*, line 3 already"):
        load_texts(path)


def test_an_id_that_comes_twice_is_refused_from_any_source(records):
    with pytest.raises(DataError, match="'t2'"):
        load_texts([*records, records[2]])


def test_one_name_may_be_given_bare_for_any_source(records):
    assert load_texts(records, vl.Selection(values="duty")) == load_texts(records, vl.Selection(values=["duty"]))


def test_a_missing_file_with_columns_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no file .*gone\.jsonl"):
        load_texts(tmp_path / "gone.jsonl", columns={"text": "story"})


def test_a_hub_name_that_cannot_be_reached_says_what_to_do_offline():
    with pytest.raises(
        DataError, match=r"cannot load 'nobody/nothing' \(split 'train'\) as a data set: .*\nOffline: download it where"
    ):
        load_texts("nobody/nothing", vl.Selection(split="train"))
