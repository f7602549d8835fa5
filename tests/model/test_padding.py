"""Is a text in a padded batch the same as the text alone, whatever is on the model; and where it is not, is the batch refused?"""

import pytest
import tiny
import torch
from conftest import engines
from transformers import OPTConfig, OPTForCausalLM, XGLMConfig, XGLMForCausalLM

import value_lens as vl
from value_lens.errors import SiteError
from value_lens.model import LensModel

SHAPE = dict(max_position_embeddings=96, bos_token_id=0, eos_token_id=1, pad_token_id=2)
OPT = dict(hidden_size=24, word_embed_proj_dim=24, ffn_dim=37, num_hidden_layers=2, num_attention_heads=4, dropout=0.0)
XGLM = dict(d_model=24, ffn_dim=37, num_layers=2, attention_heads=4, dropout=0.0)
MAKERS = {
    "opt": lambda n: OPTForCausalLM(OPTConfig(**SHAPE, **OPT, vocab_size=n)),
    "xglm": lambda n: XGLMForCausalLM(XGLMConfig(**SHAPE, **XGLM, vocab_size=n)),
}
REFUSED = "texts cannot share a batch; pass batching=Batching\\(max_tokens=1\\)"


@pytest.fixture(scope="module")
def places(folders, tmp_path_factory):
    """{kind: folder}. TransformerLens 4 puts hooks of its own on the first two."""
    where = tmp_path_factory.mktemp("padding")
    return {**{kind: tiny.folder(where, kind, make) for kind, make in MAKERS.items()}, **folders}


@pytest.fixture(scope="module")
def bridges(places):
    return {kind: vl.load_model(places[kind]) for kind in ("opt", "xglm", "llama", "gpt2")}


def batches():
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(3, 300, (3, 17), generator=generator)
    mask = torch.ones_like(tokens, dtype=torch.bool)
    for row, n_pads in enumerate((0, 5, 11)):
        mask[row, :n_pads] = False
    return (tokens, mask), (tokens.flip(1), mask.flip(1))


def require_rows_alone(view):
    for tokens, mask in batches():
        together = view.forward(tokens, mask)
        for row, real in enumerate(mask):
            alone = view.model(tokens[row : row + 1, real], return_type="logits").detach()
            torch.testing.assert_close(together[row, real], alone[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["opt", "xglm", "llama", "gpt2"])
def test_rows_are_as_they_are_alone(bridges, kind, texts):
    view = LensModel(bridges[kind])
    require_rows_alone(view)
    assert view.checks.padding.status == "passed"  # it was tried
    lens = vl.ValueLens(bridges[kind])
    alone = lens.collect(texts, batching=vl.Batching(max_tokens=1))
    for side in ("left", "right"):
        assert torch.equal(lens.collect(texts, batching=vl.Batching(padding_side=side)).fired, alone.fired)


def test_a_hook_for_each_token_is_part_of_the_model(bridges):
    """Its rows are those of the model with the hook on; and the trial is made again for another hook, not for another run."""
    bridge = bridges["llama"]
    view, calls = LensModel(bridge), []
    direction = torch.randn(24, generator=torch.Generator().manual_seed(1))

    def steer(activation, hook):
        calls.append(activation.shape)
        return activation + direction

    plain = view.forward(*batches()[0])
    with bridge.hooks([("blocks.1.hook_resid_pre", steer)]):
        require_rows_alone(view)
        n_tried = len(view.trials._padding)
        calls.clear()
        steered = view.forward(*batches()[0])
        assert len(calls) == 1 and len(view.trials._padding) == n_tried == 2
    assert (steered - plain).abs().max() > 1e-3 and torch.equal(view.forward(*batches()[0]), plain)


@pytest.mark.parametrize("engine", engines())
def test_a_hook_that_looks_at_other_tokens_keeps_texts_apart(places, texts, engine):
    """By their places in the batch or by its width: then counts would depend on what stands beside a text."""
    model = vl.load_model(places["llama"], vl.Loading(engine=engine))
    lens = vl.ValueLens(model)
    expected = lens.collect(texts)

    def normalise(activation, hook):
        return activation / activation.abs().mean(1, keepdim=True)

    with model.hooks([("blocks.1.hook_resid_pre", normalise)]):
        with pytest.raises(SiteError, match=f"a hook that looks at more than one token; so {REFUSED}"):
            lens.collect(texts)
        alone = lens.collect(texts, batching=vl.Batching(max_tokens=1))
    assert not torch.equal(alone.fired, expected.fired) and torch.equal(lens.collect(texts).fired, expected.fired)


def test_a_hook_that_cannot_bear_a_trial_keeps_texts_apart(places, texts):
    model = vl.load_model(places["llama"])
    lens = vl.ValueLens(model)
    lens.collect(texts[:2], batching=vl.Batching(max_tokens=1))

    def only_alone(activation, hook):
        if len(activation) > 1:
            raise ValueError("one text at a time, please")

    with model.hooks([("blocks.1.hook_resid_pre", only_alone)]):
        lens.collect(texts[:6], batching=vl.Batching(max_tokens=1))
        with pytest.raises(SiteError, match=rf"two short rows failed \(ValueError: one text at a time.*{REFUSED}"):
            lens.collect(texts[:6])


def test_answers_are_those_of_prompts_alone_or_refused(places):
    model = vl.load_model(places["gpt2"])
    prompts = [
        vl.Prompt(id=str(n), system="", user=text, value="v", aspect="+", language="en")
        for n, text in enumerate(tiny.sentences(4, seed=3, longest=9))
    ]
    together = vl.respond(model, prompts, max_new_tokens=4)
    alone = vl.respond(model, prompts, max_new_tokens=4, batching=vl.Batching(max_tokens=1))
    assert [text.text for text in together] == [text.text for text in alone]
    with model.hooks([("blocks.1.hook_resid_pre", lambda x, hook: x / x.abs().mean(1, keepdim=True))]):
        with pytest.raises(SiteError, match=REFUSED):
            vl.respond(model, prompts, max_new_tokens=4)


def test_an_edit_sees_no_trial_run(places):
    """What it did is told by its log: only runs that were asked for may be in it."""
    model = vl.load_model(places["llama"])
    lens, (tokens, mask) = vl.ValueLens(model), batches()[0]
    neurons = vl.NeuronSet.from_pairs([(0, 1), (2, 3)], site="gate", n_layers=3, d_mlp=37)
    with lens.editing(neurons) as log:  # the very first use, with the trial run of the site
        fresh = LensModel(model)
        edited = fresh.forward(tokens, mask)
        assert fresh.checks.padding.status == "passed" and log.n_calls == 2
        assert torch.equal(vl.ValueLens(model).site("gate")(torch.ones(1)), lens.site("gate")(torch.ones(1)))
        assert log.n_calls == 2
    assert not torch.equal(fresh.forward(tokens, mask), edited)
