# Each target makes what it needs: a virtual environment from the hash-pinned lock file, then the work itself.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test check fuzz bench dev lock

run: $(VENV)/run.stamp ## migrate, load the bundled baseline, serve
	@$(BIN)/costplan db upgrade && $(BIN)/costplan refresh baseline && exec $(BIN)/costplan serve

test: $(VENV)/dev.stamp ## prove it, on SQLite and on a real PostgreSQL
	@$(BIN)/pytest --numprocesses 2 --dist worksteal

check: $(VENV)/dev.stamp ## format, lint, types, import contracts, tests
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports && $(MAKE) --no-print-directory test

fuzz: $(VENV)/dev.stamp ## the properties over new random cases, twenty times
	@for turn in $$(seq 20); do HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest -q -x tests/planning tests/estimating tests/formulas || exit 1; done

bench: $(VENV)/dev.stamp ## every figure beside its floor, in one run
	@$(BIN)/python -m benchmarks

dev: $(VENV)/dev.stamp ## an environment to work in

lock: $(VENV)/dev.stamp ## choose versions anew, hashes only, for every platform
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade pyproject.toml --extra build --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade pyproject.toml --extra build --extra dev --output-file requirements-dev.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@test -e $(VENV)/dev.stamp || $(PIP) install --require-hashes --no-deps --requirement requirements.lock
	@test -e $(VENV)/dev.stamp || $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes --no-deps --requirement requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
