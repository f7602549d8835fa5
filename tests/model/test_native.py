"""Is a run with Hugging Face's own attention and norms the same run? Against the bridge's, hooked and not, padded on both sides."""

import pytest
import tiny
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    MistralConfig,
    MistralForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

import value_lens as vl
from value_lens.errors import SiteError
from value_lens.model import LensModel

SHAPE = dict(
    hidden_size=24,
    intermediate_size=37,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    max_position_embeddings=96,
    bos_token_id=0,
    eos_token_id=1,
    pad_token_id=2,
)
SLIDING = dict(SHAPE, sliding_window=4)
MAKERS = {
    "mistral": lambda n: MistralForCausalLM(MistralConfig(**SLIDING, vocab_size=n)),
    "qwen3": lambda n: Qwen3ForCausalLM(Qwen3Config(**SHAPE, vocab_size=n)),
    "gemma2": lambda n: Gemma2ForCausalLM(Gemma2Config(**SLIDING, vocab_size=n, query_pre_attn_scalar=8)),
    "gemma3": lambda n: Gemma3ForCausalLM(Gemma3TextConfig(**SLIDING, vocab_size=n, query_pre_attn_scalar=8)),
}
FUSED = {"llama": True, "mistral": True, "qwen3": True, "gemma3": True, "gemma2": False, "gpt2": False, "neox": False}


@pytest.fixture(scope="module")
def places(folders, tmp_path_factory):
    """{kind: folder}: sliding windows, norms of queries and keys, soft caps, joint projections."""
    where = tmp_path_factory.mktemp("native")
    return {**folders, **{kind: tiny.folder(where, kind, make) for kind, make in MAKERS.items()}}


@pytest.fixture(scope="module")
def bridges(places):
    return {kind: vl.load_model(places[kind]) for kind in FUSED}


@pytest.fixture(params=FUSED)
def kind(request):
    return request.param


@pytest.fixture
def bridge(bridges, kind):
    return bridges[kind]


