"""Every outcome of every reader is a right answer or an error of the library that names the file, whatever it is handed.

Each reader is given mutations of a good input (`mutants`). Right is: what rows were not touched are there unchanged, what was loaded
keeps the laws of its kind, and comes back from a file as it is.
"""

import json
import random
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import mutants
import pandas
import pytest
import torch

import value_lens as vl
from value_lens.core import EffectMatrix, FiringStats, NeuronScores
from value_lens.data import load_corpus
from value_lens.endpoint import Journal
from value_lens.errors import LINE, LINES, ValueLensError
from value_lens.measure import load_wordings
from value_lens.organisms import read_true_neurons

FIRST = Path(__file__).parents[1] / "schema_1"
MOST_LETTERS = (LINE + 1) * LINES  # of a message


def sound_records(found, kept=()):
    """Records that could have been made by hand, and those rows that nobody touched among them."""
    assert found
    for record in found:
        assert type(record)(**asdict(record)) == record
        assert all(given == given.encode().decode() for given in asdict(record).values() if isinstance(given, str))
    assert len({record.id for record in found}) == len(found)
    texts = {record.id: asdict(record) for record in found}
    for row in kept:
        assert {name: texts[row["id"]][name] for name in row} == row


class Reader:
    """What is read, under the name of its file, which every error must give."""

    name = ""

    @property
    def named(self):
        return self.name


class Table(Reader):
    """A file of rows. Where the changed content is known and rows stand by themselves, the others must be there."""

    def __init__(self, name, write, by_rows=True):
        self.name, self.write, self.by_rows = name, write, by_rows

    def mutant(self, rng):
        return mutants.mutate(mutants.GOOD, self.write, rng)

    def read(self, path, changed, rng):
        skip = path.with_name("bad.jsonl") if rng.random() < 0.7 else None
        found = vl.load_texts(path, vl.Selection(per_group=None), skip_bad=skip)
        whole = isinstance(changed, list) and all(isinstance(row, dict) for row in changed)
        untouched = [row for row in mutants.GOOD if row in changed] if whole and self.by_rows else []
        sound_records(found, [row for row in untouched if alone(row, changed)])


def alone(row, rows):
    """Whether no other row has its id, which would make the second of them bad."""
    return sum(other.get("id") == row["id"] for other in rows) == 1


class Workbook(Table):
    def __init__(self):
        super().__init__("book.xlsx", None)
        self.parts = mutants.workbook_parts()

    def mutant(self, rng):
        parts = dict(self.parts)
        for _ in range(rng.choice([0, 1, 1, 2])):
            name = rng.choice(["xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml", *sorted(parts)])
            parts[name] = mutants.damage(parts[name], rng)
        content = mutants.packed(parts)
        return (mutants.damage(content, rng) if rng.random() < 0.3 else content), None


class Published(Table):
    """A published data set, read through its layout."""

    def __init__(self, layout, name, rows, write):
        super().__init__(name, write, by_rows=False)
        self.layout, self.rows = layout, rows

    def mutant(self, rng):
        return mutants.mutate(self.rows, self.write, rng)

    def read(self, path, changed, rng):
        texts, dilemmas = load_corpus(f"{self.layout}:{path}", vl.Selection(per_group=None), skip_bad=rng.random() < 0.5)
        sound_records([*texts, *dilemmas])


class Rows(Table):
    """Rows that no file holds: a list of mappings, or a pandas table."""

    def __init__(self, named, made):
        super().__init__("rows.json", mutants.json_bytes)
        self.made, self.kind = made, named

    @property
    def named(self):
        return self.kind

    def mutant(self, rng):
        changed = mutants.GOOD
        while rng.random() < 0.7:
            changed = mutants.change(changed, rng)
        return b"", changed

    def read(self, path, changed, rng):
        rows = mutants.GOOD if changed is None else changed
        whole = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        found = vl.load_texts(
            self.made(rows if whole else [rows]), vl.Selection(per_group=None), skip_bad=path.with_name("bad.jsonl")
        )
        sound_records(found, [row for row in mutants.GOOD if whole and row in rows and alone(row, rows)])


def frame_of(rows):
    """Pandas itself makes no table of half a character pair."""
    return pandas.DataFrame(json.loads(json.dumps(rows).replace(r"\ud83d", "?")))


class System(Reader):
    def __init__(self, name, write):
        self.name, self.write = name, write

    def mutant(self, rng):
        return mutants.mutate(mutants.SYSTEM, self.write, rng)

    def read(self, path, changed, rng):
        system = vl.load_system(path)
        assert system.names and all(value.name.strip() and value.labels for value in system)
        for ending in ("yaml", "json"):
            assert vl.load_system(vl.save_system(system, path.with_name(f"again.{ending}"))) == system


