"""Files of every schema so far are read with every field right; content that a kind must not hold is refused.

`schema_1` holds artefacts as the first version of this library wrote them.
"""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import value_lens as vl
from value_lens.core import (
    COUNT,
    SIZE,
    TEXT,
    EffectMatrix,
    FiringStats,
    Group,
    Kind,
    NeuronScores,
    Numbers,
    list_of,
    object_of,
    tuple_of,
)
from value_lens.core import _effects as effects
from value_lens.core import _firing as firing
from value_lens.core import _neurons as neurons
from value_lens.core import _scores as scores
from value_lens.core import _store as store
from value_lens.errors import ArtefactError

FIRST = Path(__file__).parents[1] / "schema_1"
VALUES = ("care 爱", "freedom")
GROUPS = [Group(value, aspect, language) for value in VALUES for aspect in "+-" for language in ("en", "zh")]


def numbers(function, *shape, dtype=torch.float64):
    """A tensor of `function` of the place in reading order."""
    return torch.tensor([function(place) for place in range(torch.Size(shape).numel())], dtype=dtype).reshape(shape)


def same(tensor, expected):
    return tensor.dtype == expected.dtype and tensor.shape == expected.shape and torch.equal(tensor, expected)


BLOCK_FIRED = numbers(lambda k: 7 * k % 20, 2, 8, 2, 3, dtype=torch.int64)
BLOCK_TOKENS = numbers(lambda k: k + 20, 2, 8, dtype=torch.int64)
FIRED = torch.stack([BLOCK_FIRED[0, g] + BLOCK_FIRED[1, g] for g in range(8)])


def test_statistics_with_sums_and_blocks():
    stats = FiringStats.load(FIRST / "stats_moments_blocks.safetensors")
    assert list(stats.groups) == GROUPS and (stats.site, stats.model) == ("gate", "abc123")
    assert same(stats.n_texts, numbers(lambda k: k + 3, 8, dtype=torch.int64))
    assert same(stats.n_tokens, numbers(lambda k: 2 * k + 48, 8, dtype=torch.int64)) and same(stats.fired, FIRED)
    assert same(stats.total, numbers(lambda k: k / 8 - 2, 8, 2, 3)) and same(stats.total_sq, numbers(lambda k: k / 16, 8, 2, 3))
    assert same(stats.block_n_tokens, BLOCK_TOKENS) and same(stats.block_fired, BLOCK_FIRED)
    assert stats.meta == {"n_texts_cut": 2, "engine": "bridge"}


def test_statistics_without():
    stats = FiringStats.load(FIRST / "stats_plain.safetensors")
    assert list(stats.groups) == GROUPS and (stats.site, stats.model, dict(stats.meta)) == ("post", "", {})
    assert same(stats.fired, FIRED) and same(stats.n_tokens, numbers(lambda k: 2 * k + 48, 8, dtype=torch.int64))
    assert same(stats.n_texts, numbers(lambda k: k + 3, 8, dtype=torch.int64))
    assert (stats.total, stats.total_sq, stats.block_n_tokens, stats.block_fired) == (None, None, None, None)


def test_merged_statistics():
    stats = FiringStats.load(FIRST / "stats_merged.safetensors")
    assert list(stats.groups) == GROUPS and same(stats.fired, FIRED + FIRED)
    assert same(stats.n_tokens, numbers(lambda k: 4 * k + 96, 8, dtype=torch.int64))


@pytest.mark.parametrize(
    ("file", "neurons", "site", "model", "provenance"),
    [
        ("neurons", [(0, 1), (1, 2)], "gate", "abc123", {"method": "vape", "value": "爱"}),
        (
            "neurons_union", [(0, 1), (1, 0), (1, 2)], "gate", "abc123",
            {"operation": "union", "of": [{"method": "vape", "value": "爱"}, {}]},
        ),
        ("neurons_empty", [], "post", "", {}),
    ],
)  # fmt: skip
def test_neuron_sets(file, neurons, site, model, provenance):
    found = vl.NeuronSet.load(FIRST / f"{file}.json")
    assert list(found.neurons) == neurons and (found.site, found.model) == (site, model)
    assert (found.n_layers, found.d_mlp) == (2, 3) and found.provenance == provenance


