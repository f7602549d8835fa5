"""The content of a study's summary.json, and its sentences."""

from collections.abc import Mapping
from typing import Any

from ..core import EffectMatrix, FiringStats
from ..model import ModelInfo
from ..report import plain_words, support_summary, wordings_summary
from ._config import Study
from ._data import StudyData


def summary_of(
    study: Study,
    info: ModelInfo,
    data: StudyData,
    stats: FiringStats,
    methods: Mapping[str, Any],
    matrix: EffectMatrix,
    seconds: float,
) -> dict[str, Any]:
    """The content of summary.json.

    Args:
        study: The configuration.
        info: What is known of the model.
        data: Texts and dilemmas.
        stats: The statistics of the texts.
        methods: {method: its `method_summary`}.
        matrix: The effects.
        seconds: The time that the counting took.
    """
    n_tokens = int(stats.n_tokens.sum())
    return {
        "model": {
            "name": info.name,
            "engine": info.engine,
            "transformer_lens": info.transformer_lens,
            "n_layers": info.n_layers,
            "d_mlp": info.d_mlp,
            "site": study.locate.site,
            "fingerprint": info.fingerprint or "unknown",
        },
        "corpus": {
            "values": list(stats.values),
            "languages": list(stats.languages),
            "n_texts": int(stats.n_texts.sum()),
            "n_tokens": n_tokens,
            **data.summary(),
            "n_texts_cut": stats.n_texts_cut,
        },
        "collect": {"seconds": round(seconds, 3), "tokens_per_second": round(n_tokens / seconds, 1)},
        "methods": methods,
        "ablation": {
            "method": study.locate.method,
            "edit": study.experiment.intervention,
            "measure": study.experiment.measure,
            **({"scoring": study.experiment.scoring} if study.asks else {}),
            **({"wordings": wordings_summary(study.question(), data.dilemmas)} if study.asks else {}),
            **{name: matrix.meta[name] for name in ("n_pairs", "n_pairs_joined", "n_misfits") if name in matrix.meta},
            "controls": study.experiment.controls,
            "seed": study.seed,
            "n_neurons": dict(zip(matrix.intervened, matrix.n_neurons, strict=True)),
        },
        "support": support_summary(matrix),
    }


def sentences_of(
    study: Study, data: StudyData, stats: FiringStats, methods: Mapping[str, Any], matrix: EffectMatrix
) -> list[str]:
    """The summary in sentences; arguments as in `summary_of`."""
    sentences = [*plain_words(matrix, methods, study.locate.method), *data.words()]
    if n_cut := stats.n_texts_cut:
        sentences.append(
            f"{n_cut} of {int(stats.n_texts.sum())} texts were longer than the model's context and were cut to it."
        )
    return sentences
