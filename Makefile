# Two commands do everything on a machine with Python 3.11 (or 3.10, 3.12): make quickstart, make test.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# By file, so that what a file's tests share is made once.
TWO_AT_A_TIME := --numprocesses 2 --dist loadfile
.DEFAULT_GOAL := help

.PHONY: help quickstart test test-slow check docs bench hooks dist clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

quickstart: .venv/ready ## a small sweep on built-in data and encoder, offline
	$(BIN)/bertsweep run search_spaces/quickstart.yaml

test: .venv/ready ## the fast tests, two at a time
	$(BIN)/pytest $(TWO_AT_A_TIME)

test-slow: .venv/ready ## the slow tests, and those on real data where it is present
	$(BIN)/pytest $(TWO_AT_A_TIME) --no-loadscope-reorder --durations 25 -m '(slow or real) and not gpu'

check: .venv/ready ## format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/ready ## write docs/search-space.md anew from the schema
	$(BIN)/python -c "from bertsweep.spec import markdown; print(markdown(), end='')" > docs/search-space.md.new
	mv docs/search-space.md.new docs/search-space.md

bench: .venv/ready ## what docs/benchmarks.md reports, measured here
	$(BIN)/python -m benchmarks

hooks: .venv/ready ## check what is committed, before each commit in this clone
	$(BIN)/pre-commit install

dist: ## the release check: a wheel in dist/ that runs outside the repository
	PYTHON="$(PYTHON)" .ci/dist

clean: ## remove the environment, the sweeps in runs/ and everything built
	rm -rf .venv runs build dist *.egg-info

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