def test_scores_with_parts():
    scores = NeuronScores.load(FIRST / "scores_parts.safetensors")
    assert (scores.method, scores.values, scores.site, scores.model) == ("vape", VALUES[::-1], "gate", "abc123")
    assert scores.params == {"languages": None, "aspect": "+"} and scores.parts.keys() == {"p", "entropy"}
    assert same(scores.scores, numbers(lambda k: k / 4 - 1, 2, 2, 3, dtype=torch.float32))
    assert same(scores.parts["p"], numbers(lambda k: k / 20, 2, 2, 3))
    assert same(scores.parts["entropy"], numbers(lambda k: k / 10, 2, 3))


def test_scores_without():
    scores = NeuronScores.load(FIRST / "scores_plain.safetensors")
    assert (scores.method, scores.values, scores.site, scores.model) == ("opposition", VALUES[::-1], "post", "")
    assert same(scores.scores, numbers(lambda k: k / 4 - 1, 2, 2, 3)) and (scores.params, scores.parts) == ({}, {})


def test_a_support_matrix():
    matrix = EffectMatrix.load(FIRST / "matrix.safetensors")
    freedom, care = VALUES[::-1]
    assert matrix.scores.item_ids == ("a", "b", "c", "d") and matrix.scores.item_values == (freedom, care, freedom, care)
    assert matrix.scores.item_languages == ("en", "en", "zh", "zh") and matrix.scores.item_clusters == ("f1", "f2", "f1", "f2")
    assert (
        matrix.values == matrix.intervened == (freedom, care)
        and matrix.languages == ("en", "zh")
        and matrix.n_neurons == (4, 0)
    )
    assert same(matrix.scores.clean, numbers(lambda k: k / 2 - 1, 4))
    assert same(matrix.scores.own[0], numbers(lambda k: k / 4 - 1, 4)) and bool(matrix.scores.own[1].isnan().all())
    assert same(matrix.scores.control[0], numbers(lambda k: k / 5 - 2, 3, 4)) and bool(matrix.scores.control[1].isnan().all())
    assert (matrix.resampling.level, matrix.resampling.seed) == (0.9, 7)
    assert matrix.meta == {"edit": "zero", "controls": 3, "labels": {"freedom": {"en": "Freedom", "zh": "自由"}}}


def test_a_support_matrix_without_controls():
    matrix = EffectMatrix.load(FIRST / "matrix_no_controls.safetensors")
    assert matrix.scores.control.shape == (1, 0, 1) and same(matrix.scores.own, numbers(lambda k: -1, 1, 1))
    assert matrix.resampling == vl.Resampling() and matrix.n_neurons == (4,) and matrix.scores.item_ids == ("a",)


EARLIER = {
    "matrix": FIRST / "matrix.safetensors",
    "matrix_no_controls": FIRST / "matrix_no_controls.safetensors",
    "matrix_outside": FIRST.with_name("schema_2") / "matrix_outside.safetensors",
}


@pytest.mark.parametrize("name", EARLIER)
def test_a_matrix_of_scores_alone_has_the_numbers_it_had(name):
    """`numbers` holds what the versions before computed from these files whenever they were asked."""
    before = load_file(FIRST.with_name("schema_2") / "numbers.safetensors")
    numbers = {key.removeprefix(f"{name}/"): given for key, given in before.items() if key.startswith(f"{name}/")}
    matrix = EffectMatrix.load(EARLIER[name])
    assert len(numbers) == 18
    for key, expected in numbers.items():
        result = (
            getattr(matrix.specific, key.removeprefix("specific_")) if key.startswith("specific_") else getattr(matrix, key)
        )
        torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_a_matrix_of_the_second_schema():
    matrix = EffectMatrix.load(EARLIER["matrix_outside"])
    assert matrix.values == ("honesty", "care", "duty", "justice", "mercy") and matrix.languages == ("en", "zh")
    assert matrix.intervened == ("care", "honesty", "duty", "peace", "mercy") and matrix.n_neurons == (3, 3, 3, 3, 0)
    assert matrix.resampling == vl.Resampling(n=300, level=0.9, seed=3)
    assert matrix.meta == {"edit": "zero", "site": "post", "labels": {"justice": {"en": "Justice", "zh": "公正"}}}
    row = ("not specific", "specific", "not specific", "not testable", "not testable")
    assert matrix.specific.verdicts == (row, row) and matrix.n_controls == 19
    assert matrix.scores.outside is not None and matrix.scores.outside[:, 5:].isnan().all()


def test_every_file_of_the_first_schema_is_tried_here():
    tried = Path(__file__).read_text(encoding="utf-8")
    assert all(path.stem in tried for path in FIRST.iterdir())


