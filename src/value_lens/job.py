"""What is the main job, from a model's name to files? Load, count, find, ablate, compare with controls, write, say."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from . import store
from .behave import SCORINGS
from .corpus import Dilemma, LabelledText, bad_rows_beside, layout_of, load_dilemmas, load_texts
from .errors import DataError, UnknownNameError
from .lens import ValueLens
from .locate import NeuronScores, Rule, opposition, select, threshold_rule, top_rule, vape, vape_rule
from .model import BATCH_TOKENS, ENGINES, load_model, require_site
from .neurons import NeuronSet
from .organisms import read_true_neurons
from .report import draw_layers, method_summary, plain_words, shown, support_summary
from .stats import FiringStats
from .trials import Inference, SupportMatrix

DPI = 120
METHODS = ("vape", "opposition")
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Job:
    """Settings of the main job; checked when made, so that a bad name is found before any work.

    model: hub name or folder. texts, dilemmas: any source of `load_texts` by name or path. skip_bad: keep a source's good rows and
    write its bad ones to a file beside it (or into the output folder). method: whose neurons are ablated.
    n_neurons: the highest-scoring neurons per value instead of the method's published rule. top, filter, bar: VAPE's quantiles.
    threshold: opposition's least difference. per_group, per_value: how many texts and dilemmas of each group.
    """

    model: str
    engine: str = "bridge"
    device: str = "cpu"
    dtype: str = "float32"
    texts: str = "bank"
    dilemmas: str = "bank"
    values: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    fillings: str = "all"
    per_group: int | None = 100
    per_value: int | None = 20
    site: str = "post"
    method: str = "vape"
    n_neurons: int | None = None
    top: float = 0.01
    filter: float = 0.95
    bar: float = 0.95
    threshold: float = 0.03
    controls: int = 5
    scoring: str = "label"
    too_long: str = "refuse"
    max_tokens: int = BATCH_TOKENS
    skip_bad: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        require_site(self.site)
        choices = (("engine", ENGINES), ("method", METHODS), ("scoring", SCORINGS), ("too_long", ("refuse", "cut")))
        for name, known in (*choices, ("dtype", ("float32", "bfloat16", "float16"))):
            if getattr(self, name) not in known:
                raise UnknownNameError(name, getattr(self, name), known)
        if self.controls < 0 or self.max_tokens < 1:
            raise DataError(f"controls must be at least 0 and max_tokens at least 1, got {self.controls} and {self.max_tokens}")
        _rules(self)


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

    Raises `OutputError` before any work when `out` cannot be written, and the errors of loading, collecting and testing.
    """
    store.require_writable(out)
    texts, dilemmas = _load_data(job, Path(out))
    on_progress("loading the model", 0, 1)
    lens = ValueLens(load_model(job.model, engine=job.engine, device=job.device, dtype=getattr(torch, job.dtype)))
    on_progress("loading the model", 1, 1)

    started = time.perf_counter()
    stats = lens.collect(
        texts,
        site=job.site,
        too_long=job.too_long,  # pyright: ignore[reportArgumentType]
        max_tokens=job.max_tokens,
        progress=lambda done, total: on_progress("counting firing", done, total),
    )
    seconds = time.perf_counter() - started
    stats.save(Path(out) / "stats.safetensors")  # at once: the rest may take long

    rules = _rules(job)
    makers = {"vape": vape, "opposition": opposition}
    scores = {name: makers[name](stats) for name in METHODS if _applies(name, stats)}
    if job.method not in scores:
        raise DataError(f"method {job.method!r} does not apply: it needs {_NEEDS[job.method]}")
    sets = {name: select(found, rules[name]) for name, found in scores.items()}
    if not any(map(len, sets[job.method].values())):
        raise DataError(
            f"{job.method} chose no neurons for any value: its highest score is {float(scores[job.method].scores.max()):.4f}, its "
            f"rule {rules[job.method].params}; loosen the rule, or take the best of the ranking with n_neurons (--n-neurons)"
        )
    matrix = lens.support_matrix(
        dilemmas,
        sets[job.method],
        controls=job.controls,
        stats=stats,
        question=job.scoring,
        inference=Inference(seed=job.seed),
        max_tokens=job.max_tokens,
        progress=lambda done, total: on_progress("ablating", done, total),
    )
    true = read_true_neurons(Path(job.model))
    methods = {name: method_summary(scores[name], sets[name], true) for name in scores}
    summary = _summary(job, lens, stats, seconds, dilemmas, methods, matrix)
    words = [*plain_words(matrix, methods, job.method), *_licences(job)]
    if n_cut := stats.meta["n_texts_cut"]:
        words.append(f"{n_cut} of {int(stats.n_texts.sum())} texts were longer than the model's context and were cut to it.")
    result = JobResult(stats, scores, sets[job.method], matrix, summary, words)
    write_results(result, out)
    return result


