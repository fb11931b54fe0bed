# Everything is done by these commands on a fresh Debian 12; `make help` lists them.
# Caches are outside the checkout and shared by clones: `llmisvc-conformance cache status`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A green run on the local cluster is a rehearsal and ends with 10 (docs/ci.md); make knows only 0.
REHEARSED := || [ $$? -eq 10 ]
WORKERS ?= 2
RUN ?= $(notdir $(patsubst %/run.json,%,$(lastword $(sort $(wildcard reports/[0-9]*/run.json)))))

.PHONY: help env preflight stack gpu tpu prove test check unit sessions coverage live report sample docs lock clean

help:
	@echo "make gpu     set up everything on this machine and run pytest -m gpu"
	@echo "make tpu     the same for pytest -m tpu"
	@echo "make prove   see every case of both pass, fail under its faults, and pass again"
	@echo "make report  render the Allure report of the last run, or of RUN=ID"
	@echo "make test    set up, lint, types, the project's own tests, live cases of both, a part of the proofs"
	@echo "make stack   build the stack only (first time: about half an hour on two cores)"
	@echo "make check   lint and types    make unit, make sessions  own tests that need neither stack nor cluster"
	@echo "make coverage  how much of the pure modules the own tests reach"
	@echo "make docs    make the pages again that are made of code    make sample  reports/sample from RUN=ID"
	@echo "make lock    lock the Python dependencies again, with hashes"

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
	@$(BIN)/pytest -n $(WORKERS) -m gpu $(REHEARSED)

tpu: preflight stack
	@$(BIN)/pytest -n $(WORKERS) -m tpu $(REHEARSED)

prove: preflight stack
	@$(BIN)/pytest -n $(WORKERS) -m "gpu or tpu" --prove $(REHEARSED)
	@$(BIN)/python -m tests.listed $$(ls -t reports/*/prove.json | head -1)

check: env
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# What is over in half a minute; then whole sessions of pytest on clusters in memory, which take a minute or two.
SESSIONS := $(wildcard tests/test_frame_*.py) tests/test_proving_sessions.py tests/test_plugin.py

unit: env
	@$(BIN)/pytest -n $(WORKERS) tests --ignore=tests/stack --ignore=tests/live $(SESSIONS:%=--ignore=%)

sessions: env
	@$(BIN)/pytest -n $(WORKERS) $(SESSIONS)

coverage: env
	@$(BIN)/pytest -q -n $(WORKERS) tests --ignore=tests/stack --ignore=tests/live --cov --cov-report=term

# Fast things first: a mistake shows in a minute, not after the build. The tests of the host come before the clusters
# that the cases and their proofs use, because they compare the whole machine.
test: preflight check unit sessions stack
	@$(BIN)/pytest tests/stack
	@$(BIN)/pytest tests/live --ignore=tests/live/test_sessions.py
	@$(MAKE) --no-print-directory live

# On one cluster: all cases, a part of the proofs (another one every day), and audits of what is deployed there.
live: preflight stack
	@$(BIN)/pytest -p no:randomly tests/live/test_sessions.py

report: env
	@$(BIN)/python -m tools.report.render_allure reports/$(RUN)

sample: env
	@$(BIN)/python -m tools.report.sample reports/$(RUN)

docs: env
	@$(BIN)/python -m fixtures.options_page > docs/options.md
	@$(BIN)/python -m tools.cases > docs/cases.md
	@$(BIN)/python -m tests.listed > docs/faults.md
	@$(BIN)/python -m tools.features > docs/features.md
	@$(BIN)/python -m tools.profile > docs/profiles.md
	@$(BIN)/python -m tools.rbac > /dev/null
	@$(BIN)/python -m tools.tables

lock: env
	$(BIN)/uv pip compile --quiet --generate-hashes --no-strip-extras --universal --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) reports/[0-9]* .mypy_cache .ruff_cache .pytest_cache
