"""Docstrings of public names: every argument, what comes back, every error raised, and the source of published methods."""

import ast
import inspect
import re
import textwrap

import pytest

import value_lens as vl
from value_lens.errors import ValueLensError

PUBLIC = {name: getattr(vl, name) for name in vl.__all__}
CALLABLE = {
    name: thing for name, thing in PUBLIC.items() if inspect.isfunction(inspect.unwrap(thing)) or inspect.isclass(thing)
}
ERRORS = {name for name, thing in vars(vl.errors).items() if inspect.isclass(thing) and issubclass(thing, ValueLensError)}
REGISTRIES = ("methods", "interventions", "measures", "presets")

each = pytest.mark.parametrize("name", sorted(CALLABLE))


def sections(docstring):
    """{heading: its text}, of Google's style."""
    parts = re.split(r"^(Args|Returns|Raises|Source|Yields):[ \n]", inspect.cleandoc(docstring or ""), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def raised(function):
    """Names of the library's errors in `raise` statements of a function, or of a class's way of being made."""
    source = inspect.unwrap(function)
    if inspect.isclass(source):
        makers = [vars(source).get(maker) for maker in ("__init__", "__post_init__")]
        return set().union(
            *(raised(maker) for maker in makers if inspect.isfunction(maker) and maker.__module__.startswith("value_lens"))
        )
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(source)))
    except (OSError, SyntaxError):  # made by dataclass
        return set()
    thrown = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    return {call.func.id for call in thrown if isinstance(call.func, ast.Name)} & ERRORS


@each
def test_every_argument_is_described(name):
    names = [p for p in inspect.signature(CALLABLE[name]).parameters if p not in ("self", "cls")]
    entries = re.findall(r"^ {4}([\w*, ]+):", sections(CALLABLE[name].__doc__).get("Args", ""), flags=re.MULTILINE)
    described = {word.strip(" *") for entry in entries for word in entry.split(",")}
    assert set(names) <= described, f"{name} does not describe {sorted(set(names) - described)}"


@each
def test_what_comes_back_is_described(name):
    thing = CALLABLE[name]
    if inspect.isfunction(inspect.unwrap(thing)) and inspect.signature(thing).return_annotation is not None:
        assert sections(thing.__doc__).get("Returns", "").strip()


@each
def test_errors_that_are_raised_are_named(name):
    told = sections(CALLABLE[name].__doc__).get("Raises", "")
    assert {error for error in raised(CALLABLE[name]) if error not in told} == set()


def test_the_reading_of_docstrings_sees_what_it_must():
    found = sections("""One line.

    Args:
        a: First.
        b: Second,
            on two lines.

    Raises:
        DataError: Never.
    """)
    assert list(found) == ["Args", "Raises"] and "DataError" in found["Raises"]
    assert "MismatchError" in raised(vl.NeuronScores) and "NeuronError" in raised(vl.average_precision)
    assert len(CALLABLE) > 30


@pytest.mark.parametrize("registry", REGISTRIES)
def test_every_strategy_has_a_source_and_a_line_of_help(registry):
    entries = getattr(vl, registry)
    assert len(entries)
    for name, entry in entries.items():
        assert entry.help.strip() and entry.source.strip(), name
