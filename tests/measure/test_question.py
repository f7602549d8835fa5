"""Do the words around a dilemma fit its options, and can they be set? By data set, by name, from a file, from the terminal."""

import dataclasses
import json
import warnings

import pytest
from test_layouts import STORY, table
from test_run import arguments
from typer.testing import CliRunner

import value_lens as vl
from value_lens.cli import app
from value_lens.core import Dilemma
from value_lens.data import LAYOUTS, write_jsonl
from value_lens.errors import DataError
from value_lens.measure import choice, load_wordings
from value_lens.measure._wordings import PUBLISHED, WORDINGS
from value_lens.study import Study, run_study


def dilemma(aligned, violating="wait at home", **changes):
    given = {"id": "d", "scenario": "The river is high.", "value": "care", "language": "en"} | changes
    return vl.Dilemma(aligned=aligned, violating=violating, **given)


def shown(dilemma, **formats):
    found = vl.Question("continuation", formats).presentations(dilemma, 0)[0]
    return found.prompt + found.aligned


ROWS = {
    "moral_stories": ("moral_stories_full.jsonl", STORY, "Ann gives one away."),
    "moralchoice": (
        "low_ambiguity.csv",
        {"scenario_id": "C", "generation_rule": "r", "context": "You said you would call.", "action1": "I call.", "action2": "I do not."},
        "I call.",
    ),
    "ethics": ("pairs.csv", {"baseline": "I had tea.", "less_pleasant": "I spilt tea."}, "I had tea."),
    "c_voice": ("c.json", {"value": "care", "scenario": "桥断了。", "support": "我去修桥。", "conflict": "我不去。"}, "我去修桥。"),
}  # fmt: skip


def test_every_published_set_of_dilemmas_brings_a_wording():
    with_dilemmas = {name for name, layout in LAYOUTS.items() if Dilemma in layout.converters}
    assert with_dilemmas >= set(ROWS)
    for name in with_dilemmas:
        assert PUBLISHED[name] and not any(wording.runs_on for wording in PUBLISHED[name].values())


@pytest.mark.parametrize("name", ROWS)
def test_options_of_published_sets_follow_their_own_wording(name, tmp_path):
    file, row, option = ROWS[name]
    if file.endswith(".csv"):
        table(tmp_path / file, [row])
    else:
        (tmp_path / file).write_text(json.dumps(row if file.endswith("l") else [row]), encoding="utf-8")
    (read,) = vl.load_dilemmas(f"{name}:{tmp_path / file}")
    wording = PUBLISHED[name][read.language]
    assert shown(read).endswith(wording.lead + wording.answers.format(option=option))
    assert not vl.Question("continuation").misfits(read)
    # as well after the records were written and read; one's own wording comes first; labels are asked as ever
    (again,) = vl.load_dilemmas(write_jsonl(tmp_path / "again.jsonl", [read]))
    assert shown(again) == shown(read)
    own = vl.ChoiceFormat("{scenario} Then:", " {option}")
    assert shown(read, **{read.language: own}).endswith(f" Then: {option}")
    letters = vl.Question("label")
    assert letters.presentations(read, 0) == letters.presentations(dataclasses.replace(read, source=""), 0)


@pytest.mark.parametrize(
    ("option", "language", "misfits"),
    [
        ("help the others", "en", False),
        ("help Ann and the others.", "en", False),
        ("no longer wait", "en", False),
        ("ignore it", "en", False),
        ("I help the others.", "en", True),
        ("Ann hands the purse to a guard", "en", True),
        ("she helps", "en", True),
        ("“We stay.”", "en", True),
        ("Yes", "en", True),
        ("no", "en", True),
        ("帮助大家", "zh", False),
        ("帮助大家。", "zh", False),
        ("是时候帮忙", "zh", False),
        ("我去帮忙。", "zh", True),
        ("“他去帮忙”", "zh-Hans", True),
        ("否", "zh", True),
    ],
)
def test_a_clause_does_not_continue_an_unfinished_sentence(option, language, misfits):
    asked = dilemma(option, "等" if language.startswith("zh") else "wait", language=language)
    turned = dataclasses.replace(asked, aligned=asked.violating, violating=asked.aligned)
    for question, expected in (
        (vl.Question("continuation"), misfits),
        (vl.Question("continuation", vl.CLOZE), misfits),
        (vl.Question("continuation", vl.CLAUSE), False),
        (vl.Question("label"), False),
    ):
        assert question.misfits(asked) == question.misfits(turned) == expected