_NEEDS = {"vape": "at least two values", "opposition": "texts of both aspects ('+' and '-') of every value"}


def _applies(method: str, stats: FiringStats) -> bool:
    if method == "vape":
        return len(stats.values) > 1
    return all({"+", "-"} == {g.aspect for g in stats.groups if g.value == value} for value in stats.values)


def _rules(job: Job) -> dict[str, Rule]:
    if job.n_neurons is not None:
        return dict.fromkeys(METHODS, top_rule(job.n_neurons))
    return {
        "vape": vape_rule(filter=job.filter, top=job.top, bar=job.bar),
        "opposition": threshold_rule(job.threshold),
    }


def _load_data(job: Job, out: Path) -> tuple[list[LabelledText], list[Dilemma]]:
    shared: dict[str, Any] = {"values": job.values, "languages": job.languages, "fillings": job.fillings, "seed": job.seed}
    bad = {what: bad_rows_beside(source, out, what) if job.skip_bad else None for what, source in _sources(job).items()}
    texts = load_texts(job.texts, per_group=job.per_group, skip_bad=bad["texts"], **shared)
    dilemmas = load_dilemmas(job.dilemmas, per_group=job.per_value, skip_bad=bad["dilemmas"], **shared)
    return texts, dilemmas


def _sources(job: Job) -> dict[str, str]:
    return {"texts": job.texts, "dilemmas": job.dilemmas}


def _licences(job: Job) -> list[str]:
    """What is to be said of published data sets that were used."""
    used = {layout.name: layout for layout, _ in map(layout_of, _sources(job).values()) if layout is not None}
    return [f"{layout.title} is used under its licence: {layout.licence} ({layout.url})." for layout in used.values()]


def _summary(
    job: Job,
    lens: ValueLens,
    stats: FiringStats,
    seconds: float,
    dilemmas: Sequence[Dilemma],
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
            "fingerprint": info.fingerprint,
        },
        "corpus": {
            "values": list(stats.values),
            "languages": list(stats.languages),
            "n_texts": int(stats.n_texts.sum()),
            "n_tokens": n_tokens,
            "n_dilemmas": len(dilemmas),
            "n_texts_cut": stats.meta["n_texts_cut"],
        },
        "collect": {"seconds": round(seconds, 3), "tokens_per_second": round(n_tokens / seconds, 1)},
        "methods": methods,
        "ablation": {
            "method": job.method,
            "edit": "zero",
            "scoring": job.scoring,
            "controls": job.controls,
            "seed": job.seed,
            "n_neurons": dict(zip(matrix.ablated, matrix.n_neurons, strict=True)),
        },
        "support": support_summary(matrix),
    }


def write_results(result: JobResult, out: str | Path) -> None:
    """summary.json, stats.safetensors, neurons/<value>.json, matrix.csv, effects_<language>.png, layers.png."""
    out = Path(out)
    result.stats.save(out / "stats.safetensors")
    for value, neurons in result.sets.items():
        neurons.save(out / "neurons" / f"{file_name(value)}.json")
    store.write_atomically(out / "matrix.csv", result.matrix.to_frame().to_csv(index=False, float_format="%.6f").encode())
    for language in result.matrix.languages:
        store.write_atomically(out / f"effects_{file_name(language)}.png", result.matrix.plot(language).png(DPI))
    method = result.summary["ablation"]["method"]
    layers = draw_layers(result.sets, f"Neurons chosen by {shown(method)}, per layer")
    store.write_atomically(out / "layers.png", layers.png(DPI))
    store.write_json(out / "summary.json", result.summary)


def file_name(name: str) -> str:
    """A value's name as a file name: letters, digits, dot, dash, underscore; anything else is replaced, marked by a short hash.

    >>> file_name("rule_of_law"), file_name("Do not kill").startswith("Do_not_kill-")
    ('rule_of_law', True)
    """
    safe = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).strip(".") or "_"
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
