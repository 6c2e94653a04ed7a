# `make run` and `make test` need only Python 3.11+ and make; both set up .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
PYTHON ?= python3
WORKSPACE ?= workspace
RECIPE ?= elpv-quick
# What `make test-full` looks through; a file or folder of tests narrows it.
CAMPAIGNS ?= tests

# uv from PATH, else a pinned one in its own small environment.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
# TFX's validation libraries ship wheels for glibc 2.39 and later only.
GLIBC_HAS_TFX := $(shell ldd --version 2>/dev/null | awk 'NR==1 {split($$NF, v, "."); print (v[1] > 2 || v[2] >= 39) ? "yes" : "no"}')
EXTRAS := --extra demo --extra tfds --extra analysis --extra dedup --extra postgres $(if $(filter yes,$(GLIBC_HAS_TFX)),--extra tfx)
ENV := .venv/bin
# In a process of its own: after the whole suite its tracking store is another's.
WHOLE_RUN := tests/pipelines/test_training_run.py

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet uv==$(UV_VERSION)

.venv/.ready: pyproject.toml uv.lock $(if $(filter .uv/bin/uv,$(UV)),.uv/bin/uv)
	$(UV) sync --locked --compile-bytecode $(EXTRAS)
	@touch $@

.PHONY: setup
setup: .venv/.ready  ## Create .venv with the effnetv2 command from uv.lock

.PHONY: run
run: setup  ## Run the training pipeline on this machine (RECIPE=elpv-quick)
	$(ENV)/effnetv2 run --recipe $(RECIPE) --workspace $(WORKSPACE)

.PHONY: test
test: setup  ## Run the test-suite
	$(ENV)/pytest -m "not full" --ignore $(WHOLE_RUN)
	$(ENV)/pytest -m "not full" $(WHOLE_RUN)

.PHONY: test-full
test-full: setup  ## Run the long campaigns: kills, fuzzing, servers, the image
	$(ENV)/pytest -m full $(CAMPAIGNS)

.PHONY: coverage
coverage: setup  ## Run the test-suite and report which lines and branches it reaches
	$(ENV)/pytest -m "not full" --cov --cov-report=term:skip-covered

.PHONY: golden
golden: setup  ## Write the golden packages and recipe tables anew; review the diff
	$(ENV)/python -m tests.pipelines.regenerate
	$(ENV)/python -m tests.model_code.recipes.stage_tables

.PHONY: lint
lint: setup  ## Format check, lint, types, import directions
	$(ENV)/ruff format --check .
	$(ENV)/ruff check .
	$(ENV)/mypy
	$(ENV)/lint-imports

.PHONY: format
format: setup  ## Apply the formatter and safe fixes
	$(ENV)/ruff format .
	$(ENV)/ruff check --fix .
