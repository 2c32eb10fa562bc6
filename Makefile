# Each target works alone on a fresh machine: it makes its own virtual environment first.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
ifeq ($(strip $(PYTHON)),)
$(error gradproof needs Python 3.11 or newer; none was found. Say where it is: make demo PYTHON=/path/to/python3)
endif
VENV ?= .venv
BIN := $(VENV)/bin
CONSTRAINTS := -c constraints/ci.txt

.PHONY: demo test lint deep clean

demo: $(VENV)/demo  ## grade the examples and print the report
	@$(BIN)/gradproof grade examples/submissions --exit-zero

test: $(VENV)/test  ## run the laws and the tests of the machinery
	$(BIN)/python -m pytest -n auto --dist loadgroup $(PYTEST_OPTIONS)

lint: $(VENV)/dev  ## format, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

deep: $(VENV)/test  ## what is longer than CI allows; commit what it writes
	$(BIN)/python -m pytest -m deep
	$(BIN)/gradproof prove --deep --json > benchmarks/results/prove_deep.json
	$(BIN)/gradproof certify --json > benchmarks/results/certificate.json
	$(BIN)/gradproof audit --jobs 2 --matrix benchmarks/results/kill_matrix.json --json > benchmarks/results/audit.json

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e . $(CONSTRAINTS)
	@touch $@

$(VENV)/test: pyproject.toml constraints/ci.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test,torch]" $(CONSTRAINTS)
	@touch $@ $(VENV)/demo

$(VENV)/dev: pyproject.toml constraints/ci.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,torch]" $(CONSTRAINTS)
	@touch $@ $(VENV)/test $(VENV)/demo
