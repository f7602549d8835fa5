"""The registry of views, through which surfaces attach plots to results."""

from collections.abc import Callable
from typing import Any

from ..errors import UnknownNameError

_VIEWS: dict[tuple[str, str], Callable[..., Any]] = {}


def attach_view(kind: str, name: str, function: Callable[..., Any]) -> None:
    """Attach `function(result, ...)` as the view `name` of a kind of result. The only way in which a lower floor reaches a higher."""
    _VIEWS[kind, name] = function


def view_of(kind: str, name: str) -> Callable[..., Any]:
    """The attached function.

    Raises:
        UnknownNameError: for a view that nothing attached.
    """
    if (kind, name) not in _VIEWS:
        raise UnknownNameError(f"view of {kind}", name, [view for its_kind, view in _VIEWS if its_kind == kind])
    return _VIEWS[kind, name]