@pytest.mark.parametrize(
    ("prompt", "answer", "runs_on"),
    [
        ("{scenario} You decide to", " {option}", True),
        ("{scenario} Well,", " {option}", True),
        ("{scenario}", " So you {option}", True),
        ("{scenario}你决定", "{option}", True),
        ("{scenario}", " {option}", False),
        ("{scenario} You say:", ' "{option}"', False),
        ("{scenario} What do you do?\n", "{option}", False),
    ],
)
def test_a_wording_runs_on_when_it_ends_within_a_sentence(prompt, answer, runs_on):
    assert vl.ChoiceFormat(prompt, answer).runs_on == runs_on


def test_a_mismatch_is_told_once_with_its_count_and_the_way_out(lens):
    asked = [dilemma("I help.", id="a"), dilemma("help", id="b"), dilemma("Yes", id="c")]
    told = r"the options of 2 of 3 dilemmas are clauses of their own.*\('You decide to', then 'I help.'\); .* --wording clause"
    with pytest.warns(UserWarning, match=told) as caught:
        found = choice(vl.Question("continuation")).encode(lens, asked)
    assert len(caught) == 1 and found.meta["n_misfits"] == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choice(vl.Question("continuation", vl.CLAUSE)).encode(lens, asked).meta["n_misfits"] == 0


def test_wordings_of_another_scoring_are_refused():
    with pytest.raises(
        DataError, match=r"scoring 'label' needs answers that are two labels, as \(' A', ' B'\), got ' \{option\}'"
    ):
        vl.Question("label", vl.CLOZE)
    with pytest.raises(
        DataError, match=r"scoring 'continuation' needs answers that are a text with an \{option\}, got \(' A', ' B'\)"
    ):
        vl.Question("continuation", WORDINGS["label"]["letters"])


def test_wordings_by_name_and_from_a_file(tmp_path):
    for scoring, packaged in WORDINGS.items():
        for name, wordings in packaged.items():
            assert load_wordings(name, scoring) is wordings
            content = {
                language: {
                    "prompt": form.prompt,
                    "answers": form.answers if isinstance(form.answers, str) else list(form.answers),
                }
                for language, form in wordings.items()
            }
            (tmp_path / "own.json").write_text(json.dumps(content), encoding="utf-8")
            assert load_wordings(tmp_path / "own.json", scoring) == wordings


