# Each target makes its own virtual environment first; a fresh machine needs Python 3.10 or newer, make and the package registry.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# half of the suite's time is waiting for devices, so one process more than there are cores
WORKERS ?= $(shell expr `nproc 2>/dev/null || echo 2` + 1)
READY := $(VENV)/.ready

.PHONY: demo test lint bench clean
.DEFAULT_GOAL := test

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "ponprobe needs Python 3.10 or newer; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]' --group dev
	touch $@

demo: $(READY)
	$(BIN)/ponprobe demo

test: $(READY)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
