"""How is a result shown? Figures, the summary file, plain words."""

from .audit_page import audit_page
from .figures import draw_circle, draw_firing, draw_giveaway, draw_layers, shown
from .numbers import number
from .summary import method_summary, plain_words, support_summary, wordings_summary

__all__ = [
    "audit_page",
    "draw_circle",
    "draw_firing",
    "draw_giveaway",
    "draw_layers",
    "method_summary",
    "number",
    "plain_words",
    "shown",
    "support_summary",
    "wordings_summary",
]
