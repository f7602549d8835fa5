"""Loading the texts and dilemmas of a study, with counts of drawn records and skipped rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import Dilemma, LabelledText
from ..data import (
    DEFAULT,
    BadRowsError,
    Sample,
    Selection,
    bad_rows_beside,
    is_bank,
    layout_of,
    remove_earlier,
    require_one_spelling,
    sample,
)
from ._config import Study
from ._options import Count
from ._parts import COMPOSED

KINDS: dict[str, Any] = {"texts": LabelledText, "dilemmas": Dilemma}


@dataclass(frozen=True)
class StudyData:
    """Texts to count on and dilemmas to ask. `skipped` holds, for either, the error that its bad rows would have been, and their file."""

    samples: Mapping[str, Sample[Any]]
    sources: Mapping[str, str]
    skipped: Mapping[str, tuple[BadRowsError, Path]]

    @property
    def texts(self) -> list[LabelledText]:
        return self.samples["texts"].records

    @property
    def dilemmas(self) -> list[Dilemma]:
        return self.samples["dilemmas"].records

    def summary(self) -> dict[str, Any]:
        """How many records were used, of how many, of how many clusters, and how many rows were left out."""
        return {
            "n_dilemmas": len(self.dilemmas),
            **{f"n_{what}_available": sample.n_available for what, sample in self.samples.items()},
            "n_clusters": {what: sample.n_clusters for what, sample in self.samples.items()},
            "n_rows_skipped": {what: len(self.skipped[what][0].rows) if what in self.skipped else 0 for what in KINDS},
        }

    def words(self) -> list[str]:
        """The same as sentences, with the licences of published data sets."""
        layouts = {layout.name: layout for layout, _ in map(layout_of, self.sources.values()) if layout is not None}
        return [
            *(sample.words(what, self.sources[what]) for what, sample in self.samples.items()),
            *(f"{layout.title} is used under its licence: {layout.licence} ({layout.url})." for layout in layouts.values()),
            *(
                f"{len(error.rows)} of {error.n_rows} rows of {self.sources[what]} could not be used; they stand in {path}."
                for what, (error, path) in self.skipped.items()
            ),
        ]


def load_data(study: Study, out: Path) -> StudyData:
    """The texts and dilemmas of a study, `out` being the folder for bad rows of what is no local file.

    Raises as `load_texts` does, and for values named in several ways between the two.
    """
    sources = {"texts": study.texts.source, "dilemmas": study.dilemmas.source}
    counts: dict[str, Count] = {"texts": study.texts.per_group, "dilemmas": study.dilemmas.per_value}
    skipped: dict[str, tuple[BadRowsError, Path]] = {}
    samples = {what: _sample(study, what, sources[what], counts[what], out, skipped) for what in KINDS}
    require_one_spelling(*(sample.records for sample in samples.values()))
    return StudyData(samples, sources, skipped)


def _sample(
    study: Study, what: str, source: str, count: Count, out: Path, skipped: dict[str, tuple[BadRowsError, Path]]
) -> Sample[Any]:
    part = study.selection
    selection = Selection(
        values=part.values,
        languages=part.languages,
        per_group=COMPOSED[what] if count == DEFAULT and is_bank(source) else count,
        seed=study.seed,
        fillings=part.fillings,
    )
    bad_rows = bad_rows_beside(source, out, what)
    try:
        records = sample(KINDS[what], source, selection)
    except BadRowsError as error:
        if not part.skip_bad:
            raise
        skipped[what] = error, bad_rows
        return sample(KINDS[what], source, selection, skip_bad=bad_rows)
    if part.skip_bad:
        remove_earlier(bad_rows)
    return records
