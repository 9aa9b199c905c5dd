# Two commands do everything on a machine with Python 3.11 (or 3.10, 3.12): make quickstart, make test.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: quickstart test check bench clean

quickstart: .venv/ready ## a small sweep on built-in data and encoder, offline
	$(BIN)/bertsweep run search_spaces/quickstart.yaml

test: .venv/ready ## the fast tests
	$(BIN)/pytest

check: .venv/ready ## format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready ## what docs/benchmarks.md reports, measured here
	$(BIN)/python -m benchmarks

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv runs build dist *.egg-info
