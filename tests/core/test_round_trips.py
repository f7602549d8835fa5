"""Every field of a record comes back in its own place, from every way of writing and reading, from generation and answers."""

import json
from dataclasses import MISSING, asdict, fields

import datasets
import openpyxl
import pandas
import pytest

import value_lens as vl
from value_lens.audit import audit_corpus
from value_lens.core import Group
from value_lens.data import BANKS, frames, stream, to_dataset, to_frame, write_jsonl
from value_lens.write import RECIPES, Task

KINDS = (vl.LabelledText, vl.Dilemma, vl.QuestionnaireItem, vl.SituationalQuestion)
SPECIAL = {"aspect": "-", "reverse_keyed": True}


def row_of(kind):
    """A row in which no two fields hold the same."""
    return {field.name: SPECIAL.get(field.name, f"the {field.name}") for field in fields(kind)}


def as_workbook(rows, folder):
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    book.save(folder / "r.xlsx")
    return folder / "r.xlsx"


def as_text(name, content):
    def write(rows, folder):
        (folder / name).write_text(content(rows), encoding="utf-8")
        return folder / name

    return write


def as_file(name, write):
    def written(rows, folder):
        write(pandas.DataFrame(rows), folder / name)
        return folder / name

    return written


def as_saved_data_set(rows, folder):
    datasets.Dataset.from_list(rows).save_to_disk(folder / "saved")
    return folder / "saved"


WAYS = {
    "jsonl": as_text("r.jsonl", lambda rows: "\n".join(map(json.dumps, rows))),
    "json": as_text("r.json", json.dumps),
    "csv": as_file("r.csv", lambda frame, path: frame.to_csv(path, index=False)),
    "tsv": as_file("r.tsv", lambda frame, path: frame.to_csv(path, index=False, sep="\t")),
    "workbook": as_workbook,
    "parquet": as_file("r.parquet", lambda frame, path: frame.to_parquet(path)),
    "pandas": lambda rows, folder: pandas.DataFrame(rows),
    "datasets": lambda rows, folder: datasets.Dataset.from_list(rows),
    "saved": as_saved_data_set,
    "mappings": lambda rows, folder: rows,
    "written": lambda rows, folder: write_jsonl(folder / "w.jsonl", rows),
}
OURS = {
    "write_jsonl": lambda records, folder: write_jsonl(folder / "o.jsonl", records),
    "to_frame": lambda records, _: to_frame(records),
    "to_dataset": lambda records, _: to_dataset(records),
}
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
each_way = pytest.mark.parametrize("way", WAYS)


def by_name(record):
    return {name: getattr(record, name) for name in asdict(record)}


@each_kind
@each_way
def test_every_field_is_read_into_its_own_place(kind, way, tmp_path):
    (found,) = stream(kind, WAYS[way]([row_of(kind)], tmp_path))
    assert by_name(found) == row_of(kind)


@each_kind
@pytest.mark.parametrize("way", OURS)
def test_every_field_is_written_from_its_own_place(kind, way, tmp_path):
    source = OURS[way]([kind(**row_of(kind))], tmp_path)
    (found,) = stream(kind, source)
    assert by_name(found) == row_of(kind)


@each_kind
def test_a_record_cannot_be_built_by_place(kind):
    with pytest.raises(TypeError):
        kind(*row_of(kind).values())


@each_kind
@each_way
def test_fields_that_are_left_out_have_their_default(kind, way, tmp_path):
    needed = {field.name: row_of(kind)[field.name] for field in fields(kind) if field.default is MISSING}
    (found,) = stream(kind, WAYS[way]([needed], tmp_path))
    left_out = [field.name for field in fields(kind) if field.default is not MISSING]
    assert left_out and {name: getattr(found, name) for name in left_out} == {
        name: False if name == "reverse_keyed" else "" for name in left_out
    }


# Generation


ANSWERS = {key: f"the {key}" for step in RECIPES["dilemma"].steps for key in step.fields}


def dilemma_task(number, language="en", name="freedom"):
    return Task("dilemma", vl.chinese_social[name], "", language, number)


def test_a_generated_dilemma_names_each_field():
    dilemma, up, down = RECIPES["dilemma"].records(dilemma_task(7), ANSWERS)
    assert by_name(dilemma) == {
        "id": "dilemma/freedom/en/00007",
        "scenario": "the background",
        "aligned": "the aligned",
        "violating": "the violating",
        "value": "freedom",
        "language": "en",
        "pair_id": "dilemma/freedom/00007",
        "cluster": "",
        "source": "generated:dilemma",
    }
    for text, aspect, choice in ((up, "+", "aligned"), (down, "-", "violating")):
        assert by_name(text) == {
            "id": f"dilemma/freedom/en/00007/{aspect}",
            "text": f"The background. The {choice}. The {choice}_rationale.",
            "value": "freedom",
            "aspect": aspect,
            "language": "en",
            "prompt": "",
            "cluster": "dilemma/freedom/00007",
            "source": "generated:dilemma",
        }


