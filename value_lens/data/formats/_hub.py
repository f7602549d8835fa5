"""Data sets of the Hugging Face Hub, and folders made with `Dataset.save_to_disk`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import DataError, UnknownNameError
from ._registry import file_suffixes
from ._rows import Row, Where


def hub_rows(name: str, split: str) -> Iterator[Row]:
    """The rows of a data set by hub name, or of a folder made with `Dataset.save_to_disk`.

    Raises `DataError` that says how to go on when nothing came, as without a network.
    """
    import datasets

    try:
        dataset: Any
        if os.path.isdir(name):
            dataset = datasets.load_from_disk(name)
            if isinstance(dataset, datasets.DatasetDict):
                if split not in dataset:
                    raise UnknownNameError(f"split of {name}", split, sorted(map(str, dataset)))
                dataset = dataset[split]
        else:
            dataset = datasets.load_dataset(name, split=split)
    except UnknownNameError:
        raise
    except Exception as error:  # the hub client raises many types; each means that nothing came
        raise DataError(
            f"cannot load {name!r} (split {split!r}) as a data set: {_first_line(error)}\n{_advice(error)}"
        ) from error
    number = 0
    try:
        for row in dataset:
            number += 1
            yield Where(name, "row", number), row
    except Exception as error:  # of a damaged file, whatever its reader raises
        raise DataError(f"{name}, row {number + 1}: cannot be read: {_first_line(error)}") from error


def hub_folder(name: str, pattern: str) -> Path:
    """A local copy of the files of a hub data set that match the pattern. Raises `DataError` as `hub_rows` does."""
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(name, repo_type="dataset", allow_patterns=pattern))
    except Exception as error:  # the hub client raises many types; each means that nothing came
        raise DataError(f"cannot get the files of {name!r}: {_first_line(error)}\n{_advice(error)}") from error


def _advice(error: Exception) -> str:
    """How to go on: without a network, or with what the hub's client does not load."""
    opening = "Offline: download it where there is a network" if isinstance(error, OSError) else "Download it"
    return f"{opening} and give the path of the files ({', '.join(file_suffixes())}), or of a folder made with Dataset.save_to_disk"


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
