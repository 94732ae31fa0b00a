# make run    set up, then the default backtest; the last line printed is the report's path
# make test   set up, then every test
# make check  format, lint, types, architecture, placeholders: no tests
# make bench  ns an option and digits beside QuantLib and NumPy, ms a chain beside scipy, on one core
# make bench-stress  the stress grid of 200 legs, and what American legs priced as European miss
# make bench-store  the chain store beside Polars and DuckDB, on one core
# make core-pins  the core's tests on the oldest numpy, numba and scipy it promises to run on
# make explore    ten times as many generated cases, drawn anew; make quick leaves out the slow tests
# make replication  play the BuyWrite index against its published years: docs/replication.md
# make study  what each protection buys, 1990-2024 and 500 quarters: docs/evidence/006-study.md, half an hour
# make fidelity   measure the model market against ../shared/data: docs/fidelity.md
# make simulate   10,000 seeded sessions of faults; make mutants  planted mistakes; make soak  a day of 24 hours
# make parity    backtest and live stack on the same sessions; make faults  paper through a proxy that cuts and stalls
# make test-line  of the tests those over real sockets alone: the line to a broker, the local venue, paper
# make mutation   60 small mistakes in each group of modules that must not be wrong: the share that tests find
# make coverage   every branch of these modules is taken by their own tests, or it fails
# make lock   pin the dependencies again (needs uv);  make clean  remove what was made
#
# Needs Python 3.11 or later and make.  Another interpreter: make run PYTHON=/path/to/python3.12

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/sh

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
# numpy 1.26.4 has no wheel past Python 3.12.
CORE_PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' >/dev/null 2>&1 && { echo $$p; break; }; done)
TEST_JOBS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
CORE := .venv-core
PIP := -m pip install -qq --disable-pip-version-check --no-input --require-hashes

.PHONY: help
help:
	@sed -n -e '/^#/!q' -e 's/^# \{0,1\}//p' Makefile

# ------------------------------------------------------------------------------------- set-up
# A stamp names what the environment was made from; touching the requirements remakes it.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "needs Python 3.11 or later; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/run.stamp: requirements.txt pyproject.toml | $(BIN)/python
	@echo "installing what a backtest needs (once)" >&2
	@$(BIN)/python $(PIP) -r requirements.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "installing the checks and test tools (once)" >&2
	@$(BIN)/python $(PIP) -r requirements-dev.txt
	@touch $@

$(CORE)/stamp: requirements-core.txt
	@test -n "$(CORE_PYTHON)" || { echo "make core-pins needs Python 3.11 or 3.12: make core-pins CORE_PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making $(CORE) with $$($(CORE_PYTHON) --version): numpy 1.26.4, numba 0.61.2, scipy 1.13.1" >&2
	@$(CORE_PYTHON) -m venv --clear $(CORE)
	@$(CORE)/bin/python $(PIP) -r requirements-core.txt
	@touch $@

.PHONY: setup
setup: $(VENV)/dev.stamp

# ------------------------------------------------------------------------------------- to use
.PHONY: run
run: $(VENV)/run.stamp
	@$(BIN)/tomking backtest --report runs/latest/report.html $(ARGS)

# ------------------------------------------------------------------------------------- to check
.PHONY: check
check: $(VENV)/dev.stamp
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/python scripts/placeholders.py
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy --no-error-summary src tests scripts rel
	$(BIN)/mypy --no-error-summary --ignore-missing-imports --cache-dir .mypy_cache/benchmarks benchmarks
	$(BIN)/vulture

# A test that waits for ever ends with the stacks of its threads, and not the gate with nothing said.
.PHONY: test
test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -q -n $(TEST_JOBS) --dist loadfile --timeout 1200 $(ARGS)

.PHONY: quick
quick: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -q -n $(TEST_JOBS) --dist loadfile -m "not slow" $(ARGS)

# Ten times as many generated cases, drawn anew each time: by hand, before a release.
.PHONY: explore
explore: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -q -n $(TEST_JOBS) --dist loadfile --hypothesis-profile=explore $(ARGS)

# Its own cache of compiled kernels, or two versions of numba would undo each other's.
.PHONY: core-pins
core-pins: $(CORE)/stamp
	@$(CORE)/bin/python -c 'import numba, numpy, scipy; print("core on numpy", numpy.__version__, "numba", numba.__version__, "scipy", scipy.__version__)'
	NUMBA_CACHE_DIR=$(CURDIR)/$(CORE)/numba $(CORE)/bin/python -m pytest -q $$($(CORE)/bin/python scripts/core_tests.py) $(ARGS)

# One run on one core: ratios between our kernels and others', and digits against mpmath.  vollib and
# JAX take part when they are installed in the environment; they are not pinned.
.PHONY: bench
bench: $(VENV)/dev.stamp
	PYTHONPATH=. $(BIN)/python -m benchmarks.kernels $(ARGS)
	@echo
	PYTHONPATH=. $(BIN)/python -m benchmarks.surfaces

# A large import, too: make bench-store ARGS="--import-gb 1"
.PHONY: bench-store
bench-store: $(VENV)/dev.stamp
	PYTHONPATH=. $(BIN)/python -m benchmarks.store $(ARGS)

.PHONY: bench-stress
bench-stress: $(VENV)/dev.stamp
	PYTHONPATH=. $(BIN)/python -m benchmarks.stress

.PHONY: format
format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format --quiet .

# By hand after a change of what it measures; needs ../shared/data.
.PHONY: fidelity
fidelity: $(VENV)/dev.stamp
	@$(BIN)/python -m scripts.fidelity

# By hand after a change of the market model: a few minutes.
.PHONY: replication
replication: $(VENV)/dev.stamp
	@$(BIN)/python scripts/replication.py

# Each prints one line of JSON with its figure, and fails when it misses its goal.
.PHONY: simulate mutants soak
simulate: $(VENV)/dev.stamp
	@PYTHONPATH=src:. $(BIN)/python -m rel.sim --jobs $(TEST_JOBS) $(ARGS)

mutants: $(VENV)/dev.stamp
	@PYTHONPATH=src:. $(BIN)/python -m rel.planted --jobs $(TEST_JOBS) $(ARGS)

# Twenty sessions each, over real sockets: half an hour or more.
.PHONY: parity faults
parity: $(VENV)/dev.stamp
	@$(BIN)/tomking parity --start 2019-03-01 --sessions 20 $(ARGS)

faults: $(VENV)/dev.stamp
	@PYTHONPATH=src:. $(BIN)/python -m rel.line --sessions 20 --seed 1 $(ARGS)

# Of the tests those over real sockets alone.
.PHONY: test-line
test-line: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q -n 0 tests/adapters_tastytrade tests/live tests/venue tests/cli/test_sandbox_command.py $(ARGS)

.PHONY: mutation coverage
mutation: $(VENV)/dev.stamp
	@PYTHONPATH=src:. $(BIN)/python -m rel.mutation $(ARGS)

coverage: $(VENV)/dev.stamp
	@PYTHONPATH=src:. $(BIN)/python -m rel.covered $(ARGS)

soak: $(VENV)/dev.stamp
	@PYTHONPATH=src:. $(BIN)/python -m rel.soak $(ARGS)

# By hand after a change of the risk system; an interrupted one goes on where it stopped.
.PHONY: study
study: $(VENV)/dev.stamp
	@PYTHONPATH=. $(BIN)/python scripts/study.py $(ARGS)

.PHONY: lock
lock:
	scripts/lock.sh $(ARGS)

.PHONY: clean
clean:
	rm -rf $(VENV) $(CORE) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
