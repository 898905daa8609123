# Every target does all set-up from a fresh clone: its own virtual environment, the tested versions, then the job.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test benchmark docs format clean

demo: $(VENV)/.installed ## build, summarise and leave behind a small dataset; no download
	@mkdir -p demo
	$(BIN)/mocapgen build --source sample --out demo/sample.h5 --overwrite
	$(BIN)/mocapgen inspect demo/sample.h5

test: $(VENV)/.installed-dev ## lint, types and the whole test suite
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n auto

benchmark: $(VENV)/.installed-dev ## frames per second and peak memory of every step
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed-dev ## the manual as a site: site/index.html; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/.installed-dev ## repair what ruff can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove everything that was built, the environment included
	rm -rf $(VENV) build dist demo site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find schemas mocapgen trainer tools tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mocapgen needs Python 3.11 or later, found $$($(PYTHON) --version 2>&1); try: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@ $(VENV)/.installed
