"""Are both answers scored after the same tokens, whatever a tokenizer joins? Against a plain loop over a Hugging Face model in float64."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_tokens import Pieces
from tokenizers import Tokenizer, decoders
from tokenizers import models as kinds
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

import value_lens as vl
from value_lens.errors import DataError
from value_lens.measure import choice
from value_lens.model import LensModel

LETTERS = ["<s>", "<pad>", *"ABabcd .:\n应该走留"]
PARTS = ["ab", "bc", "cd", "bcd", ".b", "应该", "应该走", ":A", ": "]


def merging():
    """A tokenizer that merges letters into parts, also over the end of a prompt."""
    merges = [("a", "b"), ("b", "c"), ("c", "d"), ("bc", "d"), (".", "b"), ("应", "该"), ("应该", "走"), (":", "A"), (":", " ")]
    model = kinds.BPE(vocab={part: k for k, part in enumerate([*LETTERS, *PARTS])}, merges=merges)
    return fast(model)


def likeliest():
    """A tokenizer that cuts a text as is likeliest on the whole, so that what follows changes how the prompt is cut."""
    scores = dict.fromkeys(LETTERS, -3.0) | dict.fromkeys(PARTS, -4.0) | {"bcd": -2.0, "应该走": -1.0, ".b": -2.5}
    return fast(kinds.Unigram([(part, scores[part]) for part in [*LETTERS, *PARTS]], unk_id=1))


def fast(model):
    tokenizer = Tokenizer(model)
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>")


class Greedy(Pieces):
    """The longest parts from the left, in Python and without offsets."""

    PIECES = (*LETTERS, *PARTS)


TOKENIZERS = {
    "merging": merging,
    "likeliest": likeliest,
    "without offsets": lambda: Greedy(bos_token="<s>", pad_token="<pad>"),
}
WORDINGS = {
    "presented": vl.ChoiceFormat("{scenario}A {first}B {second}\nb", "{option}"),
    "cloze": vl.ChoiceFormat("{scenario}应该", "{option}"),
    "full stop": vl.ChoiceFormat("{scenario}a.", "{option}"),
}
OPTIONS = [("走", "留"), ("cd", "a"), ("c", "cd"), ("bcd", "d"), ("ab", "abcd"), (" a", " b")]


def dilemma(aligned, violating, scenario="b ab", id="d"):
    return vl.Dilemma(id=id, scenario=scenario, aligned=aligned, violating=violating, value="care", language="zh")


def pieces_of(tokenizer, text):
    """Ids of a text, and where in it each ends."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    parts = tokenizer.convert_ids_to_tokens(ids)
    return ids, [sum(map(len, parts[: k + 1])) for k in range(len(parts))]


def scored_of(tokenizer, prompt, options, bos):
    """[(ids, first scored place) of either option], and whether that is before one of them begins: the rule, by a plain loop."""
    both = [pieces_of(tokenizer, prompt + option) for option in options]
    starts = [next(k for k, end in enumerate(ends) if end > len(prompt)) for _, ends in both]
    ids = [some for some, _ in both]
    differs = next((k for k in range(min(map(len, ids))) if ids[0][k] != ids[1][k]), min(map(len, ids)))
    start = min(differs, *starts)
    return [([*bos, *some], len(bos) + start) for some in ids], start < max(starts)


@pytest.fixture(scope="module")
def doubles(folders):
    """The Hugging Face models themselves, in float64."""
    return {kind: AutoModelForCausalLM.from_pretrained(folders[kind]).double().eval() for kind in ("llama", "gpt2", "neox")}


def kind_of(model):
    return {"silu": "llama", "gelu_new": "gpt2"}.get(model.cfg.act_fn, "neox")


