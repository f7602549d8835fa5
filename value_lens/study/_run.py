"""Running a study: load, collect, locate, test against controls, write."""

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from ..causal import Controls
from ..core import EffectMatrix, FiringStats, Group, NeuronScores, NeuronSet, Resampling, register_system
from ..errors import DataError
from ..intervene import Intervention, interventions
from ..lens import ValueLens
from ..locate import Rule, methods, select
from ..model import Batching, Loading, ModelInfo, load_model
from ..organisms import organism_folder, organism_names, read_true_neurons
from ..report import method_summary
from ._config import INPUTS, Study
from ._data import StudyData, load_data
from ._folder import clear, require_free
from ._output import save_stats, write_results
from ._result import StudyResult
from ._summary import sentences_of, summary_of

OnProgress = Callable[[str, int, int], None]


def _quiet(stage: str, done: int, total: int) -> None:
    pass


def run_study(study: Study, out: str | Path | None = None, on_progress: OnProgress = _quiet) -> StudyResult:
    """Run a study and write its files; those of an earlier run in the folder are removed when the new ones come.

    Args:
        study: The configuration.
        out: The folder of the results; without it the configuration's own.
        on_progress: Called with a stage's name, and how many of how many steps of it are done.

    Returns:
        What was found, which is also in the files: matrix.csv, summary.json, neurons/<value>.json, stats.safetensors,
        effects_<language>.png and layers.png.

    Raises:
        OutputError: The folder cannot be written, before any work.
        DataError: Texts or dilemmas cannot be used, before the counting; or the method selects no neurons.
        ValueLensError: The model cannot be loaded, or lacks what is needed.
    """
    out = require_output(study) if out is None else Path(out)
    require_free(out)
    if (system := study.system()) is not None:
        register_system(system)
    data = load_data(study, out)
    methods[study.locate.method].require({text.group for text in data.texts})
    name = _model_of(study)
    true = read_true_neurons(Path(name))
    on_progress("loading the model", 0, 1)
    model = load_model(name, Loading(engine=study.model.engine, device=study.model.device, dtype=study.model.dtype))
    batching = Batching(max_tokens=study.batching.max_tokens, too_long=study.batching.too_long)  # pyright: ignore[reportArgumentType]
    lens = ValueLens(model, batching=batching)
    on_progress("loading the model", 1, 1)
    _require_room(study, lens.info)
    study.measure().encode(lens, data.dilemmas)  # what cannot be asked is told before the counting

    start = time.perf_counter()
    stats = _count(lens, study, data, on_progress)
    seconds = time.perf_counter() - start
    clear(out)
    stats_saved = save_stats(stats, out)  # at once: the rest may take long

    scores, sets = _locate(study, stats)
    matrix = _test(lens, study, data, stats, sets[study.locate.method], on_progress)
    summaries = {name: method_summary(scores[name], sets[name], true) for name in scores}
    summary = summary_of(study, lens.info, data, stats, summaries, matrix, seconds)
    sentences = sentences_of(study, data, stats, summaries, matrix)
    result = StudyResult(stats, scores, sets[study.locate.method], matrix, summary, sentences)
    write_results(result, out, with_stats=not stats_saved)
    return result


def require_output(study: Study) -> Path:
    """The folder of a study's results; raises `DataError` where it names none."""
    if not study.out:
        raise DataError("a study needs a folder for its results (--out, or 'out' in a configuration file)")
    return Path(study.out)


def _model_of(study: Study) -> str:
    """The model's name or folder, a shipped organism's name being its folder's where there is no other of that name."""
    name = study.model.name
    return str(organism_folder(name)) if name in organism_names() and not Path(name).exists() else name


def _count(lens: ValueLens, study: Study, data: StudyData, on_progress: OnProgress) -> FiringStats:
    return lens.collect(
        data.texts,
        site=study.locate.site,
        progress=lambda done, total: on_progress("counting firing", done, total),
    )


def _locate(study: Study, stats: FiringStats) -> tuple[dict[str, NeuronScores], dict[str, dict[str, NeuronSet]]]:
    """{method: scores} and {method: {value: neurons}} of every method that applies."""
    method = study.locate.method
    names = [method, *(name for name in methods if name != method and _is_usable(study, name, stats.groups))]
    scores = {name: methods[name](stats) for name in names}
    sets = {name: select(scores[name], study.rule(name)) for name in names}
    if not any(map(len, sets[method].values())):
        raise _no_neurons(scores[method], study.rule(method))
    return scores, sets


def _is_usable(study: Study, method: str, groups: Collection[Group]) -> bool:
    """Whether a method that was not asked for can be told of beside the one that was."""
    entry = methods[method]
    return (
        set(entry.inputs) <= set(INPUTS)
        and entry.applies(groups)
        and (entry.rule is not None or study.locate.n_neurons is not None)
    )


def _no_neurons(scores: NeuronScores, rule: Rule) -> DataError:
    return DataError(
        f"{scores.method} chose no neurons for any value: its highest score is {float(scores.scores.max()):.4f}, its rule "
        f"{rule.params}; loosen the rule, or take the best of the ranking with n_neurons (--n-neurons)"
    )


def _test(
    lens: ValueLens,
    study: Study,
    data: StudyData,
    stats: FiringStats,
    sets: Mapping[str, NeuronSet],
    on_progress: OnProgress,
) -> EffectMatrix:
    return lens.experiment(
        data.dilemmas,
        sets,
        study.measure(),
        intervention=_intervention(study, stats),
        controls=Controls(n=study.experiment.controls, seed=study.seed),
        stats=stats,
        resampling=Resampling(seed=study.seed),
        progress=lambda done, total: on_progress("ablating", done, total),
    )


def _intervention(study: Study, stats: FiringStats) -> Intervention:
    entry, inputs = interventions[study.experiment.intervention], {"stats": stats}
    return entry(**{name: inputs[name] for name in entry.inputs})


def _require_room(study: Study, info: ModelInfo) -> None:
    """Controls are as large as the sets they stand for and share no neuron with them."""
    n_all, n_neurons = info.n_layers * info.d_mlp, study.locate.n_neurons
    most = n_all // 2 if study.experiment.controls else n_all
    if n_neurons is not None and 0 < most < n_neurons:  # a model without neurons is refused with its own reason
        half = ", and controls need as many others" if study.experiment.controls else ""
        raise DataError(f"n_neurons is {n_neurons}, but the model has {n_all} neurons{half}; give at most {most}")