@pytest.fixture
def fused_calls(monkeypatch):
    """How often PyTorch's fused attention was called."""
    calls = []
    usual = torch.nn.functional.scaled_dot_product_attention

    def counted(*args, **kwargs):
        calls.append(1)
        return usual(*args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", counted)
    return calls


def batch(side):
    """Three rows of tokens of unlike length, longer than the sliding windows."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(3, 300, (3, 17), generator=generator)
    mask = torch.ones_like(tokens, dtype=torch.bool)
    for row, n_pads in enumerate((0, 5, 11)):
        mask[row, :n_pads] = False
    return (tokens, mask) if side == "left" else (tokens.flip(1), mask.flip(1))


def positions(mask):
    return (mask.long().cumsum(-1) - 1).clamp_min(0)


def usual_logits(bridge, tokens, mask):
    with torch.no_grad():
        return bridge(tokens, attention_mask=mask.long(), position_ids=positions(mask), use_cache=False)


@pytest.mark.parametrize("side", ["left", "right"])
def test_logits_are_the_bridges_own(bridge, kind, side, fused_calls):
    tokens, mask = batch(side)
    usual = usual_logits(bridge, tokens, mask)
    assert not fused_calls
    found = LensModel(bridge).forward(tokens, mask)
    assert bool(fused_calls) == FUSED[kind]
    torch.testing.assert_close(found[mask], usual[mask], rtol=1e-4, atol=1e-4)


def test_logits_are_those_of_hugging_face(bridge, kind, places):
    model = AutoModelForCausalLM.from_pretrained(places[kind], attn_implementation="eager").eval()
    tokens, mask = batch("left")
    with torch.no_grad():
        expected = model(tokens, attention_mask=mask.long(), position_ids=positions(mask)).logits
    torch.testing.assert_close(LensModel(bridge).forward(tokens, mask)[mask], expected[mask], rtol=1e-4, atol=1e-4)


def test_rows_do_not_see_their_padding(bridge):
    view = LensModel(bridge)
    for side in ("left", "right"):
        tokens, mask = batch(side)
        together = view.forward(tokens, mask)
        for row, real in enumerate(mask):
            alone = view.forward(tokens[row : row + 1, real], torch.ones_like(tokens[row : row + 1, real], dtype=torch.bool))
            torch.testing.assert_close(together[row, real], alone[0], rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:A forward hook edited hook_scale")
@pytest.mark.parametrize("name", ["attn.hook_pattern", "attn.hook_attn_scores", "attn.hook_q", "ln2.hook_normalized"])
def test_what_is_hooked_runs_as_the_bridge_has_it(bridges, name, fused_calls):
    """An edit of a pattern, a score, a query or a norm reaches the logits, in one block as in all."""
    bridge, (tokens, mask) = bridges["llama"], batch("left")
    point = bridge.hook_dict[f"blocks.1.{name}"]
    seen = []

    def halve(activation, hook):
        seen.append(activation.shape)
        return activation * 0.5

    with bridge.hooks([(f"blocks.1.{name}", halve)]):
        usual = usual_logits(bridge, tokens, mask)
        view = LensModel(bridge)
        found = view.forward(tokens, mask)
        view.forward(tokens, mask)
    assert len(seen) >= 3 and not point.fwd_hooks
    torch.testing.assert_close(found[mask], usual[mask], rtol=1e-4, atol=1e-4)
    assert (found[mask] - view.forward(tokens, mask)[mask]).abs().max() > 1e-3
    assert bool(fused_calls)  # at the end, without the hook


def test_changed_weights_count(bridges):
    """Also those of joint projections, of which the bridge keeps split copies."""
    tokens, mask = batch("right")
    for kind in ("llama", "gpt2", "neox"):
        bridge = bridges[kind]
        view, weight = LensModel(bridge), bridge.blocks[0].attn.q.weight
        before = view.forward(tokens, mask)
        kept = weight.detach().clone()
        with torch.no_grad():
            weight.mul_(3)
        try:
            found = view.forward(tokens, mask)
            torch.testing.assert_close(found[mask], usual_logits(bridge, tokens, mask)[mask], rtol=1e-4, atol=1e-4)
            assert (found - before)[mask].abs().max() > 1e-3
        finally:
            with torch.no_grad():
                weight.copy_(kept)


def test_folded_weights_count(places):
    tokens, mask = batch("left")
    for kind in ("llama", "gpt2"):
        bridge = vl.load_model(places[kind])
        bridge.enable_compatibility_mode(disable_warnings=True)
        found = LensModel(bridge).forward(tokens, mask)
        torch.testing.assert_close(found[mask], usual_logits(bridge, tokens, mask)[mask], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_everything_is_put_back(bridges, failure):
    bridge, (tokens, mask) = bridges["llama"], batch("right")
    view = LensModel(bridge)
    parts = [part for part in bridge.modules() if hasattr(part, "original_component")]
    config, before = bridge.original_model.config, usual_logits(bridge, tokens, mask)

    def fail(activation):
        assert config._attn_implementation == "sdpa" and any("forward" in part.__dict__ for part in parts)
        raise failure

    view.forward(tokens, mask)
    with pytest.raises(failure), view.hooks([("blocks.1.mlp.hook_post", fail)]):
        view.forward(tokens, mask)
    assert config._attn_implementation == "eager" and not any("forward" in part.__dict__ for part in parts)
    assert torch.equal(usual_logits(bridge, tokens, mask), before)


def disagreeing(place):
    """A bridge around an original whose second attention gives zeros when it is called itself."""
    bridge = vl.load_model(place)
    bridge.blocks[1].attn.original_component.forward = lambda hidden_states, **kwargs: (torch.zeros_like(hidden_states), None)
    return bridge


def test_a_model_whose_own_attention_disagrees_runs_as_the_bridge_has_it(places):
    bridge, (tokens, mask) = disagreeing(places["llama"]), batch("left")
    with pytest.warns(UserWarning, match="differ from those of the Hugging Face model it wraps by up to"):
        found = LensModel(bridge).forward(tokens, mask)
    assert torch.equal(found, usual_logits(bridge, tokens, mask))


def test_what_was_not_tried_is_tried_before_it_steps_aside(places):
    """A hook keeps attention in place during the first run; once it is gone the attention is tried, too."""
    bridge, (tokens, mask) = disagreeing(places["llama"]), batch("left")
    view = LensModel(bridge)
    with bridge.hooks([("blocks.0.attn.hook_pattern", lambda activation, hook: None)]):
        view.forward(tokens, mask)
    with pytest.warns(UserWarning, match="Hugging Face model"):
        found = view.forward(tokens, mask)
    assert torch.equal(found, usual_logits(bridge, tokens, mask))


def test_an_original_that_cannot_be_called_is_left_alone(places):
    bridge, (tokens, mask) = vl.load_model(places["llama"]), batch("left")

    def refuse(*args, **kwargs):
        raise TypeError("not in this place")

    bridge.blocks[0].attn.original_component.forward = refuse
    assert torch.equal(LensModel(bridge).forward(tokens, mask), usual_logits(bridge, tokens, mask))


def test_pytorch_hooks_on_an_original_keep_the_bridge_in_place(bridges, fused_calls):
    bridge, (tokens, mask) = bridges["llama"], batch("left")
    view, seen = LensModel(bridge), []
    view.forward(tokens, mask)
    fused_calls.clear()
    handle = bridge.blocks[0].attn.original_component.register_forward_hook(lambda *given: seen.append(1))
    try:
        view.forward(tokens, mask)
    finally:
        handle.remove()
    assert not seen and not fused_calls


def test_a_common_offset_of_logits_hides_no_difference():
    from value_lens.model._trials import difference

    logits = torch.randn(6, 50, generator=torch.Generator().manual_seed(0))
    other = logits + 0.3 * torch.randn(6, 50, generator=torch.Generator().manual_seed(1))
    for dtype in (torch.float32, torch.bfloat16):
        assert difference((logits - 5).to(dtype), (other - 5).to(dtype)) > 1
        assert difference(logits.to(dtype), logits.to(dtype)) == 0
    assert difference(logits, logits + 7) <= 1


def test_a_model_that_padding_disturbs_is_run_one_text_at_a_time(bridges, texts):
    """An attention that forgets to be causal under a mask, as one of the bridge's does."""
    bridge = bridges["gpt2"]
    usual = bridge.forward

    def careless(tokens, **arguments):
        if "attention_mask" in arguments:
            tokens = torch.where(arguments["attention_mask"].bool(), tokens, tokens[:, -1:]).flip(1)
        return usual(tokens, **arguments)

    expected = vl.ValueLens(bridge).collect(texts, batching=vl.Batching(max_tokens=1))
    object.__setattr__(bridge, "forward", careless)
    try:
        lens = vl.ValueLens(bridge)
        with pytest.raises(SiteError, match="texts cannot share a batch; pass batching=Batching\\(max_tokens=1\\)"):
            lens.collect(texts)
        assert torch.equal(lens.collect(texts, batching=vl.Batching(max_tokens=1)).fired, expected.fired)
    finally:
        object.__delattr__(bridge, "forward")
