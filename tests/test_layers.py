"""The house stands as designed: imports go down only, axis words are listed, and importing the library changes nothing."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import value_lens
from value_lens.axes import AXES

ROOT = Path(value_lens.__file__).parent
PACKAGE = ROOT.name
FLOORS = {
    "base": ("errors", "axes", "_version"),
    "things": ("core", "systems", "data", "audit", "endpoint", "model"),
    "verbs": ("collect", "intervene", "measure", "locate"),
    "studies": ("causal", "write", "organisms"),
    "surfaces": ("plot", "report", "lens", "study", "cli", "__main__", "_face"),
    "outside": ("testing",),
}
ROOMS = tuple(room for rooms in FLOORS.values() for room in rooms)  # each imports from itself and those before it only
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
ARRAYS = set("Float Float32 Float64 Int Int32 Int64 Bool UInt8 Shaped Num Real Integer Inexact".split(" "))  # noqa: SIM905

each_module = pytest.mark.parametrize("module", MODULES, ids=str)


def tree_of(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def room_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def imported(module: Path) -> list[str]:
    """Absolute dotted names of everything a module imports, wherever it does so: `from ..a import b` gives value_lens.a.b."""
    package = [PACKAGE, *module.parts[:-1]]
    found: list[str] = []
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            found += [f"{source}.{name.name}" for name in node.names]
    return found


def rooms_used(module: Path) -> set[str]:
    inside = [name.split(".") for name in imported(module) if name.split(".")[0] == PACKAGE]
    return {parts[1] for parts in inside if len(parts) > 1}


def test_every_module_has_its_room_and_every_room_its_modules():
    assert {room_of(module) for module in MODULES} - {"__init__"} == set(ROOMS)


@each_module
def test_a_room_imports_only_from_rooms_before_it(module):
    if module == Path("__init__.py"):
        assert rooms_used(module) == {"_version", "_face"}  # which hands names on from every room
        return
    allowed = ROOMS[: ROOMS.index(room_of(module)) + 1]
    assert rooms_used(module) <= set(allowed), f"{module} may import from {allowed}"


def test_the_reading_of_imports_sees_what_it_must():
    """Else the test above would pass for an empty list."""
    assert rooms_used(Path("data/_bank.py")) == {"core", "errors", "systems"}
    assert "causal" in rooms_used(Path("causal/_cells.py"))  # under TYPE_CHECKING
    assert {"audit", "core", "report"} <= rooms_used(Path("cli/_audit.py"))  # inside functions


def test_only_the_model_room_imports_transformer_lens():
    users = {room_of(module) for module in MODULES if any(n.split(".")[0] == "transformer_lens" for n in imported(module))}
    assert users == {"model"}


def bypassed_faces(module: Path, names: list[str]) -> list[str]:
    """Imported names that go round a face: of another room's inside, or of a private file in a folder that the module is not in."""
    package = list(module.parts[:-1])
    hidden: list[str] = []
    for name in names:
        parts = name.split(".")[1:]
        other_room = len(parts) > 2 and parts[0] != room_of(module)
        private = [place for place, part in enumerate(parts[:-1]) if part.startswith("_") and place]
        if (other_room and (ROOT / parts[0]).is_dir()) or any(parts[:place] != package[:place] for place in private):
            hidden.append(name)
    return hidden


@each_module
def test_files_of_rooms_are_private_and_other_rooms_use_faces(module):
    """Implementation files begin with an underscore; what others use of a room, or of a folder in one, its face hands on."""
    if len(module.parts) > 1:
        assert module.name.startswith("_")
    assert bypassed_faces(module, [name for name in imported(module) if name.split(".")[0] == PACKAGE]) == []


def test_the_reading_of_faces_sees_what_it_must():
    outside, inside = Path("cli/_corpora.py"), Path("data/published/_ethics.py")
    allowed = ["value_lens.data.load_texts", "value_lens.errors.DataError"]
    assert bypassed_faces(outside, [*allowed, "value_lens.cli._terminal.app"]) == []
    hidden = ["value_lens.data._bank.frames", "value_lens.data.formats.Where", "value_lens.data.formats._rows.Where"]
    assert bypassed_faces(outside, hidden) == hidden
    near = ["value_lens.data.published._fields.field_of", "value_lens.data._bank.frames", "value_lens.data.formats.Where"]
    assert bypassed_faces(inside, [*allowed, *near]) == []
    assert bypassed_faces(inside, ["value_lens.data.formats._rows.Where"]) == ["value_lens.data.formats._rows.Where"]


def test_no_module_has_the_name_of_a_function():
    """Else `value_lens.audit` is now the one, now the other."""
    modules = {part.removesuffix(".py") for module in MODULES for part in module.parts}
    defined = {node.name for module in MODULES for node in tree_of(module).body if isinstance(node, ast.FunctionDef)}
    assert len(modules) > 80 and {name for name in modules & defined if not name.startswith("_")} == set()


