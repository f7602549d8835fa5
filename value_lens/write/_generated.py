"""A generated corpus: its records, its files, and its summary."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..audit import CorpusAudit, audit_corpus
from ..core import AnyRecord, Dilemma, LabelledText, write_json
from ..data import FILES, write_jsonl
from ..endpoint import Cost, Prices
from ..errors import OutputError
from ._campaign import Campaign

JOURNAL, SUMMARY = "journal.jsonl", "summary.json"


@dataclass(frozen=True)
class Generated:
    """What came of a run: records of each kind, what could not be written and why, duplicates left out, cost, and the audit."""

    records: Sequence[AnyRecord]
    failed: dict[str, str]
    n_duplicates: int
    cost: Cost
    audit: CorpusAudit | None = field(repr=False, default=None)

    def of(self, kind: type) -> list[Any]:
        """The records of one kind."""
        return [record for record in self.records if isinstance(record, kind)]


def require_own_folder(out: Path) -> None:
    """Raise `OutputError` for a folder that has files of the names to be written, but no journal of the run that wrote them."""
    if not os.path.lexists(out / JOURNAL):
        for name in (*FILES.values(), SUMMARY):
            if os.path.lexists(out / name):
                raise OutputError(
                    f"{out / name} is there already, and no journal of a run that wrote it; choose another folder"
                )


def write_corpus(out: Path, header: Mapping[str, Any], campaign: Campaign, prices: Prices) -> Generated:
    """Write the campaign's records, one file a kind, and the summary, and audit the corpus."""
    records, cost = campaign.records, campaign.cost(prices)
    by_kind = {kind: [record for record in records if isinstance(record, kind)] for kind in FILES}
    for kind, members in by_kind.items():
        if members:
            write_jsonl(out / FILES[kind], members)
    texts: list[Any] = by_kind[LabelledText]
    dilemmas: list[Any] = by_kind[Dilemma]
    audit = audit_corpus(texts, dilemmas, source=campaign.recipe.name) if texts or dilemmas else None
    summary = {
        **header,
        "written_by": campaign.written_by,
        "n_wanted": campaign.n_wanted,
        "n_records": {FILES[kind]: len(members) for kind, members in by_kind.items() if members},
        "n_duplicates_left_out": campaign.n_duplicates,
        "failed": campaign.failures,
        "cost": {**asdict(cost), "price": cost.price},
        "audit_failures": audit.failures() if audit else [],
    }
    write_json(out / SUMMARY, summary)
    return Generated(records, campaign.failures, campaign.n_duplicates, cost, audit)
