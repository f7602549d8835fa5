"""Writing the output files of a study, the small and precious ones first."""

from pathlib import Path

from ..core import FiringStats, write_atomically, write_json
from ..errors import OutputError
from ._folder import LAYERS, MATRIX, STATS, SUMMARY, neurons_of, picture_of
from ._result import StudyResult

DPI = 120


def save_stats(stats: FiringStats, out: str | Path) -> bool:
    """Whether they could be saved: a disk that has no room for them may still have some for what comes of them."""
    try:
        stats.save(Path(out) / STATS)
    except OutputError:
        return False
    return True


def write_results(result: StudyResult, out: str | Path, *, with_stats: bool = True) -> None:
    """matrix.csv, summary.json, neurons/<value>.json, stats.safetensors, effects_<language>.png, layers.png.

    Pictures come last: a disk that fills up, or a picture that fails, loses nothing before it.

    Args:
        result: What the study found.
        out: The folder.
        with_stats: Whether to write the statistics, too; not where they are written already.
    """
    out = Path(out)
    write_atomically(out / MATRIX, result.matrix.to_frame().to_csv(index=False, float_format="%.6f").encode())
    write_json(out / SUMMARY, result.summary)
    for value, neurons in result.sets.items():
        neurons.save(out / neurons_of(value))
    if with_stats:
        result.stats.save(out / STATS)
    for language in result.matrix.languages:
        write_atomically(out / picture_of(language), result.matrix.plot(language).png(DPI))
    method = result.summary["ablation"]["method"]
    from ..plot import draw_layers  # matplotlib is loaded where a figure is drawn

    layers = draw_layers(result.sets, f"Neurons chosen by {method}, per layer")
    write_atomically(out / LAYERS, layers.png(DPI))
