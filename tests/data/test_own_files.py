"""Are files that the library did not write left as they are, wherever it is pointed at them?"""

import json
from pathlib import Path

import pytest
import torch

import value_lens as vl
from value_lens.core import FiringStats, Kind
from value_lens.core import _store as store
from value_lens.data import to_dataset
from value_lens.endpoint import Journal
from value_lens.errors import ArtefactError, DataError, OutputError
from value_lens.organisms import read_true_neurons
from value_lens.study._folder import LONGEST, clear, file_name, neurons_of, picture_of, require_free
from value_lens.write import CorpusPlan, generate

GOOD = {"id": "a", "text": "She waits.", "value": "care", "aspect": "+", "language": "en"}
NOTES = ["precious", "", "{}", '{"where": 1}', "\0", '["where", "problem", "content"]', json.dumps(GOOD)]
HEADER = {"recipe": "question"}
ENTRY = {"id": "q/0", "answer": {"question": "Why?"}, "usage": [1, 2, 3], "by": "tiny"}


# Bad rows


@pytest.mark.parametrize("notes", [notes for notes in NOTES if notes])
@pytest.mark.parametrize("rows", [[GOOD], [GOOD, {"id": "b"}], [{"id": "b"}]], ids=["none bad", "some bad", "all bad"])
def test_bad_rows_never_replace_a_file_of_something_else(tmp_path, notes, rows):
    path = tmp_path / "notes.txt"
    path.write_text(notes)
    with pytest.raises(
        OutputError, match=f"{path} is there already and holds no bad rows of an earlier reading; give skip_bad"
    ):
        vl.load_texts(rows, skip_bad=path)
    assert path.read_text() == notes


def test_they_replace_those_of_an_earlier_reading(tmp_path):
    path = tmp_path / "bad.jsonl"
    vl.load_texts([GOOD, {"id": "b"}, {"id": "c"}], skip_bad=path)
    assert len(path.read_text().splitlines()) == 2
    vl.load_texts([GOOD, {"id": "b"}], skip_bad=path)
    assert len(path.read_text().splitlines()) == 1
    vl.load_texts([GOOD], skip_bad=path)
    assert not path.exists()


def test_an_empty_file_may_be_written_and_stays_where_nothing_is(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.touch()
    vl.load_texts([GOOD], skip_bad=path)
    assert path.read_bytes() == b""
    vl.load_texts([GOOD, {"id": "b"}], skip_bad=path)
    assert json.loads(path.read_text())["content"] == {"id": "b"}


def test_a_folder_is_no_file_for_bad_rows(tmp_path):
    with pytest.raises(OutputError, match="is there already"):
        vl.load_texts([GOOD], skip_bad=tmp_path)


def test_any_row_can_be_kept_apart(tmp_path):
    class Odd:
        def __str__(self):
            return "an odd thing"

    deep, endless = [], []
    for _ in range(2000):
        deep = [deep]
    endless.append(endless)
    bad = [
        {"id": "b", "text": Odd()},
        {"id": "c", "text": deep},
        {"id": "d", "text": endless},
        {"id": 10**5000},
        {"id": "\ud83d"},
    ]
    vl.load_texts([GOOD, *bad], skip_bad=tmp_path / "bad.jsonl")
    kept = [json.loads(line)["content"] for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert kept[0] == {"id": "b", "text": "an odd thing"} and kept[4] == {"id": "\ud83d"} and len(kept) == 5


# The journal


@pytest.mark.parametrize(
    "content",
    [
        "my own journal, no newline at its end",
        "my own journal\nwith lines",
        "my own journal\n",
        '{"journal": 3}\nmore',
        '{"id": "q/0"}\n{"id": "q/1"',
        '{"journal":{"recipe":"quest',
        "\ud83d",
    ],
)
def test_a_journal_of_somebody_else_is_never_cut(tmp_path, content):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content.encode(errors="surrogatepass"))
    if content.startswith('{"journal":{'):  # torn in its first line by a kill: ours
        with Journal.open(path, HEADER):
            pass
        assert path.read_text() == '{"journal":{"recipe":"question"}}\n'
        return
    with pytest.raises(DataError, match="journal.jsonl.* is .*left as it is.* choose another folder"):
        with Journal.open(path, HEADER):
            pytest.fail("it was taken for a journal")
    assert path.read_bytes() == content.encode(errors="surrogatepass")


@pytest.mark.parametrize("torn", ['{"id":"q/1","ans', "garbage", "\0\0\0"])
def test_the_torn_line_of_a_journal_is_cut_off(tmp_path, torn):
    path = tmp_path / "journal.jsonl"
    with Journal.open(path, HEADER, ["question"]) as journal:
        journal.add(ENTRY)
    whole = path.read_bytes()
    path.write_bytes(whole + torn.encode())
    with Journal.open(path, HEADER, ["question"]) as journal:
        assert journal.entries == {"q/0": ENTRY}
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 3}, {"id": ["q"]}, {"id": ""}, {"usage": [1, 2]}, {"usage": [1, 2, "3"]}, {"usage": [1, 2, -3]}, {"usage": None}, {"by": 3},
        {"answer": {}}, {"answer": {"question": 3}}, {"answer": {"question": "\ud83d"}}, {"answer": "Why?"}, {"answer": None},
    ],
)  # fmt: skip
def test_an_entry_that_is_none_is_told_with_its_line(tmp_path, changes):
    path = tmp_path / "journal.jsonl"
    lines = [{"journal": HEADER}, ENTRY, {**ENTRY, "id": "q/1", **changes}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = path.read_bytes()
    with pytest.raises(DataError, match=f"{path}, line 3: damaged; remove the line to have its item written again"):
        with Journal.open(path, HEADER, ["question"]):
            pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["texts.jsonl", "dilemmas.jsonl", "questions.jsonl", "summary.json"])
