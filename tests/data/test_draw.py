"""Is a finite source taken whole unless a number is given, and then drawn by seed, spread over its clusters?"""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.data import load_corpus, sample, stream, to_dataset, to_frame, write_jsonl
from value_lens.data._draw import Draw
from value_lens.errors import DataError
from value_lens.study import COMPOSED, Study, run_study
from value_lens.study._data import load_data

MANY = 220  # more than anything composed by default


def dilemmas_of(n_items, n_frames=6, languages=("en", "zh"), values=("care", "duty")):
    """An ordered file: all fillings of one frame stand together, the same in every language."""
    return [
        vl.Dilemma(
            id=f"{value}/{n:04d}/{language}", scenario=f"case {n}", aligned=f"help {n}", violating="wait", value=value,
            language=language, pair_id=f"{value}/{n:04d}", cluster=f"{value}-{n * n_frames // n_items}",
        )
        for value in values for n in range(n_items) for language in languages
    ]  # fmt: skip


def texts_of(n_items, n_frames=6):
    return [
        vl.LabelledText(
            id=f"{n:04d}/{a}/{l}", text=f"text {n} {a}", value="care", aspect=a, language=l, cluster=f"f{n * n_frames // n_items}"
        )
        for n in range(n_items) for a in "+-" for l in ("en", "zh")
    ]  # fmt: skip


def plain(kind, n):
    """Records without clusters, of any kind."""
    extra = {
        vl.LabelledText: {"text": "t", "aspect": "+"},
        vl.Dilemma: {"scenario": "s", "aligned": "a", "violating": "b"},
        vl.QuestionnaireItem: {"text": "t"},
        vl.SituationalQuestion: {"text": "t"},
    }[kind]
    return [kind(id=f"r{k}", value="care", language="en", **extra) for k in range(n)]


LOADERS = {
    vl.LabelledText: vl.load_texts,
    vl.Dilemma: vl.load_dilemmas,
    vl.QuestionnaireItem: vl.load_items,
    vl.SituationalQuestion: vl.load_questions,
}
SOURCES = {
    "list": lambda records, folder: records,
    "iterator": lambda records, folder: iter(records),
    "file": lambda records, folder: write_jsonl(folder / "r.jsonl", records),
    "pandas": lambda records, folder: to_frame(records),
    "datasets": lambda records, folder: to_dataset(records),
}
each_source = pytest.mark.parametrize("source", SOURCES)


# All, unless a number is given


@each_source
@pytest.mark.parametrize("kind", LOADERS, ids=lambda kind: kind.__name__)
def test_every_record_of_a_finite_source_is_taken_unless_a_number_is_given(kind, source, tmp_path):
    records = plain(kind, MANY)
    assert LOADERS[kind](SOURCES[source](records, tmp_path)) == records
    assert list(stream(kind, SOURCES[source](records, tmp_path))) == records


