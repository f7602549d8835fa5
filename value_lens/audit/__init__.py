"""Measurements of a corpus: duplicates, giveaways, balance, parallel languages."""

from ._corpus import Audit, Bars, CorpusAudit, audit_corpus
from ._duplicates import duplicates, shingles_of

__all__ = ["Audit", "Bars", "CorpusAudit", "audit_corpus", "duplicates", "shingles_of"]
