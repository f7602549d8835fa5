"""How much memory does one collect take? A process of its own: load the model folder, compose the texts, collect."""

import sys
from pathlib import Path

import workload

import value_lens as vl

if __name__ == "__main__":
    folder, n_texts = Path(sys.argv[1]), int(sys.argv[2])
    stats = vl.ValueLens(vl.load_model(folder)).collect(workload.texts(n_texts))
    if int(stats.n_texts.sum()) != n_texts:
        raise SystemExit(f"collected {int(stats.n_texts.sum())} of {n_texts} texts")
