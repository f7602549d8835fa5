"""What do all tests share? Shape checks over the whole package, no network, and tiny models made once."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from jaxtyping import install_import_hook

_hook = install_import_hook("value_lens", "beartype.beartype")

from pathlib import Path

import pytest
import tiny

import value_lens as vl

NO_MODEL = {"core", "systems", "data", "audit", "endpoint", "locate", "plot", "report", "simulations"}
NO_MODEL |= {"test_layers.py", "test_repository.py", "value_lens"}
OF_A_MODEL = {"model", "models", "lens", "folders", "engine"}  # fixtures and parameters


def pytest_addoption(parser):
    parser.addoption(
        "--models-only", action="store_true", help="only tests that may depend on the generation of transformer-lens"
    )


def pytest_collection_modifyitems(config, items):
    """With --models-only leave out tests of rooms without a model, unless they ask for one: a second run could not differ."""
    if not config.getoption("--models-only"):
        return
    left_out = [item for item in items if _room(item) in NO_MODEL and not OF_A_MODEL & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=left_out)
    chosen = set(map(id, left_out))
    items[:] = [item for item in items if id(item) not in chosen]


def _room(item):
    """The folder of the tests, or the package itself for its doctests."""
    parts = Path(item.path).relative_to(Path(__file__).parents[1]).parts
    return parts[1] if parts[0] == "tests" else parts[0]


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """{kind: Hugging Face folder} of tiny random models."""
    where = tmp_path_factory.mktemp("models")
    return {kind: tiny.folder(where, kind) for kind in tiny.MAKERS}


def engines() -> list[str]:
    """The engines of the installed transformer-lens: HookedTransformer exists in generation 3 alone."""
    from value_lens.model import transformer_lens_version

    return ["bridge", "hooked"] if transformer_lens_version().startswith("3.") else ["bridge"]


@pytest.fixture(scope="session")
def models(folders):
    """{(engine, kind): TransformerLens model}, gated (llama) and ungated (gpt2, neox)."""
    return {
        (engine, kind): vl.load_model(folders[kind], vl.Loading(engine=engine))
        for engine in engines()
        for kind in ("llama", "gpt2", "neox")
    }


@pytest.fixture(params=[(engine, kind) for engine in engines() for kind in ("llama", "gpt2", "neox")], ids="-".join)
def model(request, models):
    return models[request.param]


@pytest.fixture
def lens(model):
    return vl.ValueLens(model)


@pytest.fixture(scope="session")
def texts() -> list[vl.LabelledText]:
    """Sixty texts over three values, both aspects and two language labels."""
    return [
        vl.LabelledText(
            id=f"t{i}",
            text=text,
            value=("honesty", "care", "duty")[i % 3],
            aspect="+-"[i // 3 % 2],
            language=("en", "zh")[i // 6 % 2],
        )
        for i, text in enumerate(tiny.sentences(60))
    ]


@pytest.fixture(scope="session")
def dilemmas() -> list[vl.Dilemma]:
    return [
        vl.Dilemma(
            id=f"d{i}",
            scenario=text,
            aligned="help the others now",
            violating="wait at home",
            value=("honesty", "care")[i % 2],
            language=("en", "zh")[i // 2 % 2],
        )
        for i, text in enumerate(tiny.sentences(16, seed=5, longest=8))
    ]
