"""Value neurons of language models: find them, test what they cause, and measure how certain both are.

Importing the package loads nothing but this file: the public names, which need torch, are loaded with the first use of one.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from ._face import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """A room of the package, or a public name (PEP 562)."""
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return importlib.import_module(f"{__name__}.{name}")
    face = importlib.import_module(f"{__name__}._face")
    globals().update({public: getattr(face, public) for public in face.__all__}, __all__=face.__all__)
    if name not in globals():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
