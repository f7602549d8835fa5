"""Which tokens are made, and which of them count? On tokenizers with every odd set of special tokens, both engines."""

import dataclasses

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer
from tokenizers import models as kinds
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizer, PreTrainedTokenizerFast

import value_lens as vl
from value_lens.errors import DataError
from value_lens.model import LensModel, encode, padding_id, special_ids

QUESTION = vl.Question("label", {"en": vl.ChoiceFormat("{scenario} A. {first} B. {second} Answer:", (" A", " B"))})


def text(written, *, prompt="", value="care", id="t"):
    return vl.LabelledText(id=id, text=written, value=value, aspect="+", language="en", prompt=prompt)


def dilemma(scenario, **changes):
    given = {"id": "d", "aligned": "help the others", "violating": "wait", "value": "care", "language": "en"} | changes
    return vl.Dilemma(scenario=scenario, **given)


def borrowed(role, token):
    tokenizer = tiny.byte_tokenizer()
    setattr(tokenizer, role, token)
    return tokenizer


def marked(token):
    """A token of the vocabulary that the tokenizer marks as special without giving it a role."""
    tokenizer = tiny.byte_tokenizer()
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False)])
    return tokenizer


def words(kind, vocabulary, **roles):
    """A tokenizer whose model holds its special tokens among its words, as most do that are not byte-level."""
    if kind == "WordLevel":
        model = kinds.WordLevel(vocab={word: place for place, word in enumerate(vocabulary)}, unk_token=vocabulary[0])
    else:
        model = kinds.Unigram([(word, 0.0 if word.startswith("<") else -1.0) for word in vocabulary], unk_id=0)
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), **roles)


class Pieces(PreTrainedTokenizer):
    """A tokenizer in Python, without offsets: the longest pieces from the left."""

    PIECES = ("<s>", "<pad>", "a", "b", "c", " ", "ab", "bc", "b c", " c", "abca")

    def __init__(self, **roles):
        self.ids = {piece: place for place, piece in enumerate(self.PIECES)}
        super().__init__(**roles)

    @property
    def vocab_size(self):
        return len(self.ids)

    def get_vocab(self):
        return {**self.ids, **self.added_tokens_encoder}

    def _tokenize(self, text, **kwargs):
        found = []
        while text:
            found.append(max((piece for piece in self.ids if text.startswith(piece)), key=len))
            text = text.removeprefix(found[-1])
        return found

    def _convert_token_to_id(self, token):
        return self.ids[token]

    def _convert_id_to_token(self, index):
        return self.PIECES[index]

    def convert_tokens_to_string(self, tokens):
        return "".join(tokens)


