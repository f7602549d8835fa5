"""The figure of how often a bag of words tells the aligned option of dilemmas."""

from ..audit import Bars, CorpusAudit
from ..core import in_order, label_of
from ..errors import DataError
from ._picture import Picture
from ._words import short


def draw_giveaway(audit: CorpusAudit) -> Picture:
    """How often a bag of words tells the aligned option, by value and language, with chance and the bar of the audit."""
    accuracies = {language: each.giveaway.accuracy for language, each in audit.languages.items() if each.giveaway}
    if not accuracies:
        raise DataError("the audit measured no giveaways: there were no dilemmas")
    values = in_order({value for accuracy in accuracies.values() for value in accuracy})
    only = next(iter(accuracies)) if len(accuracies) == 1 else "en"
    figure = Picture(figsize=(7.0, max(2.5, 1.2 + 0.32 * len(values))), layout="constrained")
    panel = figure.subplots()
    for index, (language, accuracy) in enumerate(accuracies.items()):
        rows = [row + 0.28 * (index - (len(accuracies) - 1) / 2) for row, value in enumerate(values) if value in accuracy]
        panel.scatter([100 * accuracy[v] for v in values if v in accuracy], rows, label=language, color=f"C{index}", zorder=3)
    panel.axvline(50, color="0.6", linestyle=":", label="chance")
    panel.axvline(100 * Bars().giveaway, color="C3", linestyle="--", label="bar")
    panel.set_yticks(range(len(values)), [short(label_of(value, only)) for value in values])
    panel.invert_yaxis()
    panel.set_xlim(0, 100)
    panel.grid(axis="y", color="0.93")
    panel.set_xlabel("dilemmas whose aligned option a bag of words tells, without the scenario (%)")
    panel.set_title(f"Do the options give themselves away? ({audit.source or 'a corpus'})")
    panel.legend(ncols=2, fontsize=8)
    return figure
