"""How does the library touch a model? The only folder that imports TransformerLens."""

from .encoding import Input, encode_all, encode_each, joined
from .generation import (
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
from .hooks import cutting, reading, reading_post, writing
from .items import HookFunction
from .load import ENGINES, load_model
from .norms import output_norms
from .precision import has_float64, to_float64
from .sites import SITES, NeuronSite, Site, require_site, resolve_site
from .tokens import (
    BATCH_TOKENS,
    TOO_LONG,
    Batch,
    EncodedText,
    PaddingSide,
    TooLong,
    bucket,
    encode,
    first_difference,
    pad,
    tokenize,
    windows,
)
from .view import ModelInfo, ModelView
from .vocabulary import padding_id, require_embedded, special_ids, with_bos

__all__ = [
    "BATCH_TOKENS",
    "ENGINES",
    "SITES",
    "TOO_LONG",
    "Batch",
    "EncodedText",
    "HookFunction",
    "Input",
    "ModelInfo",
    "ModelView",
    "NeuronSite",
    "PaddingSide",
    "Site",
    "TooLong",
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
    "first_difference",
    "has_float64",
    "joined",
    "known_tokens",
    "load_model",
    "output_norms",
    "pad",
    "padding_id",
    "reading",
    "reading_post",
    "require_embedded",
    "require_site",
    "resolve_site",
    "said",
    "special_ids",
    "to_float64",
    "tokenize",
    "whole_characters",
    "windows",
    "with_bos",
    "written",
    "writing",
]