@each_module
def test_no_file_is_long(module):
    """Past 250 lines it has two jobs."""
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) <= 250


@each_module
def test_annotations_are_not_postponed(module):
    """It would defeat the shape checks."""
    assert not [name for name in imported(module) if name.startswith("__future__.annotations")]


@each_module
def test_the_first_line_is_a_statement(module):
    """It says the module's one job; a riddle is no job."""
    docstring = ast.get_docstring(tree_of(module)) or ""
    first = docstring.splitlines()[0]
    assert (ROOT / module).read_text(encoding="utf-8").startswith('"""')
    assert first.endswith(".") and "?" not in first


def shapes(tree: ast.AST) -> list[str]:
    """The strings of Float[Tensor, "..."] and its like, those inside quoted annotations too."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, (ast.Name, ast.Attribute)):
            name = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
            if name in ARRAYS and len(parts) == 2 and isinstance(parts[1], ast.Constant):
                found.append(str(parts[1].value))
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.search(r"^[\w\[, .|]*\[Tensor, ['\"]", node.value)
        ):
            found += shapes(ast.parse(node.value, mode="eval"))
    return found


def unlisted(shape: str) -> list[str]:
    words = [word.lstrip("*#?") for word in shape.split() if word not in ("...", "_")]
    return [word for word in words if not word.isdigit() and word not in AXES]


@each_module
def test_every_axis_word_is_listed(module):
    assert {shape: unlisted(shape) for shape in shapes(tree_of(module)) if unlisted(shape)} == {}


def test_the_reading_of_shapes_sees_what_it_must():
    source = """
def f(a: Float[Tensor, "batch pos 3"], b: "Int64[Tensor, 'nonsense'] | None") -> jaxtyping.Bool[Tensor, "*item"]: ...
"""
    assert sorted(shapes(ast.parse(source))) == ["*item", "batch pos 3", "nonsense"]
    assert unlisted("... batch nonsense 2 *item") == ["nonsense"]
    assert "group layer neuron" in shapes(tree_of(Path("core/_firing.py")))
    assert sum(len(shapes(tree_of(module))) for module in MODULES) > 50


@each_module
def test_every_tensor_annotation_uses_a_listed_kind(module):
    """A kind of array that `shapes` does not know would go unread."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom) and node.module == "jaxtyping":
            assert {name.name for name in node.names} <= ARRAYS


def test_axis_words_are_words_with_a_meaning():
    assert all(re.fullmatch(r"[a-z][a-z_]*", word) and meaning for word, meaning in AXES.items())


def third_party() -> list[str]:
    """What the package's modules import from elsewhere at their top level."""
    names = set()
    for module in MODULES:
        for node in tree_of(module).body:
            if isinstance(node, ast.Import):
                names |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module)
    return sorted(names)


PROBE = """
import importlib, json, logging, os, random, sys, warnings
import numpy, torch
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
random.seed(1); numpy.random.seed(2); torch.manual_seed(3)

def state():
    return {
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "default dtype": str(torch.get_default_dtype()),
        "default device": str(torch.get_default_device()),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "torch seed": torch.initial_seed(),
        "torch draws": torch.random.get_rng_state().tolist(),
        "numpy draws": repr(numpy.random.get_state()),
        "random draws": repr(random.getstate()),
        "warnings": list(map(repr, warnings.filters)),
        "handlers": repr(logging.getLogger().handlers),
        "level": logging.getLogger().level,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
    }

before = state()
import value_lens
value_lens.ValueLens  # public names are loaded with the first use
after = state()
print(json.dumps({
    "changed": [name for name in before if before[name] != after[name]],
    "loaded": [name for name in ("transformer_lens", "datasets", "pandas") if name in sys.modules],
    "file": value_lens.__file__,
}))
"""


@pytest.fixture(scope="module")
def import_report():
    """Import what the package imports, note the state of the process, import the package, note it again."""
    command = [sys.executable, "-c", PROBE, json.dumps(third_party())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_the_library_changes_nothing(import_report):
    assert import_report["file"] == value_lens.__file__
    assert import_report["changed"] == []


def test_importing_the_library_prints_nothing_and_loads_no_transformer_lens(import_report):
    """It is loaded with the first model."""
    assert "transformer_lens" not in import_report["loaded"]


def test_slow_loops_stand_in_one_file():
    """What numbers are compared with is read in one place."""
    tests = Path(__file__).parent
    elsewhere = [
        path.name for path in tests.rglob("test_*.py") if re.search(r"^def slow_\w+\(", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert elsewhere == [] and len(re.findall(r"^def slow_\w+\(", (tests / "oracles.py").read_text("utf-8"), re.MULTILINE)) > 10
