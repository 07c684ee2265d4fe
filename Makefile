# Five commands to remember: make demo, make test, make check, make format, make clean.
# Everything is written inside this folder; nothing is needed but Python >= 3.11 and make.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
BIN := .venv/bin
# One more than the smallest machine has cores: tests wait for servers, browsers and processes of their own.
WORKERS ?= 3

# Caches of the tools stay in the checkout too.
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export XDG_CACHE_HOME := $(CURDIR)/.cache
export XDG_CONFIG_HOME := $(CURDIR)/.cache/config
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
export npm_config_cache := $(CURDIR)/.cache/npm
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test check lint types layers viewer docs pictures format handbook lock clean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "mdanderson needs Python 3.11 or newer, this is %d.%d; name another: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml requirements.lock
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable .
	@touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[test]'
	@touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[docs]'
	@touch $@

VIEWER := mdanderson/report/html/vendor/niivue.umd.js
VIEWER_IF_POSSIBLE := test -e $(VIEWER) || $(BIN)/python tools/fetch_viewer.py --if-possible

$(VIEWER): tools/fetch_viewer.py | .venv/installed
	$(BIN)/python tools/fetch_viewer.py

viewer: $(VIEWER) ## fetch the report's viewer (NiiVue, by npm), which is no part of this repository

demo: .venv/installed ## score the embedded demo cohort and print its response table
	@$(VIEWER_IF_POSSIBLE)
	@rm -rf .demo
	$(BIN)/mdanderson demo .demo/cohort
	$(BIN)/mdanderson score .demo/cohort/cohort.csv --out .demo/results

test: .venv/installed-test ## run the whole test suite
	@$(VIEWER_IF_POSSIBLE)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope

check: lint types layers docs ## lint, format, types, import layers, documentation

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-test
	$(BIN)/mypy

layers: .venv/installed-test
	$(BIN)/lint-imports

docs: .venv/installed-docs ## build the documentation site into site/ (open site/index.html); warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

pictures: .venv/installed-test $(VIEWER) ## take the pictures of the documentation anew, in a browser
	$(BIN)/python tools/take_pictures.py

format: .venv/installed-test ## format and sort imports
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

handbook: .venv/installed ## write the generated pages of docs/: criteria, settings, output, methods
	$(BIN)/python docs/generated.py

lock: .venv/installed-test ## pin every dependency anew (addresses of registries are never written)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --no-annotate --no-header --upgrade --quiet --output-file requirements.lock pyproject.toml

clean: ## remove the environment, caches, demo results and site
	rm -rf .venv .cache .demo site mdanderson/report/html/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
