"""How is a result shown? Figures, the summary file, plain words."""

from .figures import draw_firing, draw_layers, shown
from .summary import method_summary, number, plain_words, support_summary

__all__ = ["draw_firing", "draw_layers", "method_summary", "number", "plain_words", "shown", "support_summary"]
