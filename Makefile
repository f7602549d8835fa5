# `make demo`, `make test`, and what developers need. Every target installs what it needs, once.
PYTHON ?= python3
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM = false
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Threads that wait for work soon give way to others.
export GOMP_SPINCOUNT ?= 30000

DEMO = .venv
NEW = .venv-tl4
OLD = .venv-tl3
PINS = -c constraints/common.txt
INPUTS = pyproject.toml constraints/common.txt constraints/tl3.txt constraints/tl4.txt

.PHONY: demo test test-new test-old test-slow bench lint format notebook organism clean

demo: $(DEMO)/.installed
	$(DEMO)/bin/value-lens demo --out demo

# Each worker has one thread: two of them do more than one with two.
TESTS = -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test: test-new test-old

test-new: $(NEW)/.installed
	OMP_NUM_THREADS=1 $(NEW)/bin/python $(TESTS)

# What holds no model was tested above; only transformer-lens differs here.
test-old: $(OLD)/.installed
	OMP_NUM_THREADS=1 $(OLD)/bin/python $(TESTS) --models-only

# Long simulations and mutations, which `test` leaves out: for the night.
test-slow: $(NEW)/.installed
	OMP_NUM_THREADS=1 $(NEW)/bin/python $(TESTS) -m slow

bench: $(NEW)/.installed
	$(NEW)/bin/python -m pytest benchmarks -p no:cacheprovider --benchmark-enable

lint: $(NEW)/.installed
	$(NEW)/bin/ruff check .
	$(NEW)/bin/ruff format --check .
	$(NEW)/bin/pyright --pythonpath $(NEW)/bin/python

format: $(NEW)/.installed
	$(NEW)/bin/ruff check --fix .
	$(NEW)/bin/ruff format .

notebook: $(NEW)/.installed
	$(NEW)/bin/python notebooks/execute.py

organism: $(NEW)/.installed
	$(NEW)/bin/python training/train_selective_gelu.py

$(DEMO)/.installed: $(INPUTS)
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install --quiet $(PINS) -c constraints/tl4.txt -e .
	touch $@

$(NEW)/.installed: $(INPUTS)
	$(PYTHON) -m venv $(NEW)
	$(NEW)/bin/python -m pip install --quiet $(PINS) -c constraints/tl4.txt -e '.[dev]'
	touch $@

$(OLD)/.installed: $(INPUTS)
	$(PYTHON) -m venv $(OLD)
	$(OLD)/bin/python -m pip install --quiet $(PINS) -c constraints/tl3.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(DEMO) $(NEW) $(OLD) demo
