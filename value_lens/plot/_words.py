"""Labels cut to the room that figures and tables have."""

from ..errors import shortened

LABEL = 48  # letters of a label that are shown


def short(label: str) -> str:
    """A label no longer than a figure has room for."""
    return shortened(label, LABEL)