HELD = {  # what each version of each kind may hold; a line is never changed, a new version gets one of its own
    ("firing statistics", 1): "groups site model meta / n_texts n_tokens fired total total_sq block_n_tokens block_fired",
    ("firing statistics", 2): (
        "groups site model meta / n_texts n_tokens fired total total_sq post_total post_total_sq block_n_tokens block_fired"
    ),
    ("neuron scores", 1): "method values site model params / scores part.*",
    ("neuron set", 1): "site n_layers d_mlp model provenance neurons / ",
    ("effect matrix", 1): (
        "item_ids item_values item_languages item_clusters values languages ablated n_neurons inference meta / "
        "clean_margins edited_margins control_margins"
    ),
    ("effect matrix", 2): (
        "item_ids item_values item_languages item_clusters values languages ablated n_neurons inference meta / "
        "clean_margins edited_margins control_margins outside_margins"
    ),
    ("effect matrix", 3): (
        "item_ids item_values item_languages item_clusters values languages intervened n_neurons verdicts resampling meta / "
        "scores.clean scores.own scores.control scores.outside clean rate effect interval p margin_effect margin_interval margin_p "
        "control_rate outside_effect control_mean rank rank_p margin_rank_p "
        "specific.effect specific.interval specific.p specific.controls"
    ),
}
KINDS = [firing.KIND, scores.KIND, neurons.KIND, effects.KIND]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_that_holds_something_else_has_a_schema_of_its_own(kind):
    held = f"{' '.join(kind.fields)} / {' '.join(kind.tensors)}"
    assert HELD.get((kind.name, kind.schema)) == held, "raise the schema, add an upgrade, and a line here"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_schema_so_far_leads_to_the_current_one(kind):
    versions = sorted(version for name, version in HELD if name == kind.name)
    assert versions == list(range(1, kind.schema + 1)) and sorted(kind.upgrades) == versions[:-1]


# What a kind is


OLD = Kind("thing", fields={"n": COUNT}, tensors={"x": Numbers("row", (torch.int64,))})


def doubled(meta, tensors):
    return {"m": 2 * meta["n"]}, tensors


def named(meta, tensors):
    return {"count": meta["m"]}, {"rows": tensors["x"]}


NEW = Kind(
    "thing",
    schema=3,
    upgrades={1: doubled, 2: named},
    fields={"count": COUNT},
    tensors={"rows": Numbers("row", (torch.int64,))},
)


def loaded(path, kind):
    return store.load(path, kind, lambda meta, tensors: (meta, tensors))


def test_an_older_schema_is_read_through_every_upgrade(tmp_path):
    path = store.save(tmp_path / "a", OLD, {"n": 3}, {"x": torch.arange(4)})
    meta, tensors = loaded(path, NEW)
    assert meta == {"count": 6} and same(tensors["rows"], torch.arange(4)) and tensors.keys() == {"rows"}
    again = store.save(tmp_path / "b", NEW, meta, tensors)
    assert loaded(again, NEW)[0] == {"count": 6}
    with pytest.raises(ArtefactError, match=f"{again} has schema 3; this version of value_lens reads schema 1 of a thing"):
        loaded(again, OLD)


def test_the_checksum_covers_the_schema(tmp_path):
    path = store.save(tmp_path / "a.json", Kind("thing", fields={"n": COUNT}), {"n": 3})
    envelope = json.loads(path.read_text())
    path.write_text(json.dumps({**envelope, "schema": 2}))
    with pytest.raises(ArtefactError, match=r"a\.json is damaged: its checksum does not match"):
        loaded(path, NEW)


def test_an_upgrade_of_content_that_is_not_as_it_was_names_the_file(tmp_path):
    path = store.save(tmp_path / "a.json", Kind("thing", fields={"k": TEXT}), {"k": "x"})
    with pytest.raises(ArtefactError, match=f"{path} is unusable as thing of schema 1: KeyError: 'n'"):
        loaded(path, NEW)


ALL = Kind(
    "thing",
    fields={
        "name": TEXT, "size": SIZE, "rows": list_of(TEXT, "row", distinct=True), "pair": tuple_of(TEXT, COUNT), "of": object_of(n=COUNT),
    },
    tensors={
        "x": Numbers("row column", (torch.int64,)), "y": Numbers("... column", (torch.float64, torch.float32), optional=True),
        "z*": Numbers("row", (torch.float64,), optional=True, negative=True, finite=False),
    },
)  # fmt: skip
META = {"name": "a", "size": 1, "rows": ["p", "q"], "pair": ["a", 0], "of": {"n": 2}}
X = {"x": torch.zeros(2, 3, dtype=torch.int64)}