def test_a_corpus_is_never_written_over_one_that_no_journal_knows(tmp_path, name):
    (tmp_path / name).write_text("precious")
    with pytest.raises(
        OutputError, match=f"{name} is there already, and no journal of a run that wrote it; choose another folder"
    ):
        generate(
            "pole",
            lambda messages: pytest.fail("it was asked"),
            tmp_path,
            CorpusPlan(n_items=1, values=["freedom"], languages=["en"]),
        )
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "precious"


# The folder of a run


def a_run(folder: Path) -> list[str]:
    """The files of an earlier run, as far as they are told by what stands in them."""
    store.write_json(folder / "summary.json", {"model": {}, "corpus": {}, "ablation": {}, "support": {}})
    store.write_atomically(folder / "matrix.csv", b"language,ablated,evaluated,n_neurons\n")
    store.save(folder / "stats.safetensors", Kind("firing statistics", fields={}), {})
    vl.NeuronSet.from_pairs([(0, 1)], site="post", n_layers=1, d_mlp=2).save(folder / neurons_of("care"))
    for name in (picture_of("en"), "layers.png"):
        store.write_atomically(folder / name, b"\x89PNG")
    return ["summary.json", "matrix.csv", "stats.safetensors", neurons_of("care"), picture_of("en"), "layers.png"]


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_files_of_an_earlier_run_may_go(tmp_path):
    names = a_run(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    require_free(tmp_path)
    assert files_in(tmp_path) == sorted([*names, "notes.txt"])
    clear(tmp_path)
    assert files_in(tmp_path) == ["notes.txt"]


@pytest.mark.parametrize("name", ["summary.json", "matrix.csv", "stats.safetensors", "neurons/care.json"])
@pytest.mark.parametrize("content", ["precious", "{}", '{"model": 3}', "", "a,b\n1,2\n"])
@pytest.mark.parametrize("beside", [True, False], ids=["beside a run", "alone"])
def test_a_file_of_that_name_that_no_run_wrote_is_kept(tmp_path, name, content, beside):
    if beside:
        a_run(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    before = files_in(tmp_path)
    with pytest.raises(OutputError, match=f"{name} is there already, and no run wrote it; move it, or choose another folder"):
        require_free(tmp_path)
    assert files_in(tmp_path) == before and (tmp_path / name).read_text() == content


@pytest.mark.parametrize("name", ["layers.png", "effects_of_my_study.png"])
def test_a_picture_is_a_runs_only_beside_its_other_files(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x89PNG")
    with pytest.raises(OutputError, match=f"{name} is there already, and no run wrote it"):
        require_free(tmp_path)
    a_run(tmp_path)
    require_free(tmp_path)


@pytest.mark.parametrize("name", ["x" * 300, "爱" * 300, "\ud83d", "a\0b", "../" * 50, "." * 300, ""])
def test_any_name_makes_a_file_that_can_be_written(tmp_path, name):
    made = file_name(name)
    assert len(made) <= LONGEST + 7 and made not in (".", "..") and "/" not in made
    assert store.write_atomically(tmp_path / neurons_of(name), b"x").parent == tmp_path / "neurons"
    assert file_name(name + "x") != made


# Names that are no file's


LONG = [
    "a" * 300,
    "a" * 5000 + ".jsonl",
    "a\0b",
    "a\0b.jsonl",
    "b/" * 3000 + "x.csv",
    "moral_stories:" + "a" * 300,
    "moral_stories:a\0b",
]


@pytest.mark.parametrize("name", LONG)
def test_a_name_that_can_be_no_file_is_told(name, tmp_path):
    for load in (vl.load_texts, vl.load_dilemmas, vl.load_items):
        with pytest.raises(DataError):
            load(name)
    with pytest.raises(vl.ValueLensError):
        vl.load_texts([GOOD, {"id": "b"}], skip_bad=name) if "\0" in name else vl.load_texts(Path(name))
    with pytest.raises(DataError, match="no file"):
        vl.load_system(name)
    with pytest.raises(vl.ValueLensError, match="no file"):
        vl.NeuronSet.load(name)
    with pytest.raises(OutputError, match="cannot write"):
        store.write_json(name + "/x", {})


def test_no_part_of_the_library_asks_for_a_file_in_a_way_that_fails_for_a_long_name():
    """`Path.is_file` and its kin raise for names that are too long; `os.path` says no."""
    root = Path(vl.__file__).parent
    asked = [path for path in root.rglob("*.py") if any(way in path.read_text() for way in (".is_file()", ".is_dir()"))]
    assert [str(path.relative_to(root)) for path in asked] == []


BROKEN = Path("/proc/self/mem")  # a file that cannot be read at its beginning


@pytest.mark.skipif(not BROKEN.exists(), reason="only where the system has such a file")
@pytest.mark.parametrize(
    "name", ["t.jsonl", "t.json", "t.csv", "t.tsv", "t.xlsx", "t.parquet", "s.yaml", "s.json", "neurons.json"]
)
def test_a_file_that_fails_while_it_is_read_is_named(tmp_path, name):
    path = tmp_path / name
    path.symlink_to(BROKEN)
    load = {"s": vl.load_system, "neurons": vl.NeuronSet.load}.get(path.stem, vl.load_texts)
    with pytest.raises(vl.ValueLensError, match=f"{path} .*(cannot be read|is not|is damaged)"):
        load(path)


def test_a_damaged_data_set_folder_is_named(tmp_path):
    folder = tmp_path / "saved"
    to_dataset([vl.LabelledText(**GOOD)] * 50).save_to_disk(folder)
    (data,) = folder.glob("*.arrow")
    content = data.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"precious"):
        data.write_bytes(damaged)
        with pytest.raises(DataError, match=f"{folder}"):
            vl.load_texts(folder)


def test_true_neurons_that_are_none_are_told_with_their_file(tmp_path):
    path = tmp_path / "true_neurons.json"
    assert read_true_neurons(tmp_path) is None
    stated = {"site": "post", "n_layers": 2, "d_mlp": 3, "neurons": {"care": [[0, 1]]}}
    for changes, problem in (
        ({"neurons": {"care": [[0, 7]]}}, r"neuron \(layer 0, index 7\) is out of range"),
        ({"neurons": {"care": [[0, 1.5]]}}, "field 'neurons': expected by value lists of"),
        ({"neurons": [[0, 1]]}, "field 'neurons': expected by value lists of"),
        ({"d_mlp": "3"}, "field 'd_mlp': expected a whole number from 1"),
        ({"more": 1}, "field 'more' is not known"),
    ):
        path.write_text(json.dumps({**stated, **changes}))
        with pytest.raises(ArtefactError, match=f"{path} (?s:.*){problem}"):
            read_true_neurons(tmp_path)
    path.write_text("{")
    with pytest.raises(ArtefactError, match=f"{path} cannot be read: not JSON"):
        read_true_neurons(tmp_path)


# Halves of character pairs in what is made by hand

HALF = "good \ud83d"


@pytest.mark.parametrize(
    "make",
    [
        *(
            lambda name=name: vl.LabelledText(**{**GOOD, name: HALF})
            for name in ("id", "text", "value", "language", "prompt", "source")
        ),
        lambda: vl.Dilemma(id="d", scenario="s", aligned="a", violating=HALF, value="v", language="en"),
        lambda: vl.QuestionnaireItem(id="q", text=HALF, value="v", language="en"),
        lambda: vl.ValueSystem(HALF, (vl.Value("care", {"en": "Care"}, "d"),)),
        lambda: vl.Value(HALF, {"en": "Care"}, "d"),
        lambda: vl.Value("care", {"en": HALF}, "d"),
        lambda: FiringStats.from_counts([(HALF, "+", "en")], [1], torch.zeros(1, 1, 1)),
    ],
)
def test_half_a_character_pair_is_refused_where_it_comes_in(make):
    with pytest.raises(DataError, match=r"good \\ud83d.* holds half of a character pair"):
        make()


@pytest.mark.parametrize("engine", ["bridge"])
def test_half_a_character_pair_is_never_handed_to_a_tokenizer(models, engine):
    lens = vl.ValueLens(models[engine, "llama"])
    with pytest.raises(DataError, match=r"good \\ud83d' holds half of a character pair"):
        lens.activations(HALF, vl.NeuronSet.from_pairs([(0, 0)], site="post", n_layers=3, d_mlp=37))
    prompt = vl.Prompt(id="p", system="", user=HALF, value="v", aspect="+", language="en")
    with pytest.raises(DataError, match="holds half of a character pair"):
        vl.respond(lens.model, [prompt])