SPECIAL = {
    "as trained": (tiny.byte_tokenizer, {"<s>", "</s>", "<pad>"}),
    "an ordinary token as padding": (lambda: borrowed("pad_token", "!"), {"<s>", "</s>", "<pad>"}),
    "an ordinary token as end": (lambda: borrowed("eos_token", "."), {"<s>", "</s>", "<pad>"}),
    "a special token in two roles": (lambda: borrowed("pad_token", "</s>"), {"<s>", "</s>", "<pad>"}),
    "a mark without a role": (lambda: marked("q"), {"<s>", "</s>", "<pad>", "q"}),
    "words": (
        lambda: words("WordLevel", ["<unk>", "<s>", "<pad>", "the"], bos_token="<s>", pad_token="<pad>", unk_token="<unk>"),
        {"<unk>", "<s>", "<pad>"},
    ),
    "unknown words are no text": (lambda: words("WordLevel", ["unk", "<s>", "the"], bos_token="<s>", unk_token="unk"), {"unk", "<s>"}),
    "a word as padding": (
        lambda: words("WordLevel", ["<unk>", "<s>", "the"], bos_token="<s>", pad_token="the", unk_token="<unk>"),
        {"<unk>", "<s>"},
    ),
    "likeliest pieces": (
        lambda: words("Unigram", ["<unk>", "<s>", "<pad>", "t"], bos_token="<s>", pad_token="<pad>", unk_token="<unk>"),
        {"<unk>", "<s>", "<pad>"},
    ),
    "Python": (lambda: Pieces(bos_token="<s>", pad_token="a"), {"<s>"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
def test_special_is_what_the_tokenizer_marks(name, tmp_path):
    make, expected = SPECIAL[name]
    tokenizer = make()
    assert {tokenizer.convert_ids_to_tokens(token) for token in special_ids(tokenizer)} - {"</s>"} == expected - {"</s>"}
    if tokenizer.is_fast:  # a tokenizer that is loaded marks whatever has a role
        tokenizer.save_pretrained(tmp_path)
        again = AutoTokenizer.from_pretrained(tmp_path)
        assert {again.convert_ids_to_tokens(token) for token in special_ids(again)} - {"</s>"} == expected - {"</s>"}


def test_tokens_marked_after_the_first_look_are_seen():
    tokenizer = tiny.byte_tokenizer()
    before = special_ids(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|user|>"]})
    assert special_ids(tokenizer) == before | {tokenizer.convert_tokens_to_ids("<|user|>")}


@pytest.mark.parametrize("padding_side", ["left", "right"])
@pytest.mark.parametrize("name", ["an ordinary token as padding", "a mark without a role"])
def test_every_token_of_a_text_counts_but_those_marked(model, name, padding_side, tmp_path):
    make, expected = SPECIAL[name]
    made = make()
    made.save_pretrained(tmp_path)
    texts = ["the river waits!", "wait! wait! the quiet market keeps the promise!!", "!", "bread<pad>"]
    for tokenizer in (made, AutoTokenizer.from_pretrained(tmp_path)):
        lens = vl.ValueLens(model, tokenizer=tokenizer)
        given = [text(written, id=str(k), value=f"v{k}") for k, written in enumerate(texts)]
        stats = lens.collect(given, batching=vl.Batching(padding_side=padding_side))
        ids = [tokenizer(written, add_special_tokens=False)["input_ids"] for written in texts]
        n_tokens = [sum(tokenizer.convert_ids_to_tokens(token) not in expected for token in some) for some in ids]
        assert stats.n_tokens.tolist() == n_tokens and min(n_tokens) >= 1
        for k, (written, some) in enumerate(zip(texts, ids, strict=True)):
            (found,) = lens.activations(written, every_neuron(lens))
            of_text = found.activations[-len(some) :]
            counting = [tokenizer.convert_ids_to_tokens(token) not in expected for token in some]
            fired = (of_text[torch.tensor(counting)] > 0).sum(0)
            assert int((stats.fired[k].flatten() - fired).abs().sum()) <= 1  # rounding near zero


def every_neuron(lens):
    n_layers, d_mlp = lens.info.n_layers, lens.info.d_mlp
    places = [(layer, k) for layer in range(n_layers) for k in range(d_mlp)]
    return vl.NeuronSet.from_pairs(places, site="post", n_layers=n_layers, d_mlp=d_mlp)


BOS = "<s>"


def test_a_text_that_begins_with_bos_gets_no_second_one(lens):
    view = lens
    for parts in ({"text": "yes"}, {"prompt": "Help? ", "text": "yes"}):
        first = next(iter(parts))
        plain, once, twice = (encode(view, **{**parts, first: n * BOS + parts[first]}) for n in range(3))
        assert once.ids == (0, *view.tokenizer("".join(parts.values()), add_special_tokens=False)["input_ids"])
        assert twice.ids == (0, *once.ids)  # as it was given
        if view.prepends_bos:
            assert plain == once
        else:
            assert (0, *plain.ids) == once.ids and plain.counted + 1 == once.counted
    with pytest.raises(DataError, match="has no tokens to count: '<s>'"):
        encode(view, BOS)


@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_results_are_the_same_with_and_without_a_bos_of_ones_own(lens, texts, dilemmas, padding_side):
    """A rendered chat template brings its own, in a text, a prompt, or a wording."""
    if not lens.prepends_bos:
        pytest.skip("this model begins without BOS")
    begun = [dataclasses.replace(t, text=BOS + t.text) for t in texts[:20]]
    prompted = [dataclasses.replace(t, prompt="Well then: ") for t in texts[20:40]]
    begun += [dataclasses.replace(t, prompt=BOS + t.prompt) for t in prompted]
    first = lens.collect([*texts[:20], *prompted], batching=vl.Batching(padding_side=padding_side))
    second = lens.collect(begun, batching=vl.Batching(padding_side=padding_side))
    assert torch.equal(first.n_tokens, second.n_tokens) and torch.equal(first.fired, second.fired)

    form = vl.ChoiceFormat("{scenario}\nA. {first}\nB. {second}\nAnswer:", (" A", " B"))
    cloze = vl.ChoiceFormat("{scenario} You decide to", " {option}")
    for scoring, wording in (("label", form), ("continuation", cloze)):
        asked = dict.fromkeys(("en", "zh"), wording)
        begun = dict.fromkeys(("en", "zh"), dataclasses.replace(wording, prompt=BOS + wording.prompt))
        margins = [
            lens.margins(dilemmas, question=vl.Question(scoring, w), batching=vl.Batching(padding_side=padding_side))
            for w in (asked, begun)
        ]
        assert torch.equal(*margins)

    neurons = vl.NeuronSet.from_pairs([(0, 1), (1, 2)], site="post", n_layers=lens.info.n_layers, d_mlp=lens.info.d_mlp)
    (plain,), (own,) = (lens.activations(start + texts[0].text, neurons) for start in ("", BOS))
    assert plain.tokens == own.tokens and torch.equal(plain.activations, own.activations)


def beyond(**roles):
    """A tokenizer with tokens that were added without room in the model's embedding."""
    tokenizer = tiny.byte_tokenizer()
    tokenizer.add_special_tokens(roles)
    return tokenizer


@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_padding_that_the_embedding_lacks_is_done_with_a_token_it_has(model, texts, dilemmas, padding_side):
    usual, odd = vl.ValueLens(model), vl.ValueLens(model, tokenizer=beyond(pad_token="[PAD]"))
    assert odd.tokenizer.pad_token_id == odd.n_embedded == len(usual.tokenizer)
    first, second = (lens.collect(texts, batching=vl.Batching(padding_side=padding_side)) for lens in (usual, odd))
    assert torch.equal(first.n_tokens, second.n_tokens) and torch.equal(first.fired, second.fired)
    assert torch.equal(*(lens.margins(dilemmas, batching=vl.Batching(padding_side=padding_side)) for lens in (usual, odd)))


def test_so_is_that_of_answers(model):
    requests = ["the river waits", "a teacher keeps the promise in the quiet market"]
    prompts = [
        vl.Prompt(id=str(k), system="", user=user, value="care", aspect="+", language="en") for k, user in enumerate(requests)
    ]
    odd = beyond(pad_token="[PAD]")
    assert vl.respond(vl.ValueLens(model, odd), prompts, max_new_tokens=2) == vl.respond(model, prompts, max_new_tokens=2)


def test_a_bos_that_the_embedding_lacks_is_left_out(model, texts):
    lens = vl.ValueLens(model, tokenizer=beyond(bos_token="[BOS]"))
    assert encode(lens, "the river").ids == encode(vl.ValueLens(model, tiny.byte_tokenizer(bos=False)), "the river").ids
    lens.collect(texts[:4])


def test_a_text_with_a_token_that_the_embedding_lacks_is_refused_by_its_id(model):
    lens = vl.ValueLens(model, tokenizer=beyond(additional_special_tokens=["<|image|>"]))
    rows = lens.n_embedded
    told = rf"'odd' has the token '<\|image\|>' \(id {rows}\), but the model's embedding has {rows} rows: .*; leave it out, or"
    with pytest.raises(DataError, match=told):
        lens.collect([text("the river"), text("the <|image|> river", id="odd")])
    with pytest.raises(DataError, match=told):
        lens.margins([dilemma("the river"), dilemma("see <|image|>", id="odd")], question=QUESTION)
    with pytest.raises(DataError, match=rf"'number 1' has the token '<\|image\|>' \(id {rows}\)"):
        lens.activations("<|image|>", every_neuron(lens))


def test_so_is_a_conversation_of_a_local_writer(model, folders):
    odd, rows = beyond(additional_special_tokens=["<|image|>"]), len(tiny.byte_tokenizer())
    own = AutoModelForCausalLM.from_pretrained(folders["llama"])
    for writer in (vl.local_writer(model, odd), vl.local_writer(own, odd)):
        with pytest.raises(
            DataError, match=rf"the conversation has the token '<\|image\|>' \(id {rows}\), but the model's embedding"
        ):
            writer([{"role": "user", "content": "see <|image|>"}])


def test_the_embeddings_rows_are_counted_on_the_weights(model, texts, monkeypatch):
    """A configuration may state more tokens than there are."""
    rows = LensModel(model).n_embedded
    assert rows == len(tiny.byte_tokenizer())
    monkeypatch.setattr(model.cfg, "d_vocab", 2 * rows)
    lens = vl.ValueLens(model, tokenizer=beyond(pad_token="[PAD]"))
    assert lens.n_embedded == rows
    lens.collect(texts[:4])
    assert [padding_id(lens.tokenizer, n) for n in (rows, rows + 1)] == [0, rows]


@given(prompt=st.text("ab c", min_size=1), written=st.text("ab c", min_size=1))
def test_without_offsets_prompt_and_text_are_tokenized_as_one(pieces_view, prompt, written):
    """The same as of a tokenizer with offsets: a token belongs to the text when it ends after the prompt."""
    found = encode(pieces_view, written, prompt=prompt)
    tokens = pieces_view.tokenizer.tokenize(prompt + written)
    assert found.ids == (0, *pieces_view.tokenizer.convert_tokens_to_ids(tokens))
    ends = [sum(map(len, tokens[: k + 1])) for k in range(len(tokens))]
    assert found.counted == 1 + sum(end <= len(prompt) for end in ends)


@pytest.fixture(scope="module")
def pieces_view(models):
    return LensModel(models["bridge", "llama"], Pieces(bos_token="<s>", pad_token="<pad>"))
