"""Everything that touches a model; the only room that imports TransformerLens."""

from ._adapter import Adapter, transformer_lens_version
from ._batching import PADDING_SIDES, TOO_LONG, Batching, PaddingSide, TooLong
from ._chat import ChatTemplate
from ._checks import Check, Checks
from ._decoding import decode_new, whole_characters
from ._encoding import EncodedText, encode, first_difference, prepend_bos, tokenize, windows
from ._engines import adapter_of, load_model
from ._fingerprint import fingerprint
from ._generation import end_tokens, generate_with_huggingface
from ._hooks import Rewrite, cutting, reading, writing
from ._inputs import Input, combine_errors, encode_all, encode_each
from ._items import HookFunction
from ._lens_model import LensModel, ModelInfo, as_lens_model
from ._loading import DTYPES, ENGINES, Loading, require_device
from ._norms import output_norms
from ._padding import Batch, bucket, pad
from ._precision import has_float64, to_float64
from ._sampling import chooser
from ._sites import SITES, NeuronSite, Site, require_site, resolve_site
from ._tokens import blank_tokens, known_tokens, padding_id, require_embedded, special_ids

__all__ = [
    "Adapter",
    "Batch",
    "Batching",
    "ChatTemplate",
    "Check",
    "Checks",
    "DTYPES",
    "ENGINES",
    "EncodedText",
    "HookFunction",
    "Input",
    "LensModel",
    "Loading",
    "ModelInfo",
    "NeuronSite",
    "PADDING_SIDES",
    "PaddingSide",
    "Rewrite",
    "SITES",
    "Site",
    "TOO_LONG",
    "TooLong",
    "adapter_of",
    "as_lens_model",
    "blank_tokens",
    "bucket",
    "chooser",
    "combine_errors",
    "cutting",
    "decode_new",
    "encode",
    "encode_all",
    "encode_each",
    "end_tokens",
    "fingerprint",
    "generate_with_huggingface",
    "first_difference",
    "has_float64",
    "known_tokens",
    "load_model",
    "output_norms",
    "pad",
    "padding_id",
    "reading",
    "require_device",
    "require_embedded",
    "require_site",
    "resolve_site",
    "special_ids",
    "to_float64",
    "tokenize",
    "transformer_lens_version",
    "whole_characters",
    "windows",
    "prepend_bos",
    "writing",
]
