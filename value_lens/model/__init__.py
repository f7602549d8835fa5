"""Everything that touches a model; the only room that imports TransformerLens."""

from ._attachments import HookFunction
from ._batching import PADDING_SIDES, TOO_LONG, Batching, PaddingSide, TooLong
from ._chat import ChatTemplate
from ._encoding import EncodedText, encode, first_difference, tokenize, windows
from ._fingerprint import fingerprint
from ._hooks import Rewrite, cutting, reading, writing
from ._inputs import Input, encode_all, encode_each, joined
from ._lens_model import LensModel, ModelInfo, as_lens_model
from ._loading import ENGINES, load_model, transformer_lens_version
from ._norms import output_norms
from ._padding import Batch, bucket, pad
from ._precision import has_float64, to_float64
from ._sampling import (
    blank_tokens,
    chooser,
    continued,
    continued_by_huggingface,
    end_tokens,
    known_tokens,
    said,
    whole_characters,
    written,
)
from ._sites import SITES, NeuronSite, Site, require_site, resolve_site
from ._vocabulary import padding_id, require_embedded, special_ids, with_bos

__all__ = [
    "Batch",
    "Batching",
    "ChatTemplate",
    "ENGINES",
    "EncodedText",
    "HookFunction",
    "Input",
    "LensModel",
    "ModelInfo",
    "NeuronSite",
    "PADDING_SIDES",
    "PaddingSide",
    "Rewrite",
    "SITES",
    "Site",
    "TOO_LONG",
    "TooLong",
    "as_lens_model",
    "blank_tokens",
    "bucket",
    "chooser",
    "continued",
    "continued_by_huggingface",
    "cutting",
    "encode",
    "encode_all",
    "encode_each",
    "end_tokens",
    "fingerprint",
    "first_difference",
    "has_float64",
    "joined",
    "known_tokens",
    "load_model",
    "output_norms",
    "pad",
    "padding_id",
    "reading",
    "require_embedded",
    "require_site",
    "resolve_site",
    "said",
    "special_ids",
    "to_float64",
    "tokenize",
    "transformer_lens_version",
    "whole_characters",
    "windows",
    "with_bos",
    "writing",
    "written",
]
