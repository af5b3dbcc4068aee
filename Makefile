# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS := $(VENV)/.installed-docs
MUTATION := $(VENV)/.installed-mutation
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
CHECKED := src tests tools benchmarks

MINUTES ?= 10 30
RESULTS := benchmarks/results

ROOMS ?= adapt cluster cues scan project
SAMPLE ?= 400
SEED ?= 0

.PHONY: help demo test test-all lint format coverage mutation docs docs-serve build \
	bench-clips bench bench-long bench-stress clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "personae needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[dev]'
	touch $@

$(DOCS): $(STAMP)
	$(INSTALL) -e '.[docs]'
	touch $@

$(MUTATION): $(STAMP)
	$(INSTALL) -e '.[mutation]'
	touch $@

demo: $(STAMP)  ## install, then find the cast of the shipped clip
	$(BIN)/personae run examples/demo.mp4

lint: $(STAMP)  ## check style, types and the import contracts
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(STAMP)  ## put the code into the style that lint checks
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

test: lint  ## install, then check style, types and behaviour
	$(BIN)/pytest -m 'not slow'

test-all: lint $(DOCS) $(MUTATION)  ## the same with the slow checks, among them docs and wheel
	$(BIN)/pytest

coverage: $(STAMP)  ## print the share of lines and branches that the fast tests run
	$(BIN)/pytest -m 'not slow' --cov --cov-report=term:skip-covered

mutation: $(MUTATION)  ## print how many small faults the tests notice: ROOMS, SAMPLE, SEED
	$(BIN)/python tools/mutation.py $(ROOMS) --sample $(SAMPLE) --seed $(SEED) --out build/mutation.txt

docs: $(DOCS)  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs-serve: $(DOCS)  ## show the documentation at http://127.0.0.1:8000 while it is written
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

build: $(STAMP)  ## build the wheel and the sdist into dist/
	$(BIN)/python -m build --no-isolation

bench-clips: $(STAMP)  ## score the default settings on every labelled clip that is present
	$(BIN)/python benchmarks/clips.py

# What is measured already for the last commit of src/ is not measured again. Films are made once, in
# the system's folder for temporary files (0.5 GiB for half an hour). Leave the machine alone
# meanwhile: on two cores it takes about an hour, and about three with the film of two hours.
bench: $(STAMP)  ## measure speed, and write docs/performance.md
	-$(BIN)/python benchmarks/speed.py
	-$(BIN)/python benchmarks/measure.py $(RESULTS)/scale.csv $(BIN)/python benchmarks/scale.py --csv $(RESULTS)/scale.csv
	-$(BIN)/python benchmarks/speed.py --clips --minutes $(MINUTES)
	$(BIN)/python benchmarks/performance_page.py

bench-long: MINUTES += 120
bench-long: bench  ## the same with a film of two hours

bench-stress: $(STAMP)  ## degrade the clips in known ways, and write docs/robustness.md (1.5 hours)
	-$(BIN)/python benchmarks/measure.py $(RESULTS)/stress.csv \
		$(BIN)/python benchmarks/stress.py --seeds 5 --csv $(RESULTS)/stress.csv
	$(BIN)/python benchmarks/robustness_page.py

clean:  ## remove everything that can be made again
	rm -rf $(VENV) build dist site .coverage
