# Every target sets up what it needs in .venv, once per lock.
# Needed beforehand: git, make and python3 (3.11 or newer) with venv.

PYTHON ?= python3
KILLS ?= 200
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PACKAGES := $(VENV)/packages
PYTEST = $(BIN)/python -m pytest -n auto --dist worksteal
APART := tests/crash tests/benchmarks tests/adapters/test_slack_load.py $(wildcard tests/bots/test_demo*.py)
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV := uv==0.13.9

# Tests start hundreds of processes: what is compiled is kept for the next.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-slack demo-discord chat test bench-tests check fix bench crash sdk-tests lock

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 20

demo: $(READY) ## Two days of a support desk in under a minute, offline
	@$(BIN)/python -m bots.demo

demo-slack: $(READY) ## The same in a simulated Slack workspace
	@$(BIN)/python -m bots.demo_slack

demo-discord: $(READY) ## The same on a simulated Discord server
	@$(BIN)/python -m bots.demo_discord

chat: $(READY) ## Talk to the desk (a name of your own: .venv/bin/deskmate chat --user alice)
	@$(BIN)/deskmate chat

test: $(READY) ## Run the tests (some of them: make test ARGS="-k undo")
	$(PYTEST) $(APART:%=--ignore %) $(ARGS)

bench-tests: $(READY) ## Run the tests of the benches, the demos and of load: what is broken on purpose has to be counted
	$(PYTEST) $(APART) $(ARGS)

check: $(READY) ## Format, lint, types, imports: changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(READY) ## Format, and mend what can be mended by itself
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(READY) ## Measure what the desk costs
	$(BIN)/python -m benchmarks $(ARGS)

crash: $(READY) ## Kill the desk at random and count the damage (make crash KILLS=1000 ARGS="--platform slack")
	$(BIN)/python -m tests.crash.bench --kills $(KILLS) $(ARGS)

sdk-tests: $(READY) ## Run the Agents SDK's own tests on our sessions
	$(BIN)/python -m tests.sdk

lock: $(PACKAGES) ## Pin every package again (newer ones: make lock ARGS=--upgrade)
	$(PIP) install --quiet $(UV)
	$(BIN)/uv pip compile pyproject.toml --universal --extra dev --extra bench --extra slack --extra discord --extra postgres --extra redis --extra metrics --extra otel --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    --quiet --output-file requirements.lock $(ARGS)

# The project itself needs nothing more: what builds it is in the lock too.
$(READY): $(PACKAGES) pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(PACKAGES): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python is too old: make PYTHON=python3.11")'
	@echo "Setting up $(VENV) (once per lock) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@touch $@
