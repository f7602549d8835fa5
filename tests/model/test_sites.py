"""Are the neurons where the site says, and is a model without them refused with the reason?"""

from types import SimpleNamespace

import pytest
import torch

import value_lens as vl
from value_lens.errors import ModelLoadError, SiteError, UnknownNameError
from value_lens.model import resolve_site
from value_lens.model._sites import ACTIVATIONS


class Stub(torch.nn.Module):
    """A model that is nothing but a configuration and hooks of one width."""

    def __init__(self, hooks, width, **cfg):
        super().__init__()
        from transformer_lens.hook_points import HookPoint

        self.weight = torch.nn.Parameter(torch.ones(1))
        self.points = torch.nn.ModuleList([HookPoint() for _ in hooks])
        self.hook_dict = dict(zip(hooks, self.points, strict=True))
        self.width = width
        self.cfg = SimpleNamespace(
            **{"n_layers": 1, "d_mlp": 8, "n_ctx": 16, "d_vocab": 5, "act_fn": "silu", "default_prepend_bos": True, **cfg}
        )
        self.tokenizer = SimpleNamespace(bos_token_id=0)

    def forward(self, tokens, **arguments):
        for point in self.points:
            point(torch.ones(*tokens.shape, self.width))
        return torch.zeros(*tokens.shape, 5)


POST = ["blocks.0.mlp.hook_post"]


def test_a_mixture_of_experts_is_refused(folders):
    lens = vl.ValueLens(vl.load_model(folders["mixtral"]))
    text = vl.LabelledText(id="a", text="the river", value="care", aspect="+", language="en")
    for site in ("post", "gate"):
        with pytest.raises(SiteError, match="mixture of 3 experts.*not neurons"):
            lens.collect([text], site=site)


def test_a_model_of_attention_only_is_refused():
    from value_lens.model import LensModel

    with pytest.raises(SiteError, match="attention-only"):
        resolve_site(LensModel(Stub([], 8, attn_only=True)), "post")
    with pytest.raises(SiteError, match="no MLP neurons"):
        resolve_site(LensModel(Stub([], 8, d_mlp=None)), "post")


def test_a_missing_hook_is_named():
    from value_lens.model import LensModel

    with pytest.raises(SiteError, match=r"no hook 'blocks.0.mlp.hook_post'.*it has blocks.0.mlp.hook_out"):
        resolve_site(LensModel(Stub(["blocks.0.mlp.hook_out"], 8)), "post")
    with pytest.raises(SiteError, match=r"'blocks.0.mlp.hook_pre', which site 'gate' needs"):
        resolve_site(LensModel(Stub([*POST, "blocks.0.mlp.hook_pre_linear"], 8)), "gate")


def test_a_wrong_width_is_refused():
    from value_lens.model import LensModel

    with pytest.raises(SiteError, match=r"is 6 wide, but the MLP has 8 neurons"):
        resolve_site(LensModel(Stub(POST, 6)), "post")
    assert resolve_site(LensModel(Stub(POST, 8)), "post").read == tuple(POST)


def test_an_unknown_activation_is_refused_at_the_gate_only():
    from value_lens.model import LensModel

    hooks = [f"blocks.0.mlp.{name}" for name in ("hook_pre", "hook_pre_linear", "hook_post")]
    view = LensModel(Stub(hooks, 8, act_fn="swiglu9"))
    assert resolve_site(view, "post").gated
    with pytest.raises(SiteError, match="activation function 'swiglu9'; known: relu"):
        resolve_site(view, "gate")


def test_a_gate_that_is_not_act_of_hook_pre_is_refused(folders):
    """Some models scale the gate, or norm its product, between the hooks: act(hook_pre) is then not what they compute."""
    model = vl.load_model(folders["llama"])
    gate = model.blocks[1].mlp.original_component

    class Scaled(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.silu(1.5 * x)

    gate.act_fn = Scaled()
    lens = vl.ValueLens(model)
    assert lens.collect([vl.LabelledText(id="a", text="the river", value="care", aspect="+", language="en")]).site == "post"
    with pytest.raises(SiteError, match=r"is not what hook_post holds \(blocks.1.mlp.hook_post, off by .*use site 'post'"):
        lens.collect([vl.LabelledText(id="a", text="the river", value="care", aspect="+", language="en")], site="gate")


def test_an_unknown_site_is_named(lens, texts):
    with pytest.raises(UnknownNameError, match="unknown site 'resid'; known: post, gate"):
        lens.collect(texts, site="resid")


def test_every_known_activation_keeps_the_sign():
    x = torch.linspace(-8, 8, 4001)
    for name, activation in ACTIVATIONS.items():
        assert torch.equal(activation(x) > 0, x > 0), name


def test_only_transformer_lens_models_are_seen():
    with pytest.raises(ModelLoadError, match="expected a TransformerLens model.*got Linear"):
        vl.ValueLens(torch.nn.Linear(2, 2))
    model = Stub(POST, 8)
    model.tokenizer = None
    with pytest.raises(ModelLoadError, match="no tokenizer"):
        vl.ValueLens(model)


def test_engines_of_one_folder_agree(models, texts):
    """The bridge and, under transformer-lens 3, the HookedTransformer count the same."""
    for kind in ("llama", "gpt2", "neox"):
        found = [vl.ValueLens(model).collect(texts, site="gate") for (_, name), model in models.items() if name == kind]
        for other in found[1:]:
            if torch.equal(found[0].n_tokens, other.n_tokens):
                assert int((found[0].fired - other.fired).abs().sum()) <= 3
            else:
                pytest.fail(f"{kind}: the engines count different tokens")


def test_a_name_that_cannot_be_loaded_says_how(tmp_path):
    with pytest.raises(ModelLoadError, match="(?s)cannot load 'nobody/nothing'.*offline only a folder"):
        vl.load_model("nobody/nothing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelLoadError, match="cannot load"):
        vl.load_model(tmp_path)