@pytest.mark.parametrize(("recipe", "aspect", "answer"), [("pole", "-", "description"), ("question", "", "question")])
def test_a_generated_description_or_question_names_each_field(recipe, aspect, answer):
    task = Task(recipe, vl.chinese_social["justice"], aspect, "zh", 3)
    (record,) = RECIPES[recipe].records(task, {answer: "what was written"})
    expected = {
        "id": task.id,
        "text": "what was written",
        "value": "justice",
        "language": "zh",
        "source": f"generated:{recipe}",
    }
    assert by_name(record) == expected | ({"aspect": "-", "prompt": "", "cluster": ""} if aspect else {})


def test_each_generated_item_is_its_own_evidence_but_for_its_twins_in_other_languages():
    made = [d for n in range(5) for l in ("en", "zh") for d in RECIPES["dilemma"].records(dilemma_task(n, l), ANSWERS)]
    units = {}
    for record in made:
        units.setdefault(record.unit, set()).add((record.id.split("/")[3], record.language))
    assert [sorted(found) for found in units.values()] == [[(f"{n:05d}", "en"), (f"{n:05d}", "zh")] for n in range(5)]


# Files written when a generated dilemma's source stood in its cluster


@each_way
def test_a_generated_dilemma_written_so_far_is_put_right(way, tmp_path):
    right = {**row_of(vl.Dilemma), "cluster": "", "source": "generated:dilemma"}
    written = {**right, "cluster": "generated:dilemma", "source": ""}
    (found,) = vl.load_dilemmas(WAYS[way]([written], tmp_path))
    assert by_name(found) == right and found.unit == "the pair_id"


@pytest.mark.parametrize(
    "kept",
    [
        {"cluster": "generated:dilemma", "source": "mine"},
        {"cluster": "frame-1", "source": ""},
        {"cluster": "", "source": "generated:dilemma"},
    ],
)
@each_way
def test_nothing_else_is_exchanged(way, kept, tmp_path):
    (found,) = vl.load_dilemmas(WAYS[way]([{**row_of(vl.Dilemma), **kept}], tmp_path))
    assert {name: getattr(found, name) for name in kept} == kept


def test_a_corpus_put_right_is_many_pieces_of_evidence_whose_giveaways_the_audit_sees(tmp_path):
    rows = [
        {
            **row_of(vl.Dilemma), "id": f"dilemma/freedom/en/{n:05d}", "pair_id": f"dilemma/freedom/{n:05d}", "scenario": f"case {n}",
            "aligned": f"kindly help {n}", "violating": f"rudely go {n}", "language": "en", "cluster": "generated:dilemma", "source": "",
        }
        for n in range(16)
    ]  # fmt: skip
    dilemmas = vl.load_dilemmas(write_jsonl(tmp_path / "dilemmas.jsonl", rows))
    assert len({d.unit for d in dilemmas}) == 16
    found = audit_corpus([], dilemmas)
    assert found.languages["en"].giveaway.accuracy == {"the value": 1.0}
    assert any("tells the aligned option in 100%" in problem for problem in found.failures())


# The bank and answers


@pytest.mark.parametrize("source", BANKS)
def test_the_bank_gives_texts_and_dilemmas_their_frame_for_a_cluster(source):
    for split, load in (("activation", vl.load_texts), ("evaluation", vl.load_dilemmas)):
        records = load(source, vl.Selection(split=split, per_group=30))
        names = {(frame.value, frame.id) for frame in frames(source) if frame.split == split}
        for language in ("en", "zh"):
            assert {(r.value, r.cluster) for r in records if r.language == language} == names
        assert all(r.unit == r.cluster for r in records)


def test_descriptions_of_one_theme_are_one_cluster():
    found = {}
    for text in vl.load_texts("bank:poles"):
        found.setdefault((text.value, text.cluster), set()).add((text.aspect, text.language))
    assert all(members == {(a, l) for a in "+-" for l in ("en", "zh")} for members in found.values())
    assert len(found) * 4 == len(vl.load_texts("bank:poles"))


def test_an_answer_names_each_field(models):
    prompt = vl.Prompt(id="the id", system="the river", user="the garden", value="the value", aspect="-", language="en")
    (answer,) = vl.respond(models["bridge", "gpt2"], [prompt], max_new_tokens=3)
    expected = {"id": "the id", "value": "the value", "aspect": "-", "language": "en", "cluster": "", "source": "response"}
    assert {name: getattr(answer, name) for name in expected} == expected
    assert answer.group == Group("the value", "-", "en")
    assert "the river" in answer.prompt and "the garden" in answer.prompt and answer.text not in ("", answer.prompt)
