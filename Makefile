# make demo     sets itself up, then: trained models -> C -> emulated Cortex-M -> HDL -> simulated -> synthesised
# make test     sets itself up and fills the caches, then every test whose tools are found
# make check    lint, types and import rules beside one case of each quick test (110 s of CPU: a minute on two cores)
# make fuzz     searches each reader of files for FUZZ_MINUTES (10), or READER alone; faults stay in tests/fuzz/corpus
# make golden   writes the golden files of generated C and Verilog again
# make digests  compares the C of every kernel and the RTLIL of every op with tests/golden/digests.txt
#               (5 minutes; DIGESTS="c plan" compares some, DIGESTS=--update writes the file again)
# make docs     builds the documentation as a site in site/; a warning is an error
# make bench-suite | bench-tiny | bench-accuracy | bench-pairs | bench-draw | bench-choice | bench-fpga | bench-boards | bench-calibrate | bench-cycles
#      | bench-growth | bench-league
#               published figures again: benchmarks/README.md; BENCH_ARGS="--only NAME" passes options
#
# Variables: VENV (.venv), PYTHON (a Python >= 3.11; found by itself), PIP_ARGS, PYTEST_ARGS, WORKERS (2)

VENV ?= .venv
WORKERS ?= 2
FUZZ_MINUTES ?= 10
READER ?= all
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet $(PIP_ARGS)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

BENCHMARKS := suite tiny accuracy pairs draw choice fpga boards calibrate cycles growth league

.PHONY: help setup demo lint quick check test golden fuzz digests docs format clean $(BENCHMARKS:%=bench-%)
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n '/^# make/s/^# //p' Makefile

setup: $(VENV)/.demo-ready ## everything that the demo needs

demo: $(VENV)/.demo-ready
	@$(BIN)/edgeternary demo $(DEMO_ARGS)

lint: $(VENV)/.dev-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

quick: $(VENV)/.dev-ready
	$(PYTEST) -q --few $(PYTEST_ARGS)

check: ## lint beside the tests; the output of each is shown when it ends
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint quick

test: $(VENV)/.dev-ready
	$(PYTEST) $(PYTEST_ARGS)

golden: $(VENV)/.dev-ready
	EDGETERNARY_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden

fuzz: $(VENV)/.dev-ready
	$(BIN)/python -m tests.fuzz.search $(READER) $$(( $(FUZZ_MINUTES) * 60 ))

digests: $(VENV)/.dev-ready
	$(BIN)/python -m tests.golden.digests $(DIGESTS)

docs: $(VENV)/.dev-ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Open site/index.html."

$(BENCHMARKS:%=bench-%): bench-%: $(VENV)/.dev-ready
	@$(BIN)/python -m benchmarks $* $(BENCH_ARGS)

format: $(VENV)/.dev-ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "edgeternary needs Python 3.11 or newer."; \
	  echo "Found: $$(python3 --version 2>&1 || echo no python3 at all)."; \
	  echo "Install one (Debian, Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; \
	  exit 1; fi
	@echo "Making the virtual environment $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "The virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.demo-ready: pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the demo needs from pip (160 MB: C compiler, emulator, synthesiser; no torch)."
	@$(PIP) -e '.[mcu,fpga]'
	@touch $@

$(VENV)/.dev-ready: pyproject.toml $(VENV)/.demo-ready
	@echo "Installing what the tests need from pip (torch is the large one)."
	@$(PIP) -e '.[dev]'
	@$(BIN)/edgeternary doctor --warm
	@touch $@
