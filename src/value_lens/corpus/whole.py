"""What does a corpus hold, texts, dilemmas, or both? Everything of a source that can be audited."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from .bank import BANK
from .layouts import LAYOUTS
from .load import load_dilemmas, load_texts
from .records import Dilemma, LabelledText
from .tables import hub_rows, read_rows

_FILES = {"texts.jsonl", "dilemmas.jsonl"}


def bad_rows_beside(source: str, fallback: str | Path) -> Path:
    """The file that a source's bad rows are written to: beside a local file, else in the folder `fallback`."""
    path = Path(source.partition(":")[2] if source.partition(":")[0] in LAYOUTS else source)
    if path.is_file():
        return path.with_name(f"{path.stem}.bad.jsonl")
    return Path(fallback) / "bad_rows.jsonl"


def load_corpus(
    source: str, *, per_group: int | None = 200, seed: int = 0, skip_bad: bool = False
) -> tuple[list[LabelledText], list[Dilemma]]:
    """(texts, dilemmas) of a source: both from the bank, from a published data set that has both, and from a folder with
    texts.jsonl and dilemmas.jsonl; else what its first row looks like. Raises as `load_texts` does.
    """
    folder = Path(source)
    if folder.is_dir() and (files := sorted(_FILES & {path.name for path in folder.iterdir()})):
        found = [load_corpus(str(folder / name), per_group=per_group, seed=seed, skip_bad=skip_bad) for name in files]
        return [text for texts, _ in found for text in texts], [d for _, dilemmas in found for d in dilemmas]
    kinds = _kinds(source)
    bad = bad_rows_beside(source, ".") if skip_bad else None
    texts = load_texts(source, per_group=per_group, seed=seed, skip_bad=bad) if LabelledText in kinds else []
    dilemmas = load_dilemmas(source, per_group=per_group, seed=seed, skip_bad=bad) if Dilemma in kinds else []
    return texts, dilemmas


def _kinds(source: str) -> set[type]:
    if source.split(":")[0] == BANK:
        return {LabelledText} if source.endswith("poles") else {LabelledText, Dilemma}
    name = source.partition(":")[0]
    if name in LAYOUTS:
        return set(LAYOUTS[name].makes) & {LabelledText, Dilemma}
    rows = read_rows(source) if Path(source).is_file() else hub_rows(source, "train")
    first = next((row for _, row in islice(rows, 1)), None)
    return {Dilemma} if isinstance(first, Mapping) and {"aligned", "violating"} & set(first) else {LabelledText}
