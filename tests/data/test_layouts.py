"""Are published data sets read as they are laid out? On small files with the published columns and sentences of our own."""

import csv
import json

import openpyxl
import pandas
import pytest

import value_lens as vl
from value_lens.data import LAYOUTS, BadRowsError
from value_lens.errors import DataError, UnknownNameError


def table(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def dump(path, content):
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def workbook(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


STORY = {
    "ID": "S1", "norm": "Share.", "situation": "Ann has two pears.", "intention": "Ann wants a snack.",
    "moral_action": "Ann gives one away.", "moral_consequence": "Both eat.", "immoral_action": "Ann hides both.",
    "immoral_consequence": "One goes hungry.",
}  # fmt: skip


def test_moral_stories(tmp_path):
    (tmp_path / "moral_stories_full.jsonl").write_text(json.dumps(STORY) + "\n")
    for source in (f"moral_stories:{tmp_path}", f"moral_stories:{tmp_path / 'moral_stories_full.jsonl'}"):
        (found,) = vl.load_dilemmas(source)
        assert found == vl.Dilemma(
            id="S1", scenario="Ann has two pears. Ann wants a snack.", aligned="Ann gives one away.", violating="Ann hides both.",
            value="moral_norm", language="en", source="moral_stories",
        )  # fmt: skip
    up, down = vl.load_texts(source)
    assert (up.aspect, down.aspect) == ("+", "-")
    assert down.text == "Ann has two pears. Ann wants a snack. Ann hides both. One goes hungry."


def test_moralchoice(tmp_path):
    row = {
        "scenario_id": "C_1", "ambiguity": "low", "generation_type": "Generated", "generation_rule": "Keep your promises",
        "context": "You said you would call.", "action1": "I call.", "action2": "I do not.", "a1_death": "No",
    }  # fmt: skip
    table(tmp_path / "moralchoice_low_ambiguity.csv", [row])
    table(tmp_path / "moralchoice_high_ambiguity.csv", [row])
    (found,) = vl.load_dilemmas(f"moralchoice:{tmp_path}")
    assert (found.id, found.value, found.aligned) == ("C_1", "Keep your promises", "I call.")
    high = table(tmp_path / "high.csv", [{**row, "ambiguity": "high"}])
    with pytest.raises(BadRowsError, match=r"high\.csv, line 2: field 'ambiguity': only low-ambiguity scenarios"):
        vl.load_dilemmas(f"moralchoice:{high}")


def test_ethics(tmp_path):
    table(
        tmp_path / "cm_train.csv", [{"label": 1, "input": "I broke it.", "is_short": True}, {"label": 0, "input": "I swept."}]
    )
    table(
        tmp_path / "virtue_train.csv",
        [{"label": k, "scenario": text} for k, text in ((1, "Bo waited. [SEP] patient"), (0, "Bo ran. [SEP] calm"))],
    )
    table(tmp_path / "justice_train.csv", [{"label": 0, "scenario": "I pay her less as she sings."}])
    table(tmp_path / "deontology_train.csv", [{"label": 1, "scenario": "Can you post this?", "excuse": "It is Sunday."}])
    found = vl.load_texts(f"ethics:{tmp_path}")
    assert [(t.value, t.aspect, t.text) for t in found] == [
        ("commonsense", "-", "I broke it."),
        ("commonsense", "+", "I swept."),
        ("deontology", "+", "Can you post this? It is Sunday."),
        ("justice", "-", "I pay her less as she sings."),
        ("patient", "+", "Bo waited."),
        ("calm", "-", "Bo ran."),
    ]
    pairs = tmp_path / "util_train.csv"  # published without a header
    pairs.write_text("I had tea.,I spilt tea.\nI slept.,I woke early.\n")
    assert len(vl.load_texts(f"ethics:{tmp_path}")) == 6 and len(vl.load_dilemmas(f"ethics:{tmp_path}")) == 2
    assert vl.load_dilemmas(f"ethics:{pairs}")[0].aligned == "I had tea."
    with pytest.raises(BadRowsError, match="the utilitarianism table holds pairs; load it as dilemmas"):
        vl.load_texts(f"ethics:{pairs}")


def test_ethics_as_folders_of_like_named_files(tmp_path):
    for test in ("deontology", "justice"):
        (tmp_path / test).mkdir()
    table(tmp_path / "deontology" / "train.csv", [{"label": 1, "scenario": "Can you post this?", "excuse": "It is Sunday."}])
    table(tmp_path / "justice" / "train.csv", [{"label": 0, "scenario": "I pay her less as she sings."}])
    found = vl.load_texts(f"ethics:{tmp_path}")
    assert {text.value for text in found} == {"deontology", "justice"} and len({text.id for text in found}) == 2
    assert vl.load_texts(f"ethics:{tmp_path / 'deontology' / 'train.csv'}")[0].value == "deontology"


@pytest.mark.parametrize(
    ("source", "content"),
    [
        ("moral_stories:x.jsonl", "[1, 2]"),
        ("valueinsight:x.json", '["You roam."]'),
        ("value_portrait:x.json", '[{"content": "c", "outputs": [{"content": "o", "correlations": [["Power", null]]}]}]'),
    ],
)
def test_a_row_of_another_shape_is_a_bad_row(source, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / source.partition(":")[2]).write_text(content)
    with pytest.raises(BadRowsError, match="not laid out as expected"):
        vl.load_texts(source)


def test_touche_joins_arguments_and_labels(tmp_path):
    arguments = [
        {"Argument ID": "A1", "Conclusion": "We should plant trees", "Stance": "in favor of", "Premise": "trees give shade."},
        {"Argument ID": "A2", "Conclusion": "We should plant trees", "Stance": "against", "Premise": "leaves block drains."},
    ]
    labels = [
        {"Argument ID": "A1", "Stimulation": 0, "Universalism: nature": 1, "Hedonism": 1},
        {"Argument ID": "A2", "Stimulation": 0, "Universalism: nature": 0, "Hedonism": 0},
    ]
    table(tmp_path / "arguments-training.tsv", arguments, "\t")
    table(tmp_path / "labels-training.tsv", labels, "\t")
    found = vl.load_texts(f"touche:{tmp_path}")
    assert [(t.id, t.value, t.text) for t in found] == [
        ("A1/Hedonism", "Hedonism", "trees give shade."), ("A1/Universalism: nature", "Universalism: nature", "trees give shade."),
    ]  # fmt: skip
    assert found[0].prompt == "We should plant trees (in favor of) "
    (tmp_path / "labels-training.tsv").unlink()
    with pytest.raises(DataError, match=r"needs its labels beside it, in labels-training\.tsv"):
        vl.load_texts(f"touche:{tmp_path}")


def test_valuebench_as_texts_and_as_items(tmp_path):
    rows = [
        {"questionnaire": "X", "item": "I like rain.", "value": "Calmness", "agreement": 1, "question": "Should I?"},
        {"questionnaire": "X", "item": "Rain upsets me.", "value": "Calmness", "agreement": -1, "question": "Should I?"},
    ]
    path = table(tmp_path / "value_orientation.csv", rows)
    assert [t.aspect for t in vl.load_texts(f"valuebench:{path}")] == ["+", "-"]
    items = vl.load_items(f"valuebench:{path}")
    assert [(item.text, item.reverse_keyed) for item in items] == [("I like rain.", False), ("Rain upsets me.", True)]


def test_anthropic_persona_takes_its_value_from_the_file(tmp_path):
    rows = [
        {"question": 'Is this you? "I hum."', "statement": "I hum", "answer_matching_behavior": " Yes"},
        {"question": 'Is this you? "I mutter."', "statement": "I mutter", "answer_matching_behavior": " No"},
        {"question": "?", "statement": "x", "answer_matching_behavior": " Maybe"},
    ]
    path = tmp_path / "cheerfulness.jsonl"
    path.write_text("\n".join(map(json.dumps, rows[:2])))
    assert [(t.value, t.aspect, t.text) for t in vl.load_texts(f"anthropic_persona:{path}")] == [
        ("cheerfulness", "+", "I hum"), ("cheerfulness", "-", "I mutter"),
    ]  # fmt: skip
    assert [item.reverse_keyed for item in vl.load_items(f"anthropic_persona:{path}")] == [False, True]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(BadRowsError, match="line 3: field 'answer_matching_behavior': 'Maybe' is neither Yes nor No"):
        vl.load_texts(f"anthropic_persona:{path}")


def test_value_portrait_keeps_what_correlates(tmp_path):
    entry = {
        "content": {"title": "A trip", "text": "Where to?"}, "portrait_id": 7,
        "outputs": [{"content": "To the hills.", "id": 1, "correlations": [["Stimulation", 0.41], ["Security", -0.3], ["Power", 0.1]]}],
    }  # fmt: skip
    path = dump(tmp_path / "query-response-tagged.json", [entry])
    found = vl.load_texts(f"value_portrait:{path}")
    assert [(t.id, t.aspect, t.text) for t in found] == [
        ("7/1/stimulation", "+", "To the hills."),
        ("7/1/security", "-", "To the hills."),
    ]
    assert found[0].prompt == "A trip\n\nWhere to?\n\n"


def test_c_voice_from_a_workbook_and_from_json(tmp_path):
    header = ["scenario", "support", "conflict", "support_rationale", "conflict_rationale"]
    book = workbook(
        tmp_path / "c.xlsx",
        {
            "harmony": [header, ["You wait.", "Stay.", "Go.", "It is calm.", "It is late."]],
            "freedom": [header, ["你在路口。", "走。", "停。", "想走。", "累了。"]],
        },
    )  # fmt: skip
    dilemmas = vl.load_dilemmas(f"c_voice:{book}")
    assert [(d.value, d.language, d.aligned) for d in dilemmas] == [("harmony", "en", "Stay."), ("freedom", "zh", "走。")]
    texts = vl.load_texts(f"c_voice:{book}")
    assert [(t.aspect, t.text) for t in texts[:2]] == [("+", "You wait. Stay. It is calm."), ("-", "You wait. Go. It is late.")]
    assert texts[2].text == "你在路口。走。想走。"
    by_key = dump(tmp_path / "c.json", {"harmony": [{"scenario": "You wait.", "support": "Stay.", "conflict": "Go."}]})
    assert vl.load_dilemmas(f"c_voice:{by_key}")[0].value == "harmony"


def test_valueinsight_by_pole_keys(tmp_path):
    path = dump(tmp_path / "v.json", {"Openness to Change": ["You roam."], "Non-Openness to Change": ["You stay."]})
    assert [(t.value, t.aspect) for t in vl.load_texts(f"valueinsight:{path}")] == [
        ("openness_to_change", "+"), ("openness_to_change", "-"),
    ]  # fmt: skip
    rows = [{"id": 1, "value": "conservation", "pole": "negative", "description": "你不拘小节。"}]
    (found,) = vl.load_texts(f"valueinsight:{dump(tmp_path / 'w.json', rows)}")
    assert (found.aspect, found.language) == ("-", "zh")
    odd = dump(tmp_path / "x.json", [{"value": "conservation", "pole": "sideways", "description": "You tilt."}])
    with pytest.raises(BadRowsError, match="item 1: field 'pole': 'sideways' is neither positive nor negative"):
        vl.load_texts(f"valueinsight:{odd}")


def test_every_layout_has_a_licence_and_an_address():
    for name, layout in LAYOUTS.items():
        assert layout.name == name and layout.licence and layout.url.startswith("https://") and layout.converters


def test_a_hub_that_cannot_be_reached_and_files_that_are_not_there():
    with pytest.raises(DataError, match="cannot load 'LabHC/moral_stories'.*\nOffline: download it"):
        vl.load_dilemmas("moral_stories")
    with pytest.raises(DataError, match=r"valuebench is on no hub; get it from https://.* and give valuebench:PATH"):
        vl.load_texts("valuebench")
    with pytest.raises(DataError, match="moralchoice holds no LabelledText; it holds Dilemma"):
        vl.load_texts("moralchoice")
    with pytest.raises(DataError, match="no file gone.csv"):
        vl.load_dilemmas("moralchoice:gone.csv")


def test_files_of_the_hub_are_read_from_its_cache(tmp_path, monkeypatch):
    """The hub's own client, offline, on a cache laid out as it lays it out."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    cached = tmp_path / "datasets--Anthropic--model-written-evals"
    (cached / "snapshots" / "abc123" / "persona").mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc123")
    row = {"question": "?", "statement": "I hum", "answer_matching_behavior": " Yes"}
    (cached / "snapshots" / "abc123" / "persona" / "cheerfulness.jsonl").write_text(json.dumps(row))
    (found,) = vl.load_texts("anthropic_persona")
    assert (found.value, found.text) == ("cheerfulness", "I hum")
    with pytest.raises(DataError, match="cannot get the files of 'ninoscherrer/moralchoice': .*\nOffline: download it"):
        vl.load_dilemmas("moralchoice")


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(DataError, match=r"no files '\*low_ambiguity\*\.csv' of moralchoice under"):
        vl.load_dilemmas(f"moralchoice:{tmp_path}")


def test_any_table_by_a_column_map(tmp_path):
    rows = [{"key": "k1", "story": "She waited.", "topic": "patience", "pole": 1, "lang": "en"}]
    columns = {"id": "key", "text": "story", "value": "topic", "polarity": "pole", "language": "lang"}
    expected = vl.LabelledText(id="k1", text="She waited.", value="patience", aspect="+", language="en")
    book = workbook(tmp_path / "t.xlsx", {"s": [list(rows[0]), list(rows[0].values())]})
    frame = pandas.DataFrame(rows)
    frame.to_parquet(tmp_path / "t.parquet")
    for source in (
        rows, frame, table(tmp_path / "t.csv", rows), table(tmp_path / "t.tsv", rows, "\t"), dump(tmp_path / "t.json", rows),
        str(book), tmp_path / "t.parquet",
    ):  # fmt: skip
        assert vl.load_texts(source, columns=columns) == [expected]
    with pytest.raises(UnknownNameError, match="unknown value 'zeal'; known: patience"):
        vl.load_texts(rows, vl.Selection(values=["zeal"]), columns=columns)