class Journals(Reader):
    name, header = "journal.jsonl", {"recipe": "question", "values": ["care"]}
    entries = [
        {"journal": header},
        {"id": "q/0", "answer": {"question": "Why?"}, "usage": [1, 2, 3], "by": "tiny"},
        {"id": "q/1/given-up", "problem": "busy", "usage": [2, 0, 0]},
        {"id": "q/2", "answer": {"question": "How?"}, "usage": [1, 0, 9], "by": "tiny"},
    ]

    def mutant(self, rng):
        return mutants.mutate(self.entries, mutants.jsonl_bytes, rng)

    def read(self, path, changed, rng):
        before = path.read_bytes()
        try:
            with Journal.open(path, self.header, ["question"]) as journal:
                journal.add({"id": "new", "answer": {"question": "When?"}, "usage": [1, 1, 1], "by": "tiny"})
                for key, entry in journal.entries.items():
                    assert entry["id"] == key and sum(entry["usage"]) >= 0
                    assert "problem" in entry or (entry["by"].strip() and entry["answer"]["question"].strip())
            kept = before[: before.rfind(b"\n") + 1]
            assert path.read_bytes().startswith(kept) and path.read_bytes().endswith(b"\n")
        except ValueLensError:
            assert before.startswith(path.read_bytes())
            assert path.read_bytes() == before or before.startswith(b'{"journal"')
            raise


class Artefact(Reader):
    """An artefact whose content was changed and sealed again, or whose bytes were damaged."""

    def __init__(self, kind, file, laws):
        self.kind, self.name, self.laws, content = kind, file, laws, (FIRST / file).read_bytes()
        if content[:1] == b"{":
            envelope, self.tensors = json.loads(content), {}
        else:
            from safetensors import safe_open

            with safe_open(FIRST / file, framework="pt") as opened:
                envelope = json.loads(opened.metadata()["value_lens"])
                self.tensors = {name: opened.get_tensor(name) for name in opened.keys()}
        self.known, self.meta = envelope["kind"], envelope["meta"]

    def mutant(self, rng):
        meta, tensors, schema = self.meta, self.tensors, 1
        while rng.random() < 0.5:
            draw = rng.random()
            if draw < 0.05:
                schema = mutants.hostile(rng)
            elif draw < 0.5 and tensors:
                tensors = mutants.change_tensors(tensors, rng)
            else:
                meta = mutants.change(meta, rng)
        content = mutants.resealed("other" if rng.random() < 0.03 else self.known, schema, meta, tensors)
        return (mutants.damage(content, rng) if rng.random() < 0.25 else content), None

    def read(self, path, changed, rng):
        found = self.kind.load(path)
        self.laws(found)
        again = found.save(path.with_name("again"))
        assert self.kind.load(again).save(path.with_name("twice")).read_bytes() == again.read_bytes()


def laws_of_neurons(found):
    assert all(0 <= layer < found.n_layers and 0 <= index < found.d_mlp for layer, index in found.neurons)
    assert all(type(number) is int for pair in found.neurons for number in pair)
    assert isinstance(found.site, str) and isinstance(found.model, str)


def laws_of_scores(found):
    assert found.scores.shape == (len(found.values), found.n_layers, found.d_mlp) and found.scores.is_floating_point()
    assert all(part.shape[-2:] == found.scores.shape[-2:] for part in found.parts.values())


def laws_of_stats(found):
    n_groups = len(found.groups)
    assert found.fired.shape == (n_groups, found.n_layers, found.d_mlp) and found.fired.dtype == torch.int64
    assert found.n_tokens.shape == found.n_texts.shape == (n_groups,)
    for place, counted in enumerate(found.fired):
        assert all(0 <= count <= found.n_tokens[place] for count in counted.flatten())
    for sums in (found.total, found.total_sq):
        assert sums is None or (sums.shape == found.fired.shape and bool(sums.isfinite().all()))
    assert found.block_fired is None or torch.equal(found.block_fired.sum(0), found.fired)
    assert found.n_texts_cut is None or found.n_texts_cut >= 0
    assert set(found.values) == {group.value for group in found.groups}


def laws_of_matrix(found):
    n_items = len(found.scores.item_ids)
    assert len(found.scores.item_values) == len(found.scores.item_languages) == len(found.scores.item_clusters) == n_items
    assert found.scores.clean.shape == (n_items,) and found.scores.own.shape == (len(found.intervened), n_items)
    assert len(found.n_neurons) == len(found.intervened) and all(count >= 0 for count in found.n_neurons)
    assert sum(len(found.scores.items_of(l, v)) for l in found.languages for v in found.values) == n_items


class TrueNeurons(Reader):
    name = "true_neurons.json"
    stated = {"site": "post", "n_layers": 2, "d_mlp": 3, "neurons": {"care": [[0, 1], [1, 2]], "duty": []}}

    def mutant(self, rng):
        return mutants.mutate(self.stated, mutants.json_bytes, rng)

    def read(self, path, changed, rng):
        for neurons in read_true_neurons(path.parent).values():
            laws_of_neurons(neurons)