GOOD = {"prompt": "{scenario} You", "answers": " {option}"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        ("[" * 100_000, "cannot be read: not readable as JSON: nested too deeply"),
        ('{"en": 1, "en": 2}', "cannot be read: field 'en' stands twice"),
        ("[]", "expected an object of wordings by language, got list"),
        ("{}", "expected an object of wordings by language, got dict"),
        ({"en": "You decide"}, "language 'en': expected an object with 'prompt' and 'answers', got str"),
        ({"en": GOOD, "zh": {**GOOD, "prompt": 3}}, "language 'zh', field 'prompt': expected a text, got int"),
        ({"en": {**GOOD, "answer": 1}}, r"language 'en': expected an object with .*, got \['answer', 'answers', 'prompt'\]"),
        ({"en": {**GOOD, "answers": [1, 2]}}, r"'en', field 'answers': expected two labels or a text with \{option\}, got \[1, 2\]"),
        ({"en": {**GOOD, "prompt": "{scenario} \ud83d"}}, "language 'en': a wording holds half of a surrogate pair"),
        ({"en": {**GOOD, "answers": "\udca9{option}"}}, "language 'en': a wording holds half of a surrogate pair"),
        ({"en": {**GOOD, "prompt": "You {verb}"}}, r"language 'en': a prompt has '\{verb\}' at character 5"),
        ({"en": {"prompt": "{scenario}{first}{second}", "answers": ["A", "B"]}}, "language 'en': scoring 'continuation' needs answers"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_wordings_is_refused_with_its_place(tmp_path, content, message):
    path = tmp_path / "own.json"
    path.write_bytes(
        content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    with pytest.raises(DataError, match=message) as error:
        Study.from_options(dict(model="any", scoring="continuation", wording=str(path)))
    assert str(path) in str(error.value)


def test_a_wording_that_is_not_there_is_one_clear_line(folders, tmp_path, monkeypatch):
    monkeypatch.setattr("value_lens.study._run.load_model", lambda *a, **k: pytest.fail("work began"))
    given = [*arguments(folders, {}, tmp_path), "--scoring", "continuation", "--wording", "gone.json"]
    found = CliRunner().invoke(app, given, env={"COLUMNS": "300"})
    assert found.exit_code == 1
    assert (
        "no wording 'gone.json' of scoring 'continuation', and no such file; give verb, clause, cloze, or a JSON"
        in found.output
    )


def test_the_terminal_sets_a_wording_and_the_results_tell_it(folders, tmp_path, texts, dilemmas):
    data = {"texts": str(write_jsonl(tmp_path / "t.jsonl", texts))}
    clauses = [dataclasses.replace(d, aligned=f"I {d.aligned}.", violating=f"I {d.violating}.") for d in dilemmas]
    data["dilemmas"] = str(write_jsonl(tmp_path / "d.jsonl", clauses))
    own = {"en": {"prompt": "{scenario}\nWhat now?", "answers": " {option}"}}
    (tmp_path / "own.json").write_text(json.dumps(own))
    wording = str(tmp_path / "own.json")  # which says nothing for Chinese
    given = arguments(folders, data, tmp_path / "out", "--controls", 0, "--scoring", "continuation", "--wording", wording)
    found = CliRunner().invoke(app, given, env={"COLUMNS": "300"})
    assert found.exit_code == 0, found.output
    assert (
        "The options of 8 of 16 dilemmas are clauses of their own, but the wording before them begins a sentence"
        in " ".join(found.output.split())
    )
    ablation = json.loads((tmp_path / "out" / "summary.json").read_text())["ablation"]
    assert (ablation["n_pairs"], ablation["n_pairs_joined"], ablation["n_misfits"]) == (24, 0, 8)
    default = WORDINGS["continuation"]["verb"]["zh"]
    assert ablation["wordings"] == {"en": [own["en"]], "zh": [{"prompt": default.prompt, "answers": default.answers}]}


def test_pairs_that_the_tokenizer_joins_are_counted_and_said(folders, tmp_path, texts, dilemmas):
    """ " w" + "ait" is one token after a space, "help" is not begun by it: of each pair one option takes the prompt's last letter in."""
    data = {
        "texts": str(write_jsonl(tmp_path / "t.jsonl", texts)),
        "dilemmas": str(write_jsonl(tmp_path / "d.jsonl", dilemmas)),
    }
    form = {"prompt": "{scenario} You", "answers": "{option}"}
    own = {"en": {**form, "prompt": "{scenario} You decide to "}, "zh": {**form, "answers": " {option}"}}
    (tmp_path / "own.json").write_text(json.dumps(own))
    study = Study.from_options(
        dict(
            model=str(folders["gpt2"]),
            controls=0,
            n_neurons=4,
            scoring="continuation",
            wording=str(tmp_path / "own.json"),
            **data,
        )
    )
    result = run_study(study, tmp_path / "out")
    lens = vl.ValueLens(vl.load_model(folders["gpt2"]))
    expected = 0
    for d in dilemmas:
        shown = study.question().presentations(d, 0)[0]
        both = [
            lens.model.tokenizer(shown.prompt + answer, return_offsets_mapping=True)
            for answer in (shown.aligned, shown.violating)
        ]
        firsts = [next(k for k, (_, end) in enumerate(b["offset_mapping"]) if end > len(shown.prompt)) for b in both]
        expected += firsts[0] != firsts[1]
    assert 0 < expected < 16
    asked = {name: result.summary["ablation"][name] for name in ("n_pairs", "n_pairs_joined", "n_misfits")}
    assert asked == {"n_pairs": 16, "n_pairs_joined": expected, "n_misfits": 0}
    assert {name: result.matrix.meta[name] for name in asked} == asked
    assert any(
        words.startswith(f"In {expected} of 16 pairs of options the tokenizer joins the prompt's end to an")
        for words in result.words
    )