@pytest.mark.parametrize("name", TOKENIZERS)
def test_margins_equal_a_plain_loop_in_float64(model, doubles, name):
    tokenizer = TOKENIZERS[name]()
    lens = vl.ValueLens(model, tokenizer=tokenizer)
    bos = [tokenizer.bos_token_id] if model.cfg.default_prepend_bos else []
    n_joined = 0
    for wording in WORDINGS.values():
        asked = [dilemma(*options, scenario="ab.", id=str(k)) for k, options in enumerate(OPTIONS)]
        expected = torch.zeros(len(asked), dtype=torch.float64)
        for k, d in enumerate(asked):
            orders = [(d.aligned, d.violating), (d.violating, d.aligned)][: 1 + wording.presents_options]
            for first, second in orders:
                prompt = wording.prompt.format(scenario=d.scenario, first=first, second=second)
                both, joined = scored_of(tokenizer, prompt, (d.aligned, d.violating), bos)
                n_joined += joined
                for (ids, start), sign in zip(both, (1, -1), strict=True):
                    with torch.no_grad():
                        rows = doubles[kind_of(model)](torch.tensor([ids])).logits[0].log_softmax(-1)
                    mean = sum(float(rows[at - 1, ids[at]]) for at in range(start, len(ids))) / (len(ids) - start)
                    expected[k] += sign * mean / len(orders)
        question = vl.Question("continuation", {"zh": wording})
        for options in ({"padding_side": "left"}, {"padding_side": "right", "max_tokens": 100}):
            torch.testing.assert_close(
                lens.margins(asked, question=question, batching=vl.Batching(**options)), expected, rtol=1e-4, atol=1e-4
            )
        turned = [dataclasses.replace(d, aligned=d.violating, violating=d.aligned) for d in asked]
        torch.testing.assert_close(lens.margins(turned, question=question), -expected, rtol=1e-4, atol=1e-4)
    assert n_joined >= 3


TEXTS = st.text("abcd 应该走留.", min_size=1, max_size=5).filter(str.strip)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(
    end=st.sampled_from(["", "a", "ab", "应", "应该", ".", ":"]),
    options=st.tuples(TEXTS, TEXTS).filter(lambda two: two[0] != two[1]),
)
def test_both_options_follow_the_same_tokens_and_are_scored_to_their_ends(views, name, end, options):
    view = views[name]
    d = dilemma(*options)
    wording = vl.ChoiceFormat("{scenario}: " + end, "{option}")
    asked = choice(vl.Question("continuation", {"zh": wording})).encode(view, [d])
    both, joined = scored_of(view.tokenizer, f"{d.scenario}: {end}", options, [0])
    assert (asked.meta["n_pairs"], asked.meta["n_pairs_joined"]) == (1, joined)
    for run, (ids, start), sign in zip(asked.texts, both, (1, -1), strict=True):
        assert list(run.encoded.ids) == ids and run.encoded.ids[:start] == asked.texts[0].encoded.ids[:start]
        assert [(at, token) for at, token, _ in run.scored] == [(k - 1, ids[k]) for k in range(start, len(ids))]
        assert sum(weight for _, _, weight in run.scored) == pytest.approx(sign)


@pytest.fixture(scope="module")
def views(models):
    return {name: LensModel(models["bridge", "llama"], make()) for name, make in TOKENIZERS.items()}


def test_labels_follow_the_same_tokens_when_one_is_joined_to_the_prompt(views):
    """ ":A" is one token and ":B" two: both are scored from the colon on."""
    for name, view in views.items():
        wording = vl.ChoiceFormat("{scenario}{first}.{second}:", ("A", "B"))
        asked = choice(vl.Question("label", {"zh": wording})).encode(view, [dilemma("ab", "cd")])
        runs = {run.encoded.ids[place : place + 2] for run in asked.texts for place, _, _ in run.scored[:1]}
        assert len({run.encoded.ids[: run.scored[0][0] + 1] for run in asked.texts[:2]}) == 1, name
        assert len(runs) >= 2 and asked.meta["n_pairs"] == 2


def test_what_cannot_be_compared_is_refused(views, models):
    view = views["merging"]
    cloze = vl.Question("continuation", {"zh": WORDINGS["cloze"]})
    unknown = [dilemma(*pair, id=pair[0]) for pair in (("x", "y"), ("u", "v"), ("ab", "cd"))]  # of letters that it drops
    with pytest.raises(DataError, match="2 of 3 dilemmas cannot be used:\n  text 'x' has no .*\n  text 'u' has no"):
        choice(cloze).encode(view, unknown)
    blunt = LensModel(models["bridge", "llama"], fast(kinds.Unigram([("<s>", -9.0), ("<pad>", -1.0), ("a", -1.0)], unk_id=1)))
    with pytest.raises(DataError, match="dilemma 'd': its options 'x' and 'y' are the same to this tokenizer"):
        choice(cloze).encode(blunt, [dilemma("x", "y")])


def test_the_first_token_of_all_cannot_be_scored(models, monkeypatch):
    view = LensModel(models["bridge", "gpt2"], merging())
    monkeypatch.setattr(view, "prepends_bos", False)
    bare = vl.Question("continuation", {"zh": vl.ChoiceFormat("{scenario}", "{option}")})
    with pytest.raises(
        DataError, match="dilemma 'd': no token stands before what is scored, neither BOS nor one of the prompt '应该'"
    ):
        choice(bare).encode(view, [dilemma("走", "留", scenario="应该")])
