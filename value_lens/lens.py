"""`ValueLens`: collect, inspect, intervene and experiment on any TransformerLens model."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from jaxtyping import Float
from torch import Tensor

from .causal import Controls, Design, as_controls, run_experiment
from .collect import Progress, collect_firing, token_activations
from .core import (
    Dilemma,
    EffectMatrix,
    FiringStats,
    LabelledText,
    NeuronSet,
    Resampling,
    TokenActivations,
    ValueSystem,
    in_order,
    register_system,
)
from .data import require_one_spelling
from .intervene import Intervention, InterventionLog, require_neurons_of, zero
from .intervene import intervening as _intervening
from .measure import Measure, Question, choice, measures, score_items, support_rate
from .model import Batching, LensModel


class ValueLens(LensModel):
    """A model with the verbs: collect, inspect, intervene, measure, experiment.

    Nothing in the model is changed; every method leaves it as it was. Hooks act on whatever runs meanwhile, so use one model from one
    thread at a time.

    Args:
        model: A `HookedTransformer` or `TransformerBridge`.
        tokenizer: Only where the model has none, or another one is to be used.
        batching: How texts share a run, unless a call says otherwise.
        system: The value system of the texts, whose order and labels all results then have; the packaged ones need not be given.

    Raises:
        ModelLoadError: Anything that is no TransformerLens model, and a model without a tokenizer.
    """

    def __init__(self, model: Any, tokenizer: Any = None, batching: Batching | None = None, system: ValueSystem | None = None):
        super().__init__(model, tokenizer, batching or Batching())
        if system is not None:
            register_system(system)

    def collect(
        self,
        texts: Iterable[LabelledText],
        *,
        site: str = "post",
        batching: Batching | None = None,
        n_blocks: int = 0,
        moments: bool = True,
        progress: Progress | None = None,
    ) -> FiringStats:
        """Count how often each neuron fires in each (value, aspect, language).

        Args:
            texts: A list, or anything that can be gone through twice. A list is checked whole before the first run.
            site: "post" (hook_post, what multiplies W_out) or "gate" (act(hook_pre), as in the papers).
            batching: How texts share a run; the model's own by default.
            n_blocks: Also split the counts over so many blocks of texts, for errors of the rates.
            moments: Also sum activations and their squares.
            progress: Called with how many texts of how many are done.

        Returns:
            Counts [group layer neuron] of tokens on which the activation is above 0, and how many tokens and texts were counted.

        Raises:
            SiteError: The model lacks the site, or texts cannot share a batch.
            DataError: Texts that cannot be counted, all of them at once.
            NotFiniteError: An activation that is NaN or infinite, with its layer, neuron and text.
        """
        return collect_firing(
            self, self.site(site), texts, batching=batching, n_blocks=n_blocks, moments=moments, progress=progress
        )

    def activations(self, texts: str | Sequence[str], neurons: NeuronSet) -> list[TokenActivations]:
        """Activations of chosen neurons, token by token.

        Args:
            texts: One text or several.
            neurons: Which neurons; their site is that of the set.

        Returns:
            One result a text: its tokens, BOS included where the model uses one, and the activations [pos neuron].

        Raises:
            MismatchError: Neurons of a model of another shape or other weights.
            NeuronError: An empty set.
            DataError: A text that cannot be run.
        """
        require_neurons_of(self, neurons)
        texts = [texts] if isinstance(texts, str) else list(texts)
        results = token_activations(self, self.site(neurons.site), texts, neurons.per_layer())
        return [
            TokenActivations(text, tuple(tokens), values, neurons.neurons, neurons.site)
            for text, (tokens, values) in zip(texts, results, strict=True)
        ]

    def intervening(
        self, neurons: NeuronSet, intervention: Intervention | None = None, items: Sequence[Any] = ()
    ) -> AbstractContextManager[InterventionLog]:
        """`with lens.intervening(neurons, zero()): ...` changes every forward and generate inside the block, and nothing after it.

        Args:
            neurons: whose activations are changed.
            intervention: how; zeroed by default.
            items: what will be run, for interventions that prepare for it.

        Returns:
            A context manager that binds a log: `n_calls`, and whether any activation `changed`.

        Raises:
            InterventionError: at the end of a block in which the model ran and no activation changed.
            MismatchError: for neurons, or an intervention, of another site, shape or model.
            NeuronError: for an empty set.
        """
        return _intervening(self, self.site(neurons.site), neurons, intervention or zero(), items=items)

    editing = intervening

    def margins(
        self, dilemmas: Sequence[Dilemma], *, question: Question | str = "label", batching: Batching | None = None
    ) -> Float[Tensor, "item"]:
        """How much the model prefers the aligned option of each dilemma, averaged over both presentation orders.

        Args:
            dilemmas: What is asked.
            question: How it is asked: a `Question`, or "label" or "continuation" for the published wordings.
            batching: How questions share a run; the model's own by default.

        Returns:
            log P(aligned) - log P(violating) of each dilemma [item], in nats.

        Raises:
            DataError: Dilemmas that cannot be asked, all of them at once.
            NotFiniteError: A log-probability that is NaN or infinite, with the dilemma's id.
        """
        return score_items(self, choice(question).encode(self, dilemmas), batching)

    def support(self, dilemmas: Sequence[Dilemma], *, question: Question | str = "label") -> dict[str, dict[str, float]]:
        """The share of dilemmas on which the model prefers the aligned option.

        Args:
            dilemmas: What is asked.
            question: How it is asked, as in `margins`.

        Returns:
            {language: {value: support rate, from 0 to 1}}; an exact tie counts half.

        Raises:
            DataError: Dilemmas that cannot be asked, and a value that is written in several ways.
        """
        require_one_spelling(dilemmas)
        margins = self.margins(dilemmas, question=question)
        rates: dict[str, dict[str, float]] = {language: {} for language in sorted({d.language for d in dilemmas})}
        for language, by_value in rates.items():
            for value in in_order({d.value for d in dilemmas if d.language == language}):
                items = [p for p, d in enumerate(dilemmas) if (d.language, d.value) == (language, value)]
                by_value[value] = support_rate(margins[items])
        return rates

    def experiment(
        self,
        items: Sequence[Any],
        sets: Mapping[str, NeuronSet],
        measure: Measure | str = "choice",
        *,
        intervention: Intervention | None = None,
        controls: Controls | int = Controls(),  # noqa: B008 - frozen
        resampling: Resampling | None = None,
        stats: FiringStats | None = None,
        progress: Progress | None = None,
    ) -> EffectMatrix:
        """Scores of every value while each value's neurons are changed, and under matched random controls.

        Args:
            items: what is asked in every condition.
            sets: neurons by value.
            measure: how items are asked and scored: a registered name (`vl.measures`), or a `Measure`.
            intervention: what is done to the neurons; zeroed by default.
            controls: matched random sets for each value; a number is short for `Controls(n=...)`.
            resampling: settings of intervals and p-values.
            stats: firing statistics at the same site, with activation sums, to match the controls' firing rates and loudness on;
                without them both are counted on the items' own scenarios.
            progress: called after each run of all items with how many are done, of how many.

        Returns:
            The effect matrix, of evaluated by intervened values; read it by `cells`.

        Raises:
            MismatchError: for statistics of another site or model.
            DataError: for statistics without sums, values that are written in several ways, or sets without any neuron.
            NeuronError: for a set that fills most of a layer.
        """
        return run_experiment(
            self,
            items,
            sets,
            measures[measure]() if isinstance(measure, str) else measure,
            intervention or zero(),
            design=Design(as_controls(controls), resampling, stats),
            progress=progress,
        )

    def support_matrix(
        self,
        dilemmas: Sequence[Dilemma],
        sets: Mapping[str, NeuronSet],
        *,
        question: Question | str = "label",
        intervention: Intervention | None = None,
        controls: Controls | int = Controls(),  # noqa: B008 - frozen
        resampling: Resampling | None = None,
        stats: FiringStats | None = None,
        progress: Progress | None = None,
    ) -> EffectMatrix:
        """The experiment with the choice measure: support of every value while each value's neurons are changed; see `experiment`.

        Args:
            dilemmas: what is asked in every condition.
            sets: neurons by value.
            question: how a dilemma is asked: a scoring, or a `Question`.
            intervention: what is done to the neurons; zeroed by default.
            controls: matched random sets for each value.
            resampling: settings of intervals and p-values.
            stats: what controls are matched by.
            progress: called after each run.

        Returns:
            The effect matrix.
        """
        return self.experiment(
            dilemmas,
            sets,
            choice(question),
            intervention=intervention,
            controls=controls,
            resampling=resampling,
            stats=stats,
            progress=progress,
        )
