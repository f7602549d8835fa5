"""Published data sets: how their rows become records, one file a data set; the data itself is not packaged.

A source is named "moral_stories" (its place on the hub) or "moral_stories:PATH" (local files).
"""

from ...core import import_all
from ._layout import LAYOUTS, Layout

import_all(__name__)

__all__ = ["LAYOUTS", "Layout"]
