"""Sentences, JSON and pages."""

from ._audit_page import audit_page
from ._numbers import number
from ._summary import method_summary, plain_words, support_summary, wordings_summary

__all__ = ["audit_page", "method_summary", "number", "plain_words", "support_summary", "wordings_summary"]