@pytest.mark.parametrize("schema", [0, -1, 2, 1.0, True, "1", None, [1]])
def test_a_schema_is_a_known_whole_number(schema):
    with pytest.raises(ArtefactError, match="has schema .*; this version of value_lens reads schema 1 of a thing"):
        ALL.require_known(schema)


def test_content_as_it_should_be_is_taken():
    more = {**X, "y": torch.ones(5, 1, 3), "z1": torch.tensor([-torch.inf, torch.nan], dtype=torch.float64)}
    assert ALL.read(1, META, more) == (META, more)


@pytest.mark.parametrize(
    ("meta", "tensors", "problem"),
    [
        ({"name": 3}, {}, "field 'name': expected a text, got 3"),
        ({"size": True}, {}, "field 'size': expected a whole number from 1 to 2**31, got True"),
        ({"size": 2**40}, {}, "field 'size': expected a whole number from 1 to 2**31, got 1099511627776"),
        ({"size": 1.0}, {}, "field 'size': expected a whole number from 1 to 2**31, got 1.0"),
        ({"rows": ["p", "p"]}, {}, "field 'rows': expected a list, each item a text, none twice, got ['p', 'p']"),
        ({"rows": "pq"}, {}, "field 'rows': expected a list"),
        ({"rows": ["p", 3]}, {}, "field 'rows': expected a list"),
        ({"pair": ["a", -1]}, {}, "field 'pair': expected a list of 2: a text, a whole number of at least 0, got ['a', -1]"),
        ({"pair": ["a"]}, {}, "field 'pair': expected a list of 2"),
        ({"of": {"n": 2, "m": 3}}, {}, "field 'of': expected an object with n (a whole number of at least 0), got"),
        ({"of": {}}, {}, "field 'of': expected an object with n"),
        ({"more": 1}, {}, "field 'more' is not known; known: name, size, rows, pair, of"),
        ({}, {"x": None}, "tensor 'x' is missing"),
        ({}, {"x": torch.zeros(2, 3)}, "tensor 'x': expected int64, got float32"),
        ({}, {"x": torch.zeros(2, dtype=torch.int64)}, "tensor 'x': expected axes [row column], got shape (2,)"),
        ({}, {"x": torch.zeros(2, 2, 2, dtype=torch.int64)}, "tensor 'x': expected axes [row column], got shape (2, 2, 2)"),
        ({}, {"x": torch.zeros(3, 3, dtype=torch.int64)}, "tensor 'x': axis 'row' has 3 entries, but 2 in field 'rows'"),
        ({}, {"y": torch.zeros(2)}, "tensor 'y': axis 'column' has 2 entries, but 3 in tensor 'x'"),
        ({}, {"x": X["x"] - 1}, "tensor 'x': holds a negative number"),
        ({}, {"y": torch.tensor([0, torch.nan, 1])}, "tensor 'y': holds NaN or infinity"),
        ({}, {"w": torch.zeros(1)}, "tensor 'w' is not known; known: x, y, z*"),
    ],
)
def test_content_as_it_should_not_be_is_told(meta, tensors, problem):
    given = {name: tensor for name, tensor in {**X, **tensors}.items() if tensor is not None}
    with pytest.raises(ArtefactError) as told:
        ALL.read(1, {**META, **meta}, given)
    assert str(told.value).splitlines()[0] == "is unusable as thing:" and problem in str(told.value)


def test_a_missing_field_and_what_is_no_object_are_told():
    with pytest.raises(ArtefactError, match="field 'name' is missing"):
        ALL.read(1, {name: given for name, given in META.items() if name != "name"}, X)
    with pytest.raises(ArtefactError, match="holds 3 where its fields should stand"):
        ALL.read(1, 3, X)


@pytest.mark.parametrize(
    "given",
    [{"name": "\ud83d"}, {"name": float("nan")}, {"name": torch.zeros(1)}, {"name": 3}],
    ids=["half", "nan", "object", "3"],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, given):
    with pytest.raises(ArtefactError, match=f"^{tmp_path / 'a'} is not written: "):
        store.save(tmp_path / "a", ALL, {**META, **given}, X)
    assert not list(tmp_path.iterdir())
