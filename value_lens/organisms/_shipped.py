"""Shipped model organisms: small models trained so that it is known which neurons cause which value.

An organism is an ordinary Hugging Face folder with two more files: `true_neurons.json` and `card.json` (how it was trained and
what was measured). It learnt the bank's frames by heart: it is ground truth for methods, and says nothing of generalisation.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from ..core import COUNT, SIZE, TEXT, Dilemma, Expected, Kind, LabelledText, NeuronSet, list_of, parse_json, tuple_of
from ..data import Selection, load_dilemmas, load_texts
from ..errors import ArtefactError, UnknownNameError, ValueLensError
from ..model import Loading, fingerprint, load_model

TRUE = "true_neurons.json"
_PAIRS = list_of(tuple_of(COUNT, COUNT))
_BY_VALUE = Expected(
    "by value lists of [layer, index]", lambda content: isinstance(content, dict) and all(map(_PAIRS.holds, content.values()))
)
_TRUE_NEURONS = Kind("true neurons", fields={"site": TEXT, "n_layers": SIZE, "d_mlp": SIZE, "neurons": _BY_VALUE})


@dataclass(frozen=True)
class Organism:
    """A loaded organism. `texts` and `dilemmas` are composed from slot fillings that it never saw in training.

    Args:
        name: The organism's name.
        folder: Its Hugging Face folder.
        model: The loaded TransformerLens model.
        true_neurons: {value: the neurons that cause it}, at either site.
        card: How it was trained, and what was measured.
    """

    name: str
    folder: Path
    model: Any
    true_neurons: Mapping[str, NeuronSet]
    card: Mapping[str, Any] = field(repr=False)

    @cached_property
    def texts(self) -> list[LabelledText]:
        return load_texts("bank", Selection(split="activation", fillings="held_out", per_group=60))

    @cached_property
    def dilemmas(self) -> list[Dilemma]:
        return load_dilemmas("bank", Selection(split="evaluation", fillings="held_out", per_group=40))


def _shelf() -> Path:
    return Path(str(resources.files("value_lens.organisms"))) / "weights"


def organism_names() -> tuple[str, ...]:
    return tuple(sorted(folder.name for folder in _shelf().glob("*") if os.path.isfile(folder / TRUE)))


def organism_folder(name: str) -> Path:
    """The Hugging Face folder of a shipped organism; raises `UnknownNameError`."""
    if name not in organism_names():
        raise UnknownNameError("organism", name, organism_names())
    return _shelf() / name


def read_true_neurons(folder: Path) -> dict[str, NeuronSet] | None:
    """{value: true neurons} when a model folder states them, else None. They hold at either site.

    Raises `ArtefactError` that names the file for one that says something else.
    """
    source = folder / TRUE
    if not os.path.isfile(source):
        return None
    try:
        content, _ = _TRUE_NEURONS.read(1, _read_json(source), {})
        shape = {key: content[key] for key in ("site", "n_layers", "d_mlp")}
        return {
            value: NeuronSet.from_pairs(pairs, **shape, provenance={"true_neurons_of": folder.name, "value": value})
            for value, pairs in content["neurons"].items()
        }
    except ValueLensError as error:
        raise ArtefactError(f"{source} {error}") from error


def _read_json(path: Path) -> Any:
    try:
        return parse_json(path.read_bytes().decode())
    except (OSError, ValueError) as error:
        raise ArtefactError(f"cannot be read: {error}") from error


def load_organism(name: str, loading: Loading = Loading()) -> Organism:
    """Load a shipped organism, like any other model folder.

    Args:
        name: The organism's name, such as "selective-gelu".
        loading: Engine, device and dtype; see `Loading`.

    Returns:
        The model with its true neurons, texts and dilemmas.

    Raises:
        UnknownNameError: There is no organism of that name.
        ModelLoadError: The engine is not there, or the folder cannot be loaded.
    """
    folder = organism_folder(name)
    model = load_model(folder, loading)
    weights = fingerprint(model)
    true = {value: replace(neurons, model=weights) for value, neurons in (read_true_neurons(folder) or {}).items()}
    card = parse_json((folder / "card.json").read_bytes().decode())
    return Organism(name, folder, model, true, card)
