"""Labels as figures and tables have room for them."""

from ..errors import shortened

LABEL = 48  # letters of a label that are shown


def short(label: str) -> str:
    """A label no longer than a figure has room for."""
    return shortened(label, LABEL)
