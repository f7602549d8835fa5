"""Terminal command `version`."""

import sys

from .._version import __version__
from ._terminal import app, console


@app.command()
def version() -> None:
    """The versions of value_lens and transformer-lens."""
    from ..model import transformer_lens_version

    console.print(f"value_lens {__version__}, transformer-lens {transformer_lens_version()}, Python {sys.version.split()[0]}")
