# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-all lint bench-clips clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "personae needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(STAMP)  ## install, then find the cast of the shipped clip
	$(BIN)/personae run examples/demo.mp4

lint: $(STAMP)
	$(BIN)/ruff check src tests tools benchmarks
	$(BIN)/ruff format --check src tests tools benchmarks
	$(BIN)/mypy

test: lint  ## install, then check style, types and behaviour
	$(BIN)/pytest -m 'not slow'

test-all: lint  ## the same with the slow checks
	$(BIN)/pytest

bench-clips: $(STAMP)  ## score the default settings on every labelled clip that is present
	$(BIN)/python benchmarks/clips.py

clean:
	rm -rf $(VENV) build dist
