"""The main job: load, collect, locate, ablate, compare with controls, write, summarise."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..causal import Controls, SupportMatrix
from ..core import FiringStats, NeuronScores, NeuronSet, Resampling
from ..core import _store as store
from ..errors import DataError, OutputError
from ..lens import ValueLens
from ..locate import methods, select
from ..measure import EncodedQuestion, Question
from ..model import Batching, ModelInfo, load_model
from ..organisms import read_true_neurons
from ..plot import draw_layers, shown
from ..report import method_summary, plain_words, support_summary, wordings_summary
from ._config import METHODS, Job
from ._data import JobData, load_data
from ._folder import LAYERS, MATRIX, STATS, SUMMARY, clear, neurons_of, picture_of, require_free

DPI = 120
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class JobResult:
    """Everything the job made; `summary` is the content of summary.json, `words` what it says of itself."""

    stats: FiringStats
    scores: Mapping[str, NeuronScores]
    sets: Mapping[str, NeuronSet]
    matrix: SupportMatrix
    summary: Mapping[str, Any]
    words: Sequence[str] = field(default_factory=list)


def _quiet(stage: str, done: int, total: int) -> None:
    pass


def run_job(job: Job, out: str | Path, on_progress: OnProgress = _quiet) -> JobResult:
    """Run the whole job and write its files into `out`; see `write_results` for their names.

    Raises `OutputError` before any work when `out` cannot be written, `DataError` before the counting for what cannot be counted
    or asked, and the errors of loading, collecting and testing. Files of an earlier run in `out` go when the new ones come.
    """
    require_free(out)
    data = load_data(job, Path(out))
    methods[job.method].require({text.group for text in data.texts})
    true = read_true_neurons(Path(job.model))
    on_progress("loading the model", 0, 1)
    model = load_model(job.model, engine=job.engine, device=job.device, dtype=getattr(torch, job.dtype))
    batching = Batching(max_tokens=job.max_tokens, too_long=job.too_long)  # pyright: ignore[reportArgumentType]
    lens = ValueLens(model, batching=batching)
    on_progress("loading the model", 1, 1)
    _require_room(job, lens.info)
    question = job.question()
    EncodedQuestion(lens, data.dilemmas, question)  # what cannot be asked is told before the counting

    started = time.perf_counter()
    stats = lens.collect(
        data.texts,
        site=job.site,
        progress=lambda done, total: on_progress("counting firing", done, total),
    )
    seconds = time.perf_counter() - started
    clear(out)
    saved = _saved(stats, out)  # at once: the rest may take long

    rules = job.rules()
    scores = {name: methods[name](stats) for name in METHODS if methods[name].applies(stats.groups)}
    sets = {name: select(found, rules[name]) for name, found in scores.items()}
    if not any(map(len, sets[job.method].values())):
        raise DataError(
            f"{job.method} chose no neurons for any value: its highest score is {float(scores[job.method].scores.max()):.4f}, its "
            f"rule {rules[job.method].params}; loosen the rule, or take the best of the ranking with n_neurons (--n-neurons)"
        )
    matrix = lens.support_matrix(
        data.dilemmas,
        sets[job.method],
        controls=Controls(n=job.controls, seed=job.seed),
        stats=stats,
        question=question,
        resampling=Resampling(seed=job.seed),
        progress=lambda done, total: on_progress("ablating", done, total),
    )
    summaries = {name: method_summary(scores[name], sets[name], true) for name in scores}
    summary = _summary(job, lens, stats, seconds, data, question, summaries, matrix)
    words = [*plain_words(matrix, summaries, job.method), *data.words()]
    if n_cut := stats.n_texts_cut:
        words.append(f"{n_cut} of {int(stats.n_texts.sum())} texts were longer than the model's context and were cut to it.")
    result = JobResult(stats, scores, sets[job.method], matrix, summary, words)
    write_results(result, out, with_stats=not saved)
    return result


def _saved(stats: FiringStats, out: str | Path) -> bool:
    """Whether they could be saved: a disk that has no room for them may still have some for what comes of them."""
    try:
        stats.save(Path(out) / STATS)
    except OutputError:
        return False
    return True


def _require_room(job: Job, info: ModelInfo) -> None:
    """Controls are as large as the sets they stand for and share no neuron with them."""
    n_all = info.n_layers * info.d_mlp
    most = n_all // 2 if job.controls else n_all
    if job.n_neurons is not None and 0 < most < job.n_neurons:  # a model without neurons is refused with its own reason
        half = ", and controls need as many others" if job.controls else ""
        raise DataError(f"n_neurons is {job.n_neurons}, but the model has {n_all} neurons{half}; give at most {most}")


def _summary(
    job: Job,
    lens: ValueLens,
    stats: FiringStats,
    seconds: float,
    data: JobData,
    question: Question,
    methods: Mapping[str, Any],
    matrix: SupportMatrix,
) -> dict[str, Any]:
    info = lens.info
    n_tokens = int(stats.n_tokens.sum())
    return {
        "model": {
            "name": info.name,
            "engine": info.engine,
            "transformer_lens": info.transformer_lens,
            "n_layers": info.n_layers,
            "d_mlp": info.d_mlp,
            "site": job.site,
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
            "method": job.method,
            "edit": "zero",
            "scoring": job.scoring,
            "wordings": wordings_summary(question, data.dilemmas),
            **{name: matrix.meta[name] for name in ("n_pairs", "n_pairs_joined", "n_misfits")},
            "controls": job.controls,
            "seed": job.seed,
            "n_neurons": dict(zip(matrix.ablated, matrix.n_neurons, strict=True)),
        },
        "support": support_summary(matrix),
    }


def write_results(result: JobResult, out: str | Path, *, with_stats: bool = True) -> None:
    """matrix.csv, summary.json, neurons/<value>.json, stats.safetensors (unless it is written already), effects_<language>.png, layers.png.

    Small and precious files come first, pictures last: a disk that fills up, or a picture that fails, loses nothing before it.
    """
    out = Path(out)
    store.write_atomically(out / MATRIX, result.matrix.to_frame().to_csv(index=False, float_format="%.6f").encode())
    store.write_json(out / SUMMARY, result.summary)
    for value, neurons in result.sets.items():
        neurons.save(out / neurons_of(value))
    if with_stats:
        result.stats.save(out / STATS)
    for language in result.matrix.languages:
        store.write_atomically(out / picture_of(language), result.matrix.plot(language).png(DPI))
    method = result.summary["ablation"]["method"]
    layers = draw_layers(result.sets, f"Neurons chosen by {shown(method)}, per layer")
    store.write_atomically(out / LAYERS, layers.png(DPI))
