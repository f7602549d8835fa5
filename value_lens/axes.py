"""The names of tensor axes: one word per axis, in einops patterns and jaxtyping annotations alike.

A test reads every shape in the package and refuses a word that is not listed here.
"""

AXES: dict[str, str] = {
    "batch": "texts run together",
    "pos": "token position in a padded batch",
    "scored": "token positions from the first scored one on",
    "read": "a prediction of the model that a measure reads, numbered through all sequences of a task",
    "layer": "transformer block, from 0",
    "neuron": "index within an MLP's hidden width (d_mlp), or within a chosen set",
    "group": "(value, aspect, language), the unit over which activations are counted",
    "value": "a named human value",
    "intervened": "the value whose neurons are changed",
    "moment": "what is summed over tokens: fired, activation, its square",
    "block": "a hash class of texts, for split-half and jackknife estimates",
    "control": "a matched random neuron set",
    "item": "what is asked and scored, such as a dilemma",
    "flat": "all neurons of all layers, as layer * d_mlp + index",
    "member": "a neuron of a set, and of each control that stands for it",
    "row": "a bin of loudness within a layer",
    "column": "a bin of firing rate within a layer",
    "bin": "a row and a column of a layer, or one link of a chain of neighbours",
    "chain": "neighbouring bins that may be merged",
    "stratum": "merged bins, from which controls are drawn",
    "cluster": "dilemmas that are one piece of evidence, such as fillings of one frame",
    "cell": "one (language, value, intervened value), or any flat list of tests",
    "language": "a language code such as en or zh",
    "resample": "an assignment of signs to clusters",
    "d_model": "residual stream width",
    "d_vocab": "vocabulary size",
    "bound": "lower and upper end of an interval (size 2)",
}