class Wordings(Reader):
    name = "w.json"
    stated = {"en": {"prompt": "{scenario}\nA. {first}\nB. {second}\nAnswer:", "answers": [" A", " B"]}}

    def mutant(self, rng):
        return mutants.mutate(self.stated, mutants.json_bytes, rng)

    def read(self, path, changed, rng):
        for wording in load_wordings(path, "label").values():
            assert all(text.encode() and type(text) is str for text in (wording.prompt, *wording.answers))
            assert wording.prompt.format(scenario="S", first="F", second="G").count("S") >= 1


STORY = {
    "ID": "s1", "norm": "It is good to help.", "situation": "Ann sees a fall.", "intention": "Ann goes on.", "moral_action": "She helps.",
    "immoral_action": "She walks by.", "moral_consequence": "He thanks her.", "immoral_consequence": "He lies there.",
}  # fmt: skip
PORTRAIT = {
    "portrait_id": "p1", "content": {"title": "At work", "text": "What now?"},
    "outputs": [{"id": "o1", "content": "I wait.", "correlations": [["Care", 0.5], ["Power", -0.4], ["Face", 0.1]]}],
}  # fmt: skip
READERS = {
    "jsonl": Table("t.jsonl", mutants.jsonl_bytes),
    "json": Table("t.json", mutants.json_bytes),
    "csv": Table("t.csv", mutants.csv_bytes),
    "plain tsv": Table("t.tsv", mutants.plain_tsv_bytes),
    "quoting tsv": Table("t.tsv", mutants.quoting_tsv_bytes),
    "parquet": Table("t.parquet", mutants.parquet_bytes, by_rows=False),
    "workbook": Workbook(),
    "list": Rows("list, row", list),
    "pandas table": Rows("DataFrame", frame_of),
    "moral stories": Published("moral_stories", "moral_stories.jsonl", [STORY, {**STORY, "ID": "s2"}], mutants.jsonl_bytes),
    "value portrait": Published("value_portrait", "query-response-tagged.json", [PORTRAIT], mutants.json_bytes),
    "valueinsight": Published(
        "valueinsight", "v.json", {"care": [{"description": "You help."}], "non-care": ["You pass by."]}, mutants.json_bytes
    ),
    "system yaml": System("s.yaml", mutants.yaml_bytes),
    "system json": System("s.json", mutants.json_bytes),
    "journal": Journals(),
    "neurons": Artefact(vl.NeuronSet, "neurons_union.json", laws_of_neurons),
    "scores": Artefact(NeuronScores, "scores_parts.safetensors", laws_of_scores),
    "stats": Artefact(FiringStats, "stats_moments_blocks.safetensors", laws_of_stats),
    "plain stats": Artefact(FiringStats, "stats_merged.safetensors", laws_of_stats),
    "matrix": Artefact(EffectMatrix, "matrix.safetensors", laws_of_matrix),
    "true neurons": TrueNeurons(),
    "wordings": Wordings(),
}


def outcomes_of(reader, n_mutants, folder, seed):
    """How often a reader read a mutant, and how often it refused one."""
    counted = Counter()
    for number in range(n_mutants):
        rng = random.Random(f"{seed}/{number}")
        path = folder / reader.name
        content, changed = reader.mutant(rng)
        path.write_bytes(content)
        for old in folder.glob("*bad*.jsonl"):
            old.unlink()
        try:
            reader.read(path, changed, rng)
            counted["right"] += 1
        except ValueLensError as error:
            told = str(error)
            assert reader.named in told and len(told) <= MOST_LETTERS, (number, told)
            told.encode()
            counted["refused"] += 1
        except Exception as error:
            raise AssertionError(f"mutant {number} of seed {seed!r}: {content[:300]!r}") from error
    return counted


def run(name, n_mutants, folder, seed):
    counted = outcomes_of(READERS[name], n_mutants, folder, f"{seed}/{name}")
    print(f"{name}: {dict(counted)}")
    assert counted["right"] > n_mutants / 50 and counted["refused"] > n_mutants / 50, counted
    return counted


@pytest.mark.parametrize("name", READERS)
def test_a_good_input_is_read(name, tmp_path):
    """Else everything could be refused below."""
    reader = READERS[name]
    still = random.Random(0)
    still.random = lambda: 0.99  # nothing is changed
    content, _ = reader.mutant(still) if not isinstance(reader, Workbook) else (mutants.packed(reader.parts), None)
    (tmp_path / reader.name).write_bytes(content)
    reader.read(tmp_path / reader.name, None, still)


@pytest.mark.parametrize("name", READERS)
def test_mutants_are_read_rightly_or_refused_with_the_file_named(name, tmp_path):
    """2,000 of them over all readers."""
    run(name, 92, tmp_path, "quick")


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_mutants_are_read_rightly_or_refused_with_the_file_named(name, tmp_path):
    """20,000 of them."""
    run(name, 910, tmp_path, "slow")