def test_every_row_of_a_published_data_set_is_taken(tmp_path):
    rows = [
        {"ID": f"s{k}", "situation": "a", "intention": "b", "moral_action": f"c{k}", "immoral_action": "d"} for k in range(MANY)
    ]
    (tmp_path / "moral_stories.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = f"moral_stories:{tmp_path}"
    assert len(vl.load_dilemmas(source)) == MANY and len(vl.load_texts(source)) == 2 * MANY
    up, down = Counter(), Counter()
    for text in vl.load_texts(source, vl.Selection(per_group=50)):
        (up if text.aspect == "+" else down)[text.cluster] += 1
    assert up == down and len(up) == 50  # the same stories on both sides


def test_a_corpus_of_files_is_taken_whole_and_the_bank_is_not(tmp_path):
    write_jsonl(tmp_path / "texts.jsonl", plain(vl.LabelledText, MANY))
    write_jsonl(tmp_path / "dilemmas.jsonl", plain(vl.Dilemma, MANY))
    assert [len(found) for found in load_corpus(str(tmp_path))] == [MANY, MANY]
    assert [len(found) for found in load_corpus(str(tmp_path), vl.Selection(per_group=7))] == [7, 7]
    one = vl.Selection(values=["justice"], languages=["en"])
    assert (len(vl.load_texts(selection=one)), len(vl.load_dilemmas(selection=one))) == (400, 200)


# Draws


def whole_turns(sizes, n_drawn):
    """How many turns of all clusters fit into a draw, by a plain loop."""
    turns = 0
    while sum(min(size, turns + 1) for size in sizes.values()) <= n_drawn and turns < max(sizes.values()):
        turns += 1
    return turns


@st.composite
def rows_in_any_order(draw):
    """Clusters of several sizes, some of whose records have a pair, in some values and languages."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=7))
    groups = draw(st.sets(st.tuples(st.sampled_from(["care", "duty"]), st.sampled_from(["en", "zh"])), min_size=1))
    paired = draw(st.booleans())
    return draw(
        st.permutations(
            [
                {
                    "id": f"{value}/{unit}/{k}/{language}",
                    "value": value,
                    "language": language,
                    "cluster": f"c{unit}",
                    "pair_id": f"{value}/{unit}/{k}" if paired else "",
                }
                for value, language in sorted(groups)
                for unit, size in enumerate(sizes)
                for k in range(size)
            ]
        )
    )


@settings(deadline=None, max_examples=20)
@given(rows_in_any_order(), st.integers(1, 30), st.integers(0, 3))
def test_a_draw_takes_turns_among_clusters_is_one_for_one_seed_and_keeps_the_order(rows, per_group, seed):
    records = [vl.Dilemma(scenario="s", aligned="a", violating="b", **row) for row in rows]
    found = vl.load_dilemmas(records, vl.Selection(per_group=per_group, seed=seed))
    assert [records.index(record) for record in found] == sorted(records.index(record) for record in found)
    for group in {(record.value, record.language) for record in records}:
        sizes, given_by = (Counter(r.cluster for r in some if (r.value, r.language) == group) for some in (records, found))
        turns = whole_turns(sizes, per_group)
        assert given_by.total() == min(per_group, sizes.total())
        assert all(min(size, turns) <= given_by[unit] <= min(size, turns + 1) for unit, size in sizes.items())
    shuffled = random.Random(0).sample(records, len(records))
    ids = {record.id for record in found}
    assert {record.id for record in vl.load_dilemmas(shuffled, vl.Selection(per_group=per_group, seed=seed))} == ids
    assert {record.id for record in vl.load_dilemmas(records, vl.Selection(per_group=per_group + 1, seed=seed))} >= ids


@pytest.mark.parametrize("n", [1, 3, 6, 7, 20])
def test_languages_and_aspects_that_hold_the_same_give_the_same(n):
    dilemmas = vl.load_dilemmas(dilemmas_of(60), vl.Selection(per_group=n, seed=5))
    chosen = {l: [d.pair_id for d in dilemmas if d.language == l] for l in ("en", "zh")}
    assert chosen["en"] == chosen["zh"] and len(chosen["en"]) == 2 * n
    texts = vl.load_texts(texts_of(60), vl.Selection(per_group=n, seed=5))
    by_group = {}
    for text in texts:
        by_group.setdefault(text.group, []).append(text.id.split("/")[0])
    assert len(by_group) == 4 and len({tuple(found) for found in by_group.values()}) == 1


def test_the_seed_decides_which_and_every_record_has_its_chance():
    records = dilemmas_of(30, languages=("en",), values=("care",))
    counts = Counter()
    for seed in range(60):
        found = vl.load_dilemmas(records, vl.Selection(per_group=6, seed=seed))
        assert len({d.cluster for d in found}) == 6
        counts.update(d.id for d in found)
    assert len(counts) == 30  # one of five in each frame: 12 times on average, sd 3
    assert min(counts.values()) >= 1 and max(counts.values()) <= 28
    orders = [tuple(d.id for d in vl.load_dilemmas(records, vl.Selection(per_group=3, seed=seed))) for seed in range(10)]
    assert len(set(orders)) > 5


@each_source
def test_a_draw_is_the_same_from_every_source(source, tmp_path):
    records = dilemmas_of(40)
    found = vl.load_dilemmas(SOURCES[source](records, tmp_path), vl.Selection(per_group=9, seed=2, values=["duty"]))
    assert (
        found == [d for d in vl.load_dilemmas(records, vl.Selection(per_group=9, seed=2)) if d.value == "duty"]
        and len(found) == 18
    )
    assert (
        list(stream(vl.Dilemma, SOURCES[source](records, tmp_path), vl.Selection(per_group=9, seed=2, values=["duty"])))
        == found
    )
    counted = sample(vl.Dilemma, SOURCES[source](records, tmp_path), vl.Selection(per_group=9, seed=2, values=["duty"]))
    assert (counted.records, counted.n_available, counted.n_clusters) == (found, 80, 6)


def test_bad_rows_and_unknown_names_are_told_of_a_draw_too(tmp_path):
    path = write_jsonl(tmp_path / "d.jsonl", dilemmas_of(6))
    path.write_text(path.read_text() + '{"id": "x"}\n')
    with pytest.raises(DataError, match="1 of 25 rows cannot be used"):
        vl.load_dilemmas(path, vl.Selection(per_group=1))
    assert len(vl.load_dilemmas(path, vl.Selection(per_group=1), skip_bad=tmp_path / "bad.jsonl")) == 4
    assert len((tmp_path / "bad.jsonl").read_text().splitlines()) == 1
    with pytest.raises(vl.ValueLensError, match="unknown value 'zeal'; known: care, duty"):
        vl.load_dilemmas(dilemmas_of(6), vl.Selection(per_group=1, values=["zeal"]))


@pytest.mark.parametrize(
    ("again", "problem"),
    [
        (
            "ba",
            "record 1 was 'a' at first and 'b' at the second reading; .* needs a source that gives the same records each time",
        ),
        ("a", "2 records at first and 1 at the second reading"),
        ("abc", "2 records at first and 3 at the second reading"),
    ],
)
def test_a_source_that_changes_between_readings_is_told(again, problem):
    def records(names):
        return [vl.SituationalQuestion(id=name, text="t", value="care", language="en") for name in names]

    with pytest.raises(DataError, match=problem):
        list(Draw.choose(records("ab"), 2, 0).take(records(again)))


@pytest.mark.parametrize("number", [0, -3])
@pytest.mark.parametrize("kind", LOADERS, ids=lambda kind: kind.__name__)
def test_a_number_below_one_is_refused(kind, number):
    with pytest.raises(DataError, match=f"per_group is {number}; give a count of at least 1, or 'all'"):
        LOADERS[kind](plain(kind, 2), vl.Selection(per_group=number))


# The study and the terminal


@pytest.fixture
def files(tmp_path, texts):
    """Two texts of every group and forty dilemmas in the order of their four frames."""
    write_jsonl(tmp_path / "texts.jsonl", texts)
    asked = dilemmas_of(40, n_frames=4, languages=("en",), values=("care", "honesty"))
    return {"texts": str(tmp_path / "texts.jsonl"), "dilemmas": str(write_jsonl(tmp_path / "dilemmas.jsonl", asked))}


@pytest.mark.parametrize(("per_value", "n_used", "n_frames"), [("default", 80, 8), (2, 4, 4)])
def test_a_run_tells_how_many_of_how_many_it_used(folders, files, tmp_path, per_value, n_used, n_frames):
    study = Study.from_options(dict(model=str(folders["gpt2"]), controls=0, n_neurons=4, per_value=per_value, **files))
    result = run_study(study, tmp_path / "out")
    corpus = result.summary["corpus"]
    assert (corpus["n_dilemmas"], corpus["n_dilemmas_available"], corpus["n_clusters"]["dilemmas"]) == (n_used, 80, n_frames)
    assert (corpus["n_texts"], corpus["n_texts_available"], corpus["n_clusters"]["texts"]) == (60, 60, 60)
    assert len(result.matrix.scores.item_ids) == n_used and len(set(result.matrix.scores.item_clusters)) == n_frames
    told = {
        80: f"All 80 dilemmas of {files['dilemmas']} were used, of 8 clusters.",
        4: f"4 of 80 dilemmas of {files['dilemmas']} were used, drawn by seed, of 4 clusters.",
    }
    assert told[n_used] in result.words and f"All 60 texts of {files['texts']} were used, of 60 clusters." in result.words


@pytest.mark.parametrize("fillings", ["all", "training", "held_out"])
@pytest.mark.parametrize(("source", "value"), [("bank", "justice"), ("bank:schwartz", "power")])
def test_what_the_bank_could_compose_is_counted_without_composing_it(source, value, fillings):
    few = vl.Selection(values=value, languages=["zh"], fillings=fillings, per_group=3)
    drawn = sample(vl.Dilemma, source, few)
    assert drawn.records == vl.load_dilemmas(source, few)
    assert drawn.n_available == len(vl.load_dilemmas(source, replace(few, per_group=None)))


@pytest.mark.slow
@pytest.mark.parametrize("source", ["bank", "bank:schwartz"])
def test_the_texts_that_the_bank_could_compose_are_counted_too(source):
    n_composed = sum(1 for _ in stream(vl.LabelledText, source, vl.Selection(per_group=None)))
    assert sample(vl.LabelledText, source, vl.Selection(per_group=1)).n_available == n_composed > 100_000


def test_descriptions_and_questions_are_counted_too():
    for kind, load in ((vl.LabelledText, vl.load_texts), (vl.SituationalQuestion, vl.load_questions)):
        few = vl.Selection(values="openness_to_change", languages="en", per_group=2)
        assert sample(kind, "bank:poles", few).n_available == len(load("bank:poles", replace(few, per_group=None))) > 99


def test_a_run_on_the_bank_keeps_its_numbers_and_tells_them(tmp_path):
    data = load_data(Study.from_options(dict(model="no model", values=("freedom", "justice"), languages=("en",))), tmp_path)
    assert data.summary()["n_dilemmas"] == 2 * COMPOSED["dilemmas"] and len(data.texts) == 2 * 2 * COMPOSED["texts"]
    assert data.summary()["n_texts_available"] > len(data.texts)
    assert (
        f"40 of {data.summary()['n_dilemmas_available']} dilemmas of bank were used, drawn by seed, of 24 clusters."
        in data.words()
    )
    whole = Study.from_options(dict(model="no model", values=("freedom",), languages=("en",), per_value="all", per_group=1))
    assert load_data(whole, tmp_path).words()[1].startswith("All ")


def test_the_terminal_draws_and_tells(tmp_path):
    path = write_jsonl(tmp_path / "d.jsonl", dilemmas_of(60, languages=("en",), values=("care",)))

    def said(*more):
        result = CliRunner().invoke(app, ["audit", str(path), *more])
        assert result.exit_code == 0, result.output
        return result.output

    assert f"All 60 dilemmas of {path} were used, of 6 clusters." in said()
    assert f"All 60 dilemmas of {path} were used, of 6 clusters." in said("--per-group", "all")
    assert f"10 of 60 dilemmas of {path} were used, drawn by seed, of 6 clusters." in said("--per-group", "10")
    refused = CliRunner().invoke(app, ["audit", str(path), "--per-group", "many"])
    assert refused.exit_code == 2 and "neither a whole number nor 'all'" in refused.output.replace("\n", " ").replace("│", "")
