# Everything is done by these commands on a fresh Debian 12; `make help` lists them.
# Caches are outside the checkout and shared by clones: `llmisvc-conformance cache status`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help env preflight stack gpu tpu test check unit live lock clean

help:
	@echo "make gpu    set up everything on this machine and run pytest -m gpu"
	@echo "make tpu    the same for pytest -m tpu"
	@echo "make test   set up, lint, types, the project's own tests, live core cases of both"
	@echo "make stack  build the stack only (first time: about half an hour on two cores)"
	@echo "make check  lint and types    make unit  own tests that need neither stack nor cluster"
	@echo "make lock   lock the Python dependencies again, with hashes"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed, $(PYTHON) is older; next: make PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) has no venv module; next: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

env: $(READY)

# Refuses a machine that cannot run the cluster before half an hour is spent on building it.
preflight: env
	@$(BIN)/llmisvc-conformance check

stack: env
	@$(BIN)/python -m tools.stack

gpu: preflight stack
	@$(BIN)/pytest -m gpu

tpu: preflight stack
	@$(BIN)/pytest -m tpu

check: env
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

unit: env
	@$(BIN)/pytest tests --ignore=tests/stack --ignore=tests/live

# Fast things first: a mistake shows in a minute, not after the build. The tests of the host come before the cluster that
# the cases and their faults share, because they compare the whole machine.
test: preflight check unit stack
	@$(BIN)/pytest tests/stack
	@$(BIN)/pytest tests/live -m "not faults"
	@$(BIN)/pytest -m "gpu or tpu or faults" suites tests/live/test_faults.py

live: preflight stack
	@$(BIN)/pytest -m "gpu or tpu"

lock: env
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) reports .mypy_cache .ruff_cache .pytest_cache
