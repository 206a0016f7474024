# Every target works from a fresh clone: what it needs, it makes first (in .venv).

.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.up-to-date
CODE := $(wildcard src tests bench)

# Any Python from 3.11 on will do; `make setup PYTHON=/path/to/python3.12` names one.
PYTHON ?=

# Two workers, a test file stays on one of them. `make test ARGS="-k unread"` narrows it.
PYTEST := $(BIN)/pytest
WORKERS ?= 2
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## make .venv with everything pinned (only when something changed)

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  for python in $(or $(PYTHON),python3.11 python3 python3.12 python3.13 python3.14); do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      found=$$python; break; \
	    fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "recents needs Python 3.11 or newer; found: $$($(or $(PYTHON),python3) --version 2>&1)." >&2; \
	    echo "Install it, or name it: make setup PYTHON=/path/to/python3.11" >&2; \
	    exit 1; \
	  fi; \
	  echo "making $(VENV) with $$($$found --version)"; \
	  $$found -m venv --clear $(VENV) || exit 1; \
	fi
	@echo "installing the pinned requirements"
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: run
run: $(STAMP) ## start a demo node with people who talk; prints how to watch them
	$(BIN)/python -m recents.cli demo

.PHONY: format
format: $(STAMP) ## rewrite the code the way check wants it
	$(BIN)/ruff check --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

.PHONY: check
check: $(STAMP) ## format, lint, layers, types, spelling: seconds
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/lint-imports
	$(BIN)/mypy $(CODE)
	$(BIN)/codespell

.PHONY: test
test: $(STAMP) ## everything that is not heavy
	$(PYTEST) -n $(WORKERS) --dist loadfile -m "not heavy" $(ARGS)

.PHONY: test-heavy
test-heavy: $(STAMP) ## only the heavy tests, one at a time
	$(PYTEST) -m heavy $(ARGS)

.PHONY: test-all
test-all: test test-heavy ## test, then the heavy tests

.PHONY: laws
laws: $(STAMP) ## many random histories against the laws: minutes
	nice -n 19 $(BIN)/python -m tests.laws.many --count 20000 --shorten $(ARGS)

.PHONY: bench
bench: $(STAMP) ## measure against the budgets
	$(BIN)/python -m bench $(ARGS)

.PHONY: clean
clean: ## remove .venv and everything that was made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf htmlcov .coverage .coverage.*
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
