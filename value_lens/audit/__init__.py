"""Measurements of a corpus: duplicates, giveaways, balance, parallel languages."""

from ._bars import Bars
from ._corpus import CorpusAudit, audit_corpus
from ._duplicates import duplicates, shingles_of
from ._language_audit import Audit

__all__ = ["Audit", "Bars", "CorpusAudit", "audit_corpus", "duplicates", "shingles_of"]
