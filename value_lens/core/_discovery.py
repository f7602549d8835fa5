"""Importing all files of a folder, so that what they register is known."""

import importlib
import pkgutil


def import_all(package: str) -> None:
    """Import every module of a package, in alphabetical order; a face does so when each of its files registers something.

    Args:
        package: The dotted name of a package that is being imported, `__name__` in its face.
    """
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
