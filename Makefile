# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

MINUTES ?= 10 30
RESULTS := benchmarks/results

.PHONY: demo test test-all lint bench-clips bench bench-long bench-stress clean

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

# What is measured already for the last commit of src/ is not measured again, and films are made once (in the
# system's folder for temporary files, 0.5 GiB for half an hour). Leave the machine alone meanwhile: on two cores it is
# about an hour, and with the film of two hours about three.
bench: $(STAMP)  ## measure speed, and write docs/performance.md
	-$(BIN)/python benchmarks/speed.py
	-$(BIN)/python benchmarks/measure.py $(RESULTS)/scale.csv $(BIN)/python benchmarks/scale.py --csv $(RESULTS)/scale.csv
	-$(BIN)/python benchmarks/speed.py --clips --minutes $(MINUTES)
	$(BIN)/python benchmarks/performance_page.py

bench-long: MINUTES += 120
bench-long: bench  ## the same with a film of two hours

bench-stress: $(STAMP)  ## harm the clips in known ways, and write docs/robustness.md (about an hour and a half)
	-$(BIN)/python benchmarks/measure.py $(RESULTS)/stress.csv \
		$(BIN)/python benchmarks/stress.py --seeds 5 --csv $(RESULTS)/stress.csv
	$(BIN)/python benchmarks/robustness_page.py

clean:
	rm -rf $(VENV) build dist
